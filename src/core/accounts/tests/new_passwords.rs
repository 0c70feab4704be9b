//! New passwords and the devices of an account, as their owner, an admin, an operator and a thief meet them.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;

use super::bench::{Bench, PASSWORD, somewhere};
use crate::accounts::wire::{Device, SignedIn};
use crate::accounts::{AuthError, NewPerson, SignOutReason, UserRole};
use parlance_foundation::ids::FamilyId;

const NEW: &str = "staple correct horse";

async fn is_in(bench: &Bench, signed_in: &SignedIn) -> bool {
    bench.auth.verify(&signed_in.access_token).await.is_ok()
}

#[actix_web::test]
async fn a_changed_password_ends_all_other_sign_ins() {
    let bench = Bench::new().await;
    let here = bench.register("ada").await;
    let there = bench.login("ada", PASSWORD).await.unwrap();
    let ben = bench.register("ben").await;
    let caller = bench.auth.verify(&here.access_token).await.unwrap();
    let wrong = bench.auth.change_password(&caller, "a guess", NEW).await;
    assert!(matches!(wrong, Err(AuthError::PasswordRefused)));
    let short = bench.auth.change_password(&caller, PASSWORD, "short").await;
    assert!(matches!(short, Err(AuthError::Invalid(_))));
    let name = bench.auth.change_password(&caller, PASSWORD, "ADA@example.com").await;
    assert!(matches!(name, Err(AuthError::Invalid(_))));
    assert!(is_in(&bench, &there).await && bench.signed_out().is_empty(), "nothing happened yet");

    bench.auth.change_password(&caller, PASSWORD, NEW).await.unwrap();
    assert!(is_in(&bench, &here).await && !is_in(&bench, &there).await && is_in(&bench, &ben).await);
    assert!(bench.refresh(&there.refresh_token).await.is_err());
    bench.refresh(&here.refresh_token).await.unwrap();
    let ended: Vec<_> = bench.signed_out().iter().map(|event| event.reason).collect();
    assert_eq!(ended, [SignOutReason::Password]);
    assert!(matches!(bench.login("ada", PASSWORD).await, Err(AuthError::LoginRefused)));
    bench.login("ada", NEW).await.unwrap();
    assert!(!is_in(&bench, &there).await && bench.restarted().await.verify(&there.access_token).await.is_err());
}

#[actix_web::test]
async fn what_signs_in_with_the_old_password_meanwhile_is_out_as_well() {
    let bench = Bench::with(|config| config.hash_queue_max = 100).await;
    let here = bench.register("ada").await;
    let caller = bench.auth.verify(&here.access_token).await.unwrap();
    let logins = join_all((0..20).map(|_| bench.login("ada", PASSWORD)));
    let (logins, changed) = join(logins, bench.auth.change_password(&caller, PASSWORD, NEW)).await;
    changed.unwrap();
    for signed_in in logins.into_iter().flatten() {
        assert!(!is_in(&bench, &signed_in).await);
    }
    assert_eq!(bench.count("SELECT count(*) FROM token_families WHERE revoked_at IS NULL").await, 1);
}

#[actix_web::test]
async fn a_stolen_token_does_not_guess_the_password() {
    let bench = Bench::with(|config| config.password_per_account_per_minute = 3).await;
    let ada = bench.register("ada").await;
    let caller = bench.auth.verify(&ada.access_token).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(bench.auth.change_password(&caller, "a guess", NEW).await, Err(AuthError::PasswordRefused)));
    }
    let limited = bench.auth.change_password(&caller, PASSWORD, NEW).await;
    assert!(matches!(limited, Err(AuthError::TooManyAttempts { .. })));
    bench.clock.advance(Duration::from_secs(20));
    bench.auth.change_password(&caller, PASSWORD, NEW).await.unwrap();
}

#[actix_web::test]
async fn a_link_sets_a_password_once_and_ends_all_sign_ins() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await;
    let link = bench.auth.reset_link_of("ada@example.com").await.unwrap();
    assert_eq!((link.user_id, link.path.as_str()), (ada.user.id, format!("/reset#token={}", link.token).as_str()));
    assert!(is_in(&bench, &ada).await, "a link alone changes nothing");
    let reset = async |token: &str, new: &str| bench.auth.reset_password(token, new, somewhere()).await;
    for bad in ["", "nonsense", &ada.refresh_token, &"A".repeat(43)] {
        assert!(matches!(reset(bad, NEW).await, Err(AuthError::ResetRefused)), "{bad:?}");
    }
    assert!(matches!(reset(&link.token, "short").await, Err(AuthError::Invalid(_))));
    let both = join(reset(&link.token, NEW), reset(&link.token, "another new one")).await;
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    let set = if both.0.is_ok() { NEW } else { "another new one" };
    assert!(!is_in(&bench, &ada).await);
    assert_eq!(bench.signed_out()[0].reason, SignOutReason::Reset);
    assert!(bench.login("ada", PASSWORD).await.is_err());
    bench.login("ada", set).await.unwrap();
    assert!(matches!(reset(&link.token, NEW).await, Err(AuthError::ResetRefused)), "it was used");
    assert_eq!(bench.count("SELECT count(*) FROM password_resets").await, 0);
}

#[actix_web::test]
async fn only_the_newest_link_is_good_and_not_for_long() {
    let bench = Bench::with(|config| config.reset_link_s = 1_000).await;
    let ada = bench.register("ada").await;
    let reset = async |token: &str| bench.auth.reset_password(token, NEW, somewhere()).await;
    let refused = async |token: &str| matches!(reset(token).await, Err(AuthError::ResetRefused));
    let (old, late) = (bench.auth.reset_link_of("ada").await.unwrap(), bench.auth.reset_link_of("ada").await.unwrap());
    assert!(refused(&old.token).await);
    bench.clock.advance(Duration::from_secs(1_000));
    assert!(refused(&late.token).await);
    assert_eq!(bench.auth.delete_expired().await.unwrap(), 0);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.auth.delete_expired().await.unwrap(), 1);
    // A link is for the password that was forgotten, not for the next one.
    let link = bench.auth.reset_link_of("ada").await.unwrap();
    let ada = bench.refresh(&ada.refresh_token).await.unwrap();
    let caller = bench.auth.verify(&ada.access_token).await.unwrap();
    bench.auth.change_password(&caller, PASSWORD, NEW).await.unwrap();
    assert!(refused(&link.token).await);
    // And opens no disabled account.
    let link = bench.auth.reset_link_of("ada").await.unwrap();
    bench.auth.set_disabled("ada", true).await.unwrap();
    assert!(matches!(reset(&link.token).await, Err(AuthError::AccountDisabled)));
    let refused = bench.auth.reset_link_of("ada").await.err().unwrap();
    assert!(refused.to_string().contains("disabled"), "{refused}");
}

#[actix_web::test]
async fn a_link_is_stored_hashed() {
    let bench = Bench::new().await;
    bench.register("ada").await;
    let link = bench.auth.reset_link_of("ada").await.unwrap();
    let stored: String = sqlx::query_scalar("SELECT r::text || encode(hash, 'escape') FROM password_resets r")
        .fetch_one(bench.database.storage.engine())
        .await
        .unwrap();
    assert!(!stored.contains(&link.token), "{stored}");
}

#[actix_web::test]
async fn people_see_their_own_devices_and_sign_them_out() {
    let bench = Bench::new().await;
    let here = bench.register("ada").await;
    let phone = Device { id: Some("p1".into()), name: Some("Phone".into()) };
    bench.clock.advance(Duration::from_secs(60));
    let there = bench.auth.login("ada", PASSWORD, Some(&phone), somewhere()).await.unwrap();
    let ben = bench.register("ben").await;
    let caller = bench.auth.verify(&here.access_token).await.unwrap();
    let page = bench.auth.own_devices(&caller, None, 50).await.unwrap();
    let shown: Vec<_> = page.items.iter().map(|device| (device.name.as_deref(), device.current)).collect();
    assert_eq!((shown.as_slice(), page.next), ([(Some("Phone"), false), (None, true)].as_slice(), None));
    let first = bench.auth.own_devices(&caller, None, 1).await.unwrap();
    assert_eq!((first.items.len(), first.next), (1, Some(page.items[0].id)));
    let second = bench.auth.own_devices(&caller, first.next, 1).await.unwrap();
    assert_eq!((second.items.as_slice(), second.next), (&page.items[1..], None));

    let family_of =
        async |signed_in: &SignedIn| bench.auth.verify(&signed_in.access_token).await.unwrap().family_id.unwrap();
    let sign_out = async |family: FamilyId| bench.auth.sign_out(caller.user_id, family, caller.family_id).await;
    let bens = family_of(&ben).await;
    assert!(matches!(sign_out(bens).await, Err(AuthError::DeviceNotFound)), "somebody else's");
    assert!(is_in(&bench, &ben).await);
    let theirs = family_of(&there).await;
    for _ in 0..2 {
        sign_out(theirs).await.unwrap();
    }
    assert!(!is_in(&bench, &there).await && is_in(&bench, &here).await);
    sign_out(caller.family_id.unwrap()).await.unwrap();
    let reasons: Vec<_> = bench.signed_out().iter().map(|event| event.reason).collect();
    assert_eq!(reasons, [SignOutReason::Remote, SignOutReason::Logout]);
}

#[actix_web::test]
async fn an_operator_runs_accounts() {
    let bench = Bench::with(|config| config.registration = false).await;
    let ada = NewPerson {
        username: "ada",
        email: Some("ada@example.com"),
        full_name: Some("Ada Lovelace"),
        role: UserRole::Admin,
    };
    bench.auth.add(ada, PASSWORD).await.unwrap();
    let ben = NewPerson { username: "ben", email: None, full_name: None, role: UserRole::User };
    bench.auth.add(ben, PASSWORD).await.unwrap();
    for (person, password, word) in [
        (ada, PASSWORD, "already"),
        (NewPerson { username: "a b", ..ben }, PASSWORD, "username"),
        (NewPerson { username: "cleo", email: Some("cleo"), ..ben }, PASSWORD, "email"),
        (NewPerson { username: "cleo", ..ben }, "short", "at least 8"),
    ] {
        let refused = bench.auth.add(person, password).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{word}: {refused}");
    }
    let signed_in = bench.login("ada", PASSWORD).await.unwrap();
    assert_eq!(signed_in.user.role, UserRole::Admin);
    let listed = bench.auth.list("", "", 10).await.unwrap();
    let shown: Vec<_> = listed.iter().map(|person| (person.username.as_str(), person.role)).collect();
    assert_eq!(shown, [("ada", UserRole::Admin), ("ben", UserRole::User)]);
    assert!(listed[0].last_sign_in_at.is_some() && listed[1].last_sign_in_at.is_none());
    assert_eq!(bench.auth.list("EXAMPLE", "", 10).await.unwrap().len(), 1);
    assert_eq!(bench.auth.list("", "ada", 10).await.unwrap().len(), 1);

    bench.auth.set_password_of("ada", NEW).await.unwrap();
    assert!(!is_in(&bench, &signed_in).await);
    let (first, second) = (bench.login("ada", NEW).await.unwrap(), bench.login("ada", NEW).await.unwrap());
    let devices = bench.auth.devices_of("ada").await.unwrap();
    assert_eq!(devices.len(), 2);
    assert_eq!(bench.auth.sign_out_of("ada", Some(devices[0].id)).await.unwrap(), 1);
    let still = (is_in(&bench, &first).await, is_in(&bench, &second).await);
    assert!(still.0 != still.1);
    assert_eq!(bench.auth.sign_out_of("ada", None).await.unwrap(), 1);
    assert!(!is_in(&bench, &first).await && !is_in(&bench, &second).await);
    assert!(bench.auth.sign_out_of("ben", Some(devices[0].id)).await.is_err(), "somebody else's device");
    let reasons: Vec<_> = bench.signed_out().iter().map(|event| event.reason.as_str()).collect();
    assert_eq!(json!(reasons), json!(["password", "remote", "remote"]));
}
