//! Signing up, in and out, and the rotation of refresh tokens, under concurrency and across restarts.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::bench::{Bench, PASSWORD, somewhere};
use crate::accounts::wire::Device;
use crate::accounts::{AuthError, SignOutReason, UserRole};

#[actix_web::test]
async fn signing_up_signs_in() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    assert_eq!((ada.user.username.as_str(), ada.user.role, ada.expires_in), ("ada", UserRole::User, 900));
    let caller = bench.auth.verify(&ada.access_token).await.unwrap();
    assert_eq!((caller.user_id, caller.role), (ada.user.id, UserRole::User));
    let (same, own) = bench.auth.verify_person(&ada.access_token).await.unwrap();
    assert_eq!((same, own.as_ref()), (caller, &ada.user));
}

#[actix_web::test]
async fn a_name_is_taken_once_however_many_want_it() {
    let bench = Bench::with(|config| config.hash_queue_max = 50).await;
    let results = join_all((0..50).map(|_| bench.try_register("ada"))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| matches!(result, Err(AuthError::RegistrationRefused))).count(), 49);
    assert_eq!(bench.count("SELECT count(*) FROM users").await, 1);
    assert_eq!(bench.count("SELECT count(*) FROM token_families").await, 1);
}

#[actix_web::test]
async fn a_taken_name_and_a_taken_email_are_refused_alike() {
    let bench = Bench::new().await;
    bench.register("ada").await;
    let try_as = async |username: &str, email: &str| {
        let sign_up = crate::accounts::SignUp { username, email, password: PASSWORD, full_name: None, device: None };
        bench.auth.register(sign_up, somewhere()).await.unwrap_err().to_string()
    };
    let by_name = try_as("ADA", "other@example.com").await;
    let by_email = try_as("other", "Ada@Example.com").await;
    assert_eq!((by_name.as_str(), by_email.as_str()), ("the username or email cannot be used", by_name.as_str()));
    assert_eq!(bench.count("SELECT count(*) FROM users").await, 1, "half an account was left behind");
}

#[actix_web::test]
async fn one_signs_in_with_the_username_or_the_email_in_any_case() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await.user.id;
    for login in ["ada", "ADA", " ada ", "ada@example.com", "Ada@Example.COM"] {
        assert_eq!(bench.login(login, PASSWORD).await.unwrap().user.id, ada, "{login:?}");
    }
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_login_are_refused_alike() {
    let bench = Bench::new().await;
    bench.register("ada").await;
    for (login, password) in [("ada", "wrong"), ("ada", ""), ("nobody", PASSWORD), ("nobody@example.com", PASSWORD)] {
        assert!(matches!(bench.login(login, password).await, Err(AuthError::LoginRefused)), "{login:?}");
    }
}

#[actix_web::test]
async fn a_hash_is_renewed_when_the_parameters_change() {
    let mut bench = Bench::new().await;
    bench.register("ada").await;
    bench.config.argon2_passes = 2;
    bench.auth = bench.restarted().await;
    bench.login("ada", PASSWORD).await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM accounts WHERE password_hash LIKE '%,t=2,%'").await, 1);
    bench.login("ada", PASSWORD).await.unwrap();
}

#[actix_web::test]
async fn a_device_stays_signed_in_by_use_and_not_without() {
    let bench = Bench::with(|config| config.refresh_token_s = 1_000).await;
    let mut tokens = bench.register("ada").await;
    for _ in 0..5 {
        bench.clock.advance(Duration::from_secs(999));
        assert!(matches!(bench.auth.verify(&tokens.access_token).await, Err(AuthError::TokenExpired)));
        tokens = bench.refresh(&tokens.refresh_token).await.unwrap();
        bench.auth.verify(&tokens.access_token).await.unwrap();
    }
    bench.clock.advance(Duration::from_secs(1_000));
    assert!(matches!(bench.refresh(&tokens.refresh_token).await, Err(AuthError::RefreshRefused)));
    assert_eq!(bench.signed_out(), [], "an old token is no theft");
}

#[actix_web::test]
async fn signing_out_ends_the_device_at_once_and_twice_is_no_error() {
    let bench = Bench::new().await;
    let (here, there) = (bench.register("ada").await, bench.login("ada", PASSWORD).await.unwrap());
    let caller = bench.auth.verify(&here.access_token).await.unwrap();
    bench.auth.logout(&caller).await.unwrap();
    bench.auth.logout(&caller).await.unwrap();
    assert!(matches!(bench.auth.verify(&here.access_token).await, Err(AuthError::TokenInvalid)));
    assert!(matches!(bench.refresh(&here.refresh_token).await, Err(AuthError::RefreshRefused)));
    bench.auth.verify(&there.access_token).await.unwrap();
    let events = bench.signed_out();
    assert_eq!((events.len(), events[0].user_id, events[0].reason), (1, here.user.id, SignOutReason::Logout));
}

#[actix_web::test]
async fn a_client_that_hangs_up_while_signing_out_is_signed_out() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    let caller = bench.auth.verify(&ada.access_token).await.unwrap();
    let (tell, mut told) = tokio::sync::watch::channel(false);
    bench.auth.on_signed_out(move |_| {
        let _ = tell.send(true);
    });
    assert!(bench.auth.logout(&caller).now_or_never().is_none(), "dropped before it was done");
    let in_time = tokio::time::timeout(Duration::from_secs(10), told.wait_for(|told| *told)).await;
    in_time.expect("the sign-out went on without the client").unwrap();
    assert!(matches!(bench.auth.verify(&ada.access_token).await, Err(AuthError::TokenInvalid)));
}

#[actix_web::test]
async fn a_sign_out_on_one_engine_is_known_to_another_at_hello() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    let other = bench.restarted().await;
    let (caller, _) = other.verify_person(&ada.access_token).await.unwrap();
    bench.auth.logout(&caller).await.unwrap();
    assert!(matches!(other.verify_person(&ada.access_token).await, Err(AuthError::TokenInvalid)));
}

#[actix_web::test]
async fn a_restart_keeps_tokens_and_remembers_who_was_signed_out() {
    let bench = Bench::new().await;
    let (gone, stays) = (bench.register("ada").await, bench.login("ada", PASSWORD).await.unwrap());
    let caller = bench.auth.verify(&gone.access_token).await.unwrap();
    bench.auth.logout(&caller).await.unwrap();
    let restarted = bench.restarted().await;
    assert!(matches!(restarted.verify(&gone.access_token).await, Err(AuthError::TokenInvalid)));
    restarted.verify(&stays.access_token).await.unwrap();
}

#[actix_web::test]
async fn signing_in_again_on_a_device_replaces_its_family() {
    let bench = Bench::new().await;
    bench.register("ada").await;
    let on = |id: &str| Device { id: Some(id.into()), name: Some("Phone".into()) };
    let login = async |device: &Device| bench.auth.login("ada", PASSWORD, Some(device), somewhere()).await.unwrap();
    let (phone, tablet) = (login(&on("phone")).await, login(&on("tablet")).await);
    let again = join_all((0..5).map(|_| async { login(&on("phone")).await })).await;
    assert!(bench.auth.verify(&phone.access_token).await.is_err());
    bench.auth.verify(&tablet.access_token).await.unwrap();
    let mut alive = 0;
    for tokens in &again {
        alive += usize::from(bench.refresh(&tokens.refresh_token).await.is_ok());
    }
    assert_eq!(alive, 1, "the last one to sign in");
    assert!(bench.signed_out().iter().all(|event| event.reason == SignOutReason::Replaced));
}

#[actix_web::test]
async fn past_the_last_device_the_one_unused_for_longest_goes() {
    let bench = Bench::with(|config| config.devices_max = 3).await;
    let mut devices = vec![bench.register("ada").await];
    for _ in 0..2 {
        bench.clock.advance(Duration::from_secs(1));
        devices.push(bench.login("ada", PASSWORD).await.unwrap());
    }
    bench.clock.advance(Duration::from_secs(1));
    devices[0] = bench.refresh(&devices[0].refresh_token).await.unwrap();
    bench.clock.advance(Duration::from_secs(1));
    devices.push(bench.login("ada", PASSWORD).await.unwrap());
    let mut alive = Vec::new();
    for device in &devices {
        alive.push(bench.auth.verify(&device.access_token).await.is_ok());
    }
    assert_eq!(alive, [true, false, true, true]);
    assert_eq!(bench.signed_out()[0].reason, SignOutReason::TooMany);
}

#[actix_web::test]
async fn a_disabled_account_is_out_until_it_is_enabled() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    bench.auth.set_disabled("ada@example.com", true).await.unwrap();
    assert!(matches!(bench.login("ada", PASSWORD).await, Err(AuthError::AccountDisabled)));
    assert!(matches!(bench.login("ada", "wrong").await, Err(AuthError::LoginRefused)), "told only to the owner");
    assert!(matches!(bench.refresh(&ada.refresh_token).await, Err(AuthError::RefreshRefused)));
    assert!(matches!(bench.auth.verify_person(&ada.access_token).await, Err(AuthError::TokenInvalid)));
    assert_eq!(bench.signed_out()[0].reason, SignOutReason::Disabled);
    bench.auth.set_disabled("ada", false).await.unwrap();
    bench.login("ada", PASSWORD).await.unwrap();
}

#[actix_web::test]
async fn an_admin_is_one_as_the_database_says_now() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    let caller = bench.auth.verify(&ada.access_token).await.unwrap();
    assert!(matches!(caller.require_admin(&bench.auth).await, Err(AuthError::NotAnAdmin)));
    bench.auth.set_role("ada", UserRole::Admin).await.unwrap();
    caller.require_admin(&bench.auth).await.unwrap();
    let refreshed = bench.refresh(&ada.refresh_token).await.unwrap();
    assert_eq!(refreshed.user.role, UserRole::Admin);
    let admin = bench.auth.verify(&refreshed.access_token).await.unwrap();
    assert_eq!(admin.role, UserRole::Admin);
    bench.auth.set_role("ada", UserRole::User).await.unwrap();
    assert!(admin.require_admin(&bench.auth).await.is_err(), "the token still says admin");
    assert!(bench.auth.set_role("nobody", UserRole::Admin).await.unwrap_err().to_string().contains("nobody"));
}

#[actix_web::test]
async fn what_has_expired_is_deleted_and_nothing_else() {
    let bench = Bench::with(|config| config.refresh_token_s = 1_000).await;
    let ada = bench.register("ada").await;
    bench.register("ben").await;
    bench.clock.advance(Duration::from_secs(600));
    let ada = bench.refresh(&ada.refresh_token).await.unwrap();
    assert_eq!(bench.auth.delete_expired().await.unwrap(), 0);
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(bench.auth.delete_expired().await.unwrap(), 3, "two tokens, and the family of ben");
    assert_eq!(bench.count("SELECT count(*) FROM token_families").await, 1);
    bench.refresh(&ada.refresh_token).await.unwrap();
}

#[actix_web::test]
async fn nothing_secret_is_stored_as_it_is() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    let dump: String = sqlx::query_scalar(
        "SELECT string_agg(line, E'\\n') FROM (
             SELECT a::text AS line FROM accounts a UNION ALL SELECT t::text FROM refresh_tokens t
             UNION ALL SELECT f::text FROM token_families f UNION ALL SELECT u::text FROM users u) AS lines",
    )
    .fetch_one(bench.database.storage.engine())
    .await
    .unwrap();
    for secret in [PASSWORD, &ada.refresh_token, &ada.access_token] {
        assert!(!dump.contains(secret), "{dump}");
    }
    assert!(dump.contains("$argon2id$"));
}
