//! Refresh tokens: each has one successor, which is told again for a moment; whoever comes later is a thief or robbed.

use std::time::Duration;

use futures_util::future::join_all;

use super::bench::{Bench, PASSWORD};
use crate::accounts::wire::SignedIn;
use crate::accounts::{AuthError, SignOutReason};

const MOMENT: Duration = Duration::from_secs(60);

async fn is_refused(bench: &Bench, refresh_token: &str) {
    let result = bench.refresh(refresh_token).await;
    assert!(matches!(result, Err(AuthError::RefreshRefused)), "{result:?}");
}

/// The device is signed out, whoever holds tokens of it.
async fn has_ended(bench: &Bench, tokens: &[&SignedIn]) {
    for token in tokens {
        assert!(matches!(bench.auth.verify(&token.access_token).await, Err(AuthError::TokenInvalid)));
        is_refused(bench, &token.refresh_token).await;
    }
}

#[actix_web::test]
async fn a_refresh_token_that_is_used_late_again_ends_the_family() {
    let bench = Bench::new().await;
    let first = bench.register("ada").await;
    let other_device = bench.login("ada", PASSWORD).await.unwrap();
    let second = bench.refresh(&first.refresh_token).await.unwrap();
    let caller = bench.auth.verify(&second.access_token).await.unwrap();
    bench.clock.advance(MOMENT);
    assert_eq!(bench.signed_out(), []);
    is_refused(&bench, &first.refresh_token).await;
    has_ended(&bench, &[&first, &second]).await;
    let events = bench.signed_out();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((Some(events[0].family_id), events[0].reason), (caller.family_id, SignOutReason::Reuse));
    bench.auth.verify(&other_device.access_token).await.unwrap();
    bench.refresh(&other_device.refresh_token).await.unwrap();
}

#[actix_web::test]
async fn a_lost_answer_is_given_again_until_its_token_was_used() {
    let bench = Bench::new().await;
    let first = bench.register("ada").await;
    let lost = bench.refresh(&first.refresh_token).await.unwrap();
    bench.clock.advance(MOMENT - Duration::from_secs(1));
    let again = bench.refresh(&first.refresh_token).await.unwrap();
    assert_eq!((&again.refresh_token, again.expires_in, &again.user), (&lost.refresh_token, 900, &lost.user));
    // Each answer's access token is good for as long as it says.
    assert_eq!(bench.auth.verify(&lost.access_token).await.unwrap().expires_at - bench.clock.now(), expiry(841));
    assert_eq!(bench.auth.verify(&again.access_token).await.unwrap().expires_at - bench.clock.now(), expiry(900));
    let recorded = "SELECT extract(epoch FROM access_expires_at)::bigint FROM token_families";
    assert_eq!(bench.count(recorded).await, bench.clock.now().timestamp() + 900);

    let third = bench.refresh(&again.refresh_token).await.unwrap();
    assert_eq!(bench.signed_out(), []);
    // Now whoever sends the first one has kept it from somebody who went on.
    is_refused(&bench, &first.refresh_token).await;
    has_ended(&bench, &[&lost, &again, &third]).await;
    assert_eq!(bench.signed_out().len(), 1);
}

fn expiry(seconds: i64) -> chrono::TimeDelta {
    chrono::TimeDelta::seconds(seconds)
}

#[actix_web::test]
async fn a_thief_who_comes_in_time_shows_with_the_next_token() {
    let bench = Bench::new().await;
    let stolen = bench.register("ada").await.refresh_token;
    let thief = bench.refresh(&stolen).await.unwrap();
    let owner = bench.refresh(&stolen).await.unwrap();
    assert_eq!(thief.refresh_token, owner.refresh_token);
    bench.clock.advance(Duration::from_secs(840));
    let owner = bench.refresh(&owner.refresh_token).await.unwrap();
    bench.clock.advance(MOMENT);
    is_refused(&bench, &thief.refresh_token).await;
    has_ended(&bench, &[&owner]).await;
}

#[actix_web::test]
async fn of_twenty_tabs_that_refresh_at_once_all_go_on() {
    let bench = Bench::new().await;
    let mut tokens = bench.register("ada").await;
    for _ in 0..3 {
        let answers = join_all((0..20).map(|_| bench.refresh(&tokens.refresh_token))).await;
        let answers: Vec<SignedIn> = answers.into_iter().map(Result::unwrap).collect();
        for answer in &answers {
            assert_eq!(answer.refresh_token, answers[0].refresh_token);
            bench.auth.verify(&answer.access_token).await.unwrap();
        }
        tokens = answers[0].clone();
        bench.clock.advance(Duration::from_secs(840));
    }
    assert_eq!(bench.signed_out(), []);
    assert_eq!(bench.count("SELECT count(*) FROM refresh_tokens").await, 4, "one successor each");
}

#[actix_web::test]
async fn of_twenty_late_ones_at_once_none_goes_on_and_the_family_ends_once() {
    let bench = Bench::with(|config| config.refresh_grace_s = 0).await;
    let ada = bench.register("ada").await;
    let results = join_all((0..20).map(|_| bench.refresh(&ada.refresh_token))).await;
    let winners: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "without grace, a token works once");
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(AuthError::RefreshRefused))));
    has_ended(&bench, &winners).await;
    assert_eq!(bench.signed_out().len(), 1, "told once");
}

#[actix_web::test]
async fn another_engine_with_the_same_key_gives_the_same_answer() {
    let bench = Bench::new().await;
    let first = bench.register("ada").await;
    let lost = bench.refresh(&first.refresh_token).await.unwrap();
    let other = bench.restarted().await;
    let again = other.refresh(&first.refresh_token, super::bench::somewhere()).await.unwrap();
    assert_eq!(again.refresh_token, lost.refresh_token);
    bench.auth.verify(&again.access_token).await.unwrap();
}

#[actix_web::test]
async fn when_the_key_was_changed_sign_ins_go_on_but_no_answer_is_given_again() {
    let mut bench = Bench::new().await;
    let (first, other) = (bench.register("ada").await, bench.login("ada", PASSWORD).await.unwrap());
    let lost = bench.refresh(&first.refresh_token).await.unwrap();
    bench.config.token_secret = Some("another-secret-of-at-least-32-characters".into());
    bench.auth = bench.restarted().await;
    // Under a key that was changed, perhaps because it was known, nobody can tell the owner from a thief.
    is_refused(&bench, &first.refresh_token).await;
    is_refused(&bench, &lost.refresh_token).await;
    let other = bench.refresh(&other.refresh_token).await.unwrap();
    bench.auth.verify(&other.access_token).await.unwrap();
}

#[actix_web::test]
async fn a_token_that_ran_out_is_not_given_again_and_is_no_theft() {
    let bench = Bench::with(|config| (config.access_token_s, config.refresh_token_s) = (5, 30)).await;
    let first = bench.register("ada").await;
    bench.refresh(&first.refresh_token).await.unwrap();
    bench.clock.advance(Duration::from_secs(30));
    is_refused(&bench, &first.refresh_token).await;
    assert_eq!(bench.signed_out(), []);
}

#[actix_web::test]
async fn a_disabled_account_gets_no_answer_again() {
    let bench = Bench::new().await;
    let first = bench.register("ada").await;
    bench.refresh(&first.refresh_token).await.unwrap();
    // By hand, without ending sign-ins.
    sqlx::raw_sql("UPDATE users SET disabled_at = now()").execute(bench.database.storage.engine()).await.unwrap();
    assert!(matches!(bench.refresh(&first.refresh_token).await, Err(AuthError::AccountDisabled)));
}

#[actix_web::test]
async fn whoever_signed_out_stays_so_however_soon_a_token_comes_again() {
    let bench = Bench::new().await;
    let first = bench.register("ada").await;
    let second = bench.refresh(&first.refresh_token).await.unwrap();
    let caller = bench.auth.verify(&second.access_token).await.unwrap();
    bench.auth.logout(&caller).await.unwrap();
    has_ended(&bench, &[&first, &second]).await;
    assert_eq!(bench.signed_out().len(), 1, "for the sign-out, and for no theft");
}
