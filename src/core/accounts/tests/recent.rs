//! Whoever was here lately is greeted without the database, and never with what is not true any more.

use serde_json::json;

use super::bench::Bench;
use super::outside::{accepting, claims, hs256, issuer};
use crate::accounts::store::families::RevokedFamily;
use crate::accounts::{AuthError, SignOutReason, UserRole};

#[actix_web::test]
async fn a_second_hello_asks_the_database_for_nothing() {
    let bench = Bench::with(accepting(issuer())).await;
    bench.auth.trust_memory(true);
    let (ada, outside) = (bench.register("ada").await, hs256(&claims("1")));
    let (first, _) = bench.auth.verify_person(&ada.access_token).await.unwrap();
    let (stranger, her) = bench.auth.verify_person(&outside).await.unwrap();
    let people = bench.auth.people(first.user_id, &[stranger.user_id]).await.unwrap();
    // A request over HTTP has the same.
    bench.auth.verify(&ada.access_token).await.unwrap();
    bench.database.storage.close().await;
    assert_eq!(bench.auth.verify(&ada.access_token).await.unwrap(), first);
    assert_eq!(bench.auth.verify(&outside).await.unwrap(), stranger);
    let (again, own) = bench.auth.verify_person(&ada.access_token).await.unwrap();
    assert_eq!((again, own.as_ref()), (first, &ada.user));
    bench.auth.verify(&ada.access_token).await.unwrap();
    assert_eq!(bench.auth.verify_person(&outside).await.unwrap(), (stranger, her));
    assert_eq!(bench.auth.people(first.user_id, &[stranger.user_id]).await.unwrap(), people);
    // The database is really needed for whoever is not known.
    bench.auth.user_changed(first.user_id);
    assert!(matches!(bench.auth.verify_person(&ada.access_token).await, Err(AuthError::Database(_))));
    bench.auth.identities_changed();
    assert!(matches!(bench.auth.verify_person(&outside).await, Err(AuthError::Database(_))));
}

#[actix_web::test]
async fn what_this_engine_changes_is_in_the_next_hello() {
    let bench = Bench::new().await;
    bench.auth.trust_memory(true);
    let ada = bench.register("ada").await;
    let hello = async || bench.auth.verify_person(&ada.access_token).await;
    hello().await.unwrap();
    bench.auth.set_role("ada", UserRole::Admin).await.unwrap();
    assert_eq!(hello().await.unwrap().1.role, UserRole::Admin);
    bench.auth.set_disabled("ada", true).await.unwrap();
    assert!(matches!(hello().await, Err(AuthError::TokenInvalid)));
    bench.auth.set_disabled("ada", false).await.unwrap();
    let back = bench.login("ada", super::bench::PASSWORD).await.unwrap();
    let (caller, _) = bench.auth.verify_person(&back.access_token).await.unwrap();
    bench.auth.logout(&caller).await.unwrap();
    assert!(matches!(bench.auth.verify_person(&back.access_token).await, Err(AuthError::TokenInvalid)));
}

#[actix_web::test]
async fn a_disabled_subject_of_an_outside_issuer_is_out() {
    let bench = Bench::with(accepting(issuer())).await;
    bench.auth.trust_memory(true);
    let token = hs256(&claims("1"));
    let (_, own) = bench.auth.verify_person(&token).await.unwrap();
    bench.auth.set_disabled(&own.username, true).await.unwrap();
    assert!(matches!(bench.auth.verify(&token).await, Err(AuthError::AccountDisabled)));
    assert!(matches!(bench.auth.verify_person(&token).await, Err(AuthError::AccountDisabled)));
}

#[actix_web::test]
async fn a_sign_out_that_is_heard_of_ends_the_device_here_once() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    let caller = bench.auth.verify(&ada.access_token).await.unwrap();
    let access_expires_at = caller.expires_at;
    let ended = RevokedFamily { family_id: caller.family_id.unwrap(), user_id: caller.user_id, access_expires_at };
    bench.auth.sign_out_heard(ended, SignOutReason::Logout);
    bench.auth.sign_out_heard(ended, SignOutReason::Logout);
    assert!(matches!(bench.auth.verify(&ada.access_token).await, Err(AuthError::TokenInvalid)));
    assert_eq!(bench.signed_out().len(), 1);
    assert_eq!(json!(SignOutReason::parse("reuse").map(SignOutReason::as_str)), json!("reuse"));
}
