//! Tokens of outside issuers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::bench::Bench;
use crate::auth::config::{AuthConfig, ExternalIssuerConfig};
use crate::auth::{AuthError, UserRole};

const ISSUER: &str = "https://id.example.com";
const SECRET: &str = "the-secret-of-the-outside-issuer-0123456789";
/// Made for these tests with `openssl genpkey -algorithm ed25519`.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHp1zUbuJF+VzkbVrWWX6DY3cDlRGNMPtZh61LyHjZ8D\n-----END PRIVATE KEY-----\n";
const OTHER_PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIBERERERERERERERERERERERERERERERERERERERERER\n-----END PRIVATE KEY-----\n";

fn issuer() -> ExternalIssuerConfig {
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

fn accepting(issuer: ExternalIssuerConfig) -> impl FnOnce(&mut AuthConfig) {
    |config| config.external = vec![issuer]
}

/// Of the bench's clock, valid for ten minutes.
fn claims(subject: &str) -> Value {
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

fn hs256(claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn eddsa(claims: &Value, key_id: Option<&str>, private_key: &str) -> String {
    let header = Header { kid: key_id.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_pem(private_key.as_bytes()).unwrap()).unwrap()
}

/// The public half of a private key as a JWK.
fn jwk(key_id: &str, private_key: &str) -> Value {
    let key = EncodingKey::from_ed_pem(private_key.as_bytes()).unwrap();
    let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
    jwk.common.key_id = Some(key_id.into());
    serde_json::to_value(jwk).unwrap()
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
    let token = hs256(&claims("1"));
    let callers = join_all((0..20).map(|_| bench.auth.verify(&token))).await;
    let first = callers[0].as_ref().unwrap().user_id;
    assert!(callers.iter().all(|caller| caller.as_ref().unwrap().user_id == first));
    assert_eq!(bench.count("SELECT count(*) FROM users").await, 1);
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

#[actix_web::test]
async fn a_public_key_is_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let key = jwk("first", PRIVATE_KEY);
    // A set may hold what we cannot use, and what we must not: a symmetric key.
    let symmetric = json!({"kty": "oct", "kid": "secret", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    std::fs::write(&file, json!({"keys": [key, symmetric, {"kty": "quantum"}]}).to_string()).unwrap();
    let config = ExternalIssuerConfig {
        algorithms: vec!["EdDSA".into()],
        hs256_secret: None,
        jwks_file: Some(file.display().to_string()),
        ..issuer()
    };
    let bench = Bench::with(accepting(config)).await;
    bench.auth.verify(&eddsa(&claims("1"), Some("first"), PRIVATE_KEY)).await.unwrap();
    bench.auth.verify(&eddsa(&claims("1"), None, PRIVATE_KEY)).await.unwrap();

    let public_bytes = key["x"].as_str().unwrap();
    let confused = |key: &[u8], key_id: &str| {
        let header = Header { kid: Some(key_id.into()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims("1"), &EncodingKey::from_secret(key)).unwrap()
    };
    let refused = [
        ("the public key as an HMAC secret", confused(&URL_SAFE_NO_PAD.decode(public_bytes).unwrap(), "first")),
        ("the public key's text as a secret", confused(public_bytes.as_bytes(), "first")),
        ("a symmetric key of the set", confused(SECRET.as_bytes(), "secret")),
        ("another private key", eddsa(&claims("1"), Some("first"), OTHER_PRIVATE_KEY)),
        ("an unknown key id", eddsa(&claims("1"), Some("second"), PRIVATE_KEY)),
    ];
    for (what, token) in refused {
        assert!(matches!(bench.auth.verify(&token).await, Err(AuthError::TokenInvalid)), "{what}");
    }
}

#[actix_web::test]
async fn a_new_key_in_the_file_is_found_within_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let write = |keys: Value| std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    write(json!([jwk("first", PRIVATE_KEY)]));
    let config = ExternalIssuerConfig {
        algorithms: vec!["EdDSA".into()],
        hs256_secret: None,
        jwks_file: Some(file.display().to_string()),
        ..issuer()
    };
    let bench = Bench::with(accepting(config)).await;
    let second = eddsa(&claims("1"), Some("second"), OTHER_PRIVATE_KEY);
    assert!(bench.auth.verify(&second).await.is_err());
    write(json!([jwk("first", PRIVATE_KEY), jwk("second", OTHER_PRIVATE_KEY)]));
    assert!(bench.auth.verify(&second).await.is_err(), "it was read a moment ago");
    bench.clock.advance(Duration::from_secs(60));
    bench.auth.verify(&second).await.unwrap();
    // A broken file leaves the last good keys in force.
    std::fs::write(&file, "{").unwrap();
    bench.clock.advance(Duration::from_secs(3_600));
    let mut later = claims("1");
    later["exp"] = json!(1_800_010_000);
    bench.auth.verify(&eddsa(&later, Some("first"), PRIVATE_KEY)).await.unwrap();
}

/// An issuer's key server on the loopback.
struct KeyServer {
    url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl KeyServer {
    fn start(keys: &Value) -> Self {
        let answer = Arc::new(Mutex::new((StatusCode::OK, json!({ "keys": keys }).to_string())));
        let asked = Arc::new(AtomicUsize::new(0));
        let state = (Arc::clone(&answer), Arc::clone(&asked));
        let server = HttpServer::new(move || {
            let (answer, asked) = state.clone();
            App::new().default_service(web::to(move || {
                asked.fetch_add(1, Ordering::SeqCst);
                let (status, body) = answer.lock().unwrap().clone();
                let location = ("location", "https://example.com/");
                async move { HttpResponse::build(status).insert_header(location).body(body) }
            }))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/jwks.json", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Self { url, answer, asked }
    }

    fn answer(&self, status: StatusCode, body: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, body.into());
    }

    fn times_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn bench(&self) -> Bench {
        let config = ExternalIssuerConfig {
            algorithms: vec!["EdDSA".into()],
            hs256_secret: None,
            jwks_url: Some(self.url.clone()),
            ..issuer()
        };
        Bench::with(accepting(config)).await
    }
}

#[actix_web::test]
async fn keys_behind_a_url_are_fetched_once_and_forged_key_ids_do_not_hammer_it() {
    let server = KeyServer::start(&json!([jwk("first", PRIVATE_KEY)]));
    let bench = server.bench().await;
    assert_eq!(server.times_asked(), 0, "not before a token needs it");
    let tokens: Vec<_> = (0..20).map(|n| eddsa(&claims(&n.to_string()), Some("first"), PRIVATE_KEY)).collect();
    for result in join_all(tokens.iter().map(|token| bench.auth.verify(token))).await {
        result.unwrap();
    }
    assert_eq!(server.times_asked(), 1);
    let forged: Vec<_> = (0..20).map(|n| eddsa(&claims("1"), Some(&format!("forged-{n}")), PRIVATE_KEY)).collect();
    for result in join_all(forged.iter().map(|token| bench.auth.verify(token))).await {
        assert!(matches!(result, Err(AuthError::TokenInvalid)));
    }
    assert_eq!(server.times_asked(), 1, "within the minute");
    bench.clock.advance(Duration::from_secs(61));
    for token in &forged {
        assert!(bench.auth.verify(token).await.is_err());
    }
    assert_eq!(server.times_asked(), 2);
}

#[actix_web::test]
async fn an_issuer_that_is_away_or_hostile_is_worth_another_try_later() {
    let server = KeyServer::start(&json!([]));
    let bench = server.bench().await;
    let token = eddsa(&claims("1"), Some("first"), PRIVATE_KEY);
    let good = json!({"keys": [jwk("first", PRIVATE_KEY)]}).to_string();
    let useless = [
        (StatusCode::INTERNAL_SERVER_ERROR, good.clone()),
        // To another place, perhaps without TLS.
        (StatusCode::FOUND, good.clone()),
        (StatusCode::OK, "not JSON".to_owned()),
        (StatusCode::OK, format!("{good}{}", " ".repeat(262_144))),
    ];
    for (status, body) in useless {
        server.answer(status, body);
        assert!(matches!(bench.auth.verify(&token).await, Err(AuthError::IssuerAway)), "{status}");
        bench.clock.advance(Duration::from_secs(61));
    }
    server.answer(StatusCode::OK, good);
    bench.auth.verify(&token).await.unwrap();
}
