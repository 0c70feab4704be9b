//! Limits as somebody who tries too often meets them.

use std::net::IpAddr;
use std::time::Duration;

use chrono::TimeDelta;

use super::bench::{Bench, PASSWORD, somewhere};
use crate::accounts::wire::Device;
use crate::accounts::{AuthError, ClientAddress, SignUp};

fn from(last: u8) -> ClientAddress {
    IpAddr::from([198, 51, 100, last]).into()
}

fn is_limited<T>(result: &Result<T, AuthError>) -> bool {
    matches!(result, Err(AuthError::TooManyAttempts { retry_after_ms }) if *retry_after_ms > 0)
}

#[actix_web::test]
async fn guessing_one_password_from_many_addresses_is_slow() {
    let bench = Bench::with(|config| config.login_per_account_per_minute = 5).await;
    bench.register("ada").await;
    for address in 0..5 {
        let guess = bench.auth.login("ada", "a guess", None, from(address)).await;
        assert!(matches!(guess, Err(AuthError::LoginRefused)));
    }
    assert!(is_limited(&bench.auth.login("ada", PASSWORD, None, from(6)).await));
    assert!(matches!(bench.auth.login("nobody", PASSWORD, None, from(6)).await, Err(AuthError::LoginRefused)));
    bench.clock.advance(Duration::from_secs(12));
    bench.auth.login("ada", PASSWORD, None, from(7)).await.unwrap();
}

#[actix_web::test]
async fn guesses_from_elsewhere_do_not_lock_the_owner_out() {
    let bench = Bench::with(|config| {
        config.login_per_account_and_address_per_minute = 5;
        config.login_per_account_per_minute = 8;
        config.login_per_device_per_minute = 2;
    })
    .await;
    bench.register("ada").await;
    let on = |id: &str| Device { id: Some(id.into()), name: None };
    let login = async |password: &str, device: &str, address| {
        bench.auth.login("ada", password, Some(&on(device)), from(address)).await
    };
    login(PASSWORD, "laptop", 1).await.unwrap();
    // Somebody guesses, first from one address, which does not hinder another, then from many.
    for guess in 0..20 {
        let guessed = login("a guess", "unknown", 66).await;
        assert_eq!(is_limited(&guessed), guess >= 5, "{guess}");
    }
    login(PASSWORD, "phone", 2).await.unwrap();
    for address in 100..120 {
        assert!(login("a guess", "unknown", address).await.is_err());
    }
    assert!(is_limited(&login(PASSWORD, "a new one", 3).await), "nobody knows this device");
    assert!(is_limited(&bench.auth.login("ada", PASSWORD, None, from(3)).await));
    login(PASSWORD, "laptop", 3).await.unwrap();
    login(PASSWORD, "phone", 66).await.unwrap();
    // The way through is no way around: a guesser who knows a device's id gets its allowance and no more.
    assert!(matches!(login("a guess", "laptop", 67).await, Err(AuthError::LoginRefused)));
    assert!(is_limited(&login("a guess", "laptop", 68).await));
    login(PASSWORD, "phone", 3).await.unwrap();
}

#[actix_web::test]
async fn a_step_of_the_time_of_day_locks_nobody_out() {
    let bench = Bench::with(|config| config.login_per_account_per_minute = 2).await;
    bench.register("ada").await;
    for step in [TimeDelta::days(2), TimeDelta::days(-2)] {
        bench.clock.step(step);
        bench.login("ada", PASSWORD).await.unwrap();
    }
    assert!(is_limited(&bench.login("ada", PASSWORD).await));
    bench.clock.advance(Duration::from_secs(30));
    bench.login("ada", PASSWORD).await.unwrap();
}

#[actix_web::test]
async fn an_unknown_account_is_limited_like_a_known_one() {
    let bench = Bench::with(|config| config.login_per_account_per_minute = 2).await;
    for _ in 0..2 {
        assert!(matches!(bench.login("nobody", PASSWORD).await, Err(AuthError::LoginRefused)));
    }
    assert!(is_limited(&bench.login("nobody", PASSWORD).await));
}

#[actix_web::test]
async fn one_address_tries_many_accounts_slowly_and_hinders_nobody_else() {
    let bench = Bench::with(|config| config.login_per_address_per_minute = 3).await;
    bench.register("ada").await;
    for account in 0..3 {
        let guess = bench.auth.login(&format!("user{account}"), PASSWORD, None, from(1)).await;
        assert!(matches!(guess, Err(AuthError::LoginRefused)));
    }
    assert!(is_limited(&bench.auth.login("ada", PASSWORD, None, from(1)).await));
    bench.auth.login("ada", PASSWORD, None, from(2)).await.unwrap();
}

#[actix_web::test]
async fn accounts_and_refreshes_are_limited_by_address() {
    let bench = Bench::with(|config| {
        config.register_per_address_per_hour = 2;
        config.refresh_per_address_per_minute = 2;
    })
    .await;
    let ada = bench.register("ada").await;
    bench.register("ben").await;
    assert!(is_limited(&bench.try_register("cleo").await));
    let sign_up =
        SignUp { username: "cleo", email: "cleo@example.com", password: PASSWORD, full_name: None, device: None };
    bench.auth.register(sign_up, from(1)).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(bench.refresh("no token").await, Err(AuthError::RefreshRefused)));
    }
    assert!(is_limited(&bench.auth.refresh(&ada.refresh_token, somewhere()).await));
    bench.auth.refresh(&ada.refresh_token, from(1)).await.unwrap();
}
