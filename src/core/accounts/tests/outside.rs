//! Subjects of outside issuers: what their tokens must say, and who they become.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::bench::Bench;
use crate::accounts::config::{AuthConfig, ExternalIssuerConfig};
use crate::accounts::{AuthError, UserRole};

const ISSUER: &str = "https://id.example.com";
pub(super) const SECRET: &str = "the-secret-of-the-outside-issuer-0123456789";

pub(super) fn issuer() -> ExternalIssuerConfig {
    ExternalIssuerConfig {
        issuer: ISSUER.into(),
        audience: "parlance-web".into(),
        algorithms: vec!["HS256".into()],
        hs256_secret: Some(SECRET.into()),
        jwks_file: None,
        jwks_url: None,
        create_users: true,
    }
}

pub(super) fn accepting(issuer: ExternalIssuerConfig) -> impl FnOnce(&mut AuthConfig) {
    |config| config.external = vec![issuer]
}

/// Of the bench's clock, valid for ten minutes.
pub(super) fn claims(subject: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": ["parlance-web", "other"], "sub": subject, "exp": 1_800_000_600,
        "preferred_username": "Ada L.", "name": "Ada Lovelace", "picture": "https://cdn.example.com/ada.png",
        "role": "admin", "email": "ada@example.com",
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims("1");
    claims[field] = value;
    claims
}

pub(super) fn hs256(claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

#[actix_web::test]
async fn a_subject_becomes_a_user_on_first_sight_and_stays_that_user() {
    let bench = Bench::with(accepting(issuer())).await;
    let caller = bench.auth.verify(&hs256(&claims("1"))).await.unwrap();
    assert_eq!((caller.role, caller.family_id), (UserRole::User, None), "the token's own role counts for nothing");
    let own = bench.auth.own_user(caller.user_id).await.unwrap();
    assert_eq!((own.username.as_str(), own.full_name.as_deref()), ("Ada.L.", Some("Ada Lovelace")));
    assert_eq!((own.avatar_url.as_deref(), own.email), (Some("https://cdn.example.com/ada.png"), None));
    assert_eq!(bench.auth.verify(&hs256(&claims("1"))).await.unwrap().user_id, caller.user_id);
    let other = bench.auth.verify(&hs256(&claims("2"))).await.unwrap();
    assert_ne!(other.user_id, caller.user_id);
    assert!(bench.auth.own_user(other.user_id).await.unwrap().username.starts_with("Ada.L.-"), "made unique");
}

#[actix_web::test]
async fn an_email_in_a_token_opens_nobodys_account() {
    let bench = Bench::with(accepting(issuer())).await;
    let ada = bench.register("ada").await;
    let caller = bench.auth.verify(&hs256(&claims("1"))).await.unwrap();
    assert_ne!(caller.user_id, ada.user.id);
}

#[actix_web::test]
async fn twenty_connections_of_a_new_subject_are_one_user() {
    let bench = Bench::with(accepting(issuer())).await;
    // The name that the token suggests is taken, so that each connection would make up another.
    bench.auth.verify(&hs256(&claims("0"))).await.unwrap();
    let token = hs256(&claims("1"));
    let callers = join_all((0..20).map(|_| bench.auth.verify(&token))).await;
    let first = callers[0].as_ref().unwrap().user_id;
    assert!(callers.iter().all(|caller| caller.as_ref().unwrap().user_id == first));
    assert_eq!(bench.count("SELECT count(*) FROM users").await, 2);
}

#[actix_web::test]
async fn a_token_that_is_not_right_in_everything_is_refused() {
    let bench = Bench::with(accepting(issuer())).await;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let forged = |key: &str, algorithm| {
        let key = EncodingKey::from_secret(key.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), &claims("1"), &key).unwrap()
    };
    let refused = [
        ("unsigned", format!("{}.{}.", part(json!({"alg": "none"})), part(claims("1")))),
        ("another key", forged("another-secret-of-the-right-length-012345", Algorithm::HS256)),
        ("an algorithm that is not allowed", forged(SECRET, Algorithm::HS512)),
        ("another audience", hs256(&with("aud", json!("other")))),
        ("no audience", hs256(&with("aud", Value::Null))),
        ("another issuer", hs256(&with("iss", json!("https://id.example.org")))),
        ("no subject", hs256(&with("sub", Value::Null))),
        ("an empty subject", hs256(&with("sub", json!("")))),
        ("a subject that cannot be stored", hs256(&with("sub", json!("a\u{0}b")))),
        ("a long subject", hs256(&with("sub", json!("x".repeat(256))))),
        ("no expiry", hs256(&with("exp", Value::Null))),
        ("an endless expiry", hs256(&with("exp", json!(1e300)))),
        ("not valid yet", hs256(&with("nbf", json!(1_800_000_100)))),
    ];
    for (what, token) in refused {
        let result = bench.auth.verify(&token).await;
        assert!(matches!(result, Err(AuthError::TokenInvalid)), "{what}: {result:?}");
    }
    bench.clock.advance(Duration::from_secs(629));
    bench.auth.verify(&hs256(&claims("1"))).await.unwrap();
    bench.clock.advance(Duration::from_secs(1));
    assert!(matches!(bench.auth.verify(&hs256(&claims("1"))).await, Err(AuthError::TokenExpired)));
}

#[actix_web::test]
async fn hostile_profiles_do_not_keep_a_subject_out_or_get_in() {
    let bench = Bench::with(accepting(issuer())).await;
    for (id, name) in
        [json!("\u{0}\n"), json!(7), json!(["x"]), json!("<script>"), json!("🦄".repeat(500))].iter().enumerate()
    {
        let mut claims = claims(&format!("subject-{id}"));
        (claims["preferred_username"], claims["name"]) = (name.clone(), name.clone());
        claims["picture"] = json!("javascript:alert(1)");
        let caller = bench.auth.verify(&hs256(&claims)).await.unwrap();
        let own = bench.auth.own_user(caller.user_id).await.unwrap();
        assert_eq!(own.avatar_url, None);
    }
}

#[actix_web::test]
async fn without_create_users_only_known_subjects_come_in() {
    let mut bench = Bench::with(accepting(issuer())).await;
    let known = bench.auth.verify(&hs256(&claims("1"))).await.unwrap();
    bench.config.external[0].create_users = false;
    bench.auth = bench.restarted().await;
    assert_eq!(bench.auth.verify(&hs256(&claims("1"))).await.unwrap().user_id, known.user_id);
    assert!(matches!(bench.auth.verify(&hs256(&claims("2"))).await, Err(AuthError::TokenInvalid)));
}

#[actix_web::test]
async fn a_disabled_subject_is_refused_at_once() {
    let bench = Bench::with(accepting(issuer())).await;
    let token = hs256(&claims("1"));
    bench.auth.verify(&token).await.unwrap();
    bench.auth.set_disabled("Ada.L.", true).await.unwrap();
    assert!(matches!(bench.auth.verify(&token).await, Err(AuthError::AccountDisabled)));
}
