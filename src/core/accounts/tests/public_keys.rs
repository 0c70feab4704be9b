//! Public keys of outside issuers: from files and URLs, renewed, and never mistaken for secrets.

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
use super::outside::{SECRET, accepting, claims, issuer};
use crate::accounts::AuthError;
use crate::accounts::config::ExternalIssuerConfig;

/// Made for these tests with `openssl genpkey -algorithm ed25519`.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHp1zUbuJF+VzkbVrWWX6DY3cDlRGNMPtZh61LyHjZ8D\n-----END PRIVATE KEY-----\n";
const OTHER_PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIBERERERERERERERERERERERERERERERERERERERERER\n-----END PRIVATE KEY-----\n";

/// The modulus of an RSA key, and a token that it signed (RS256, key id "rsa", subject "rsa", ten minutes) before
/// the private half was thrown away.
const RSA_MODULUS: &str = "vH0VuPGG9UrVs4eI4rJqOAwhQfIQf3PYkpUUk7255FJ6x3f79dfeWVBrQUZiK6NmxKeNMSkWXyCw3EsNfl7FPfh0ZWvnz3-eX10RQQgyUPvMD3ldd5nJqFQLjjrlUtKkxXGj3Ke1-clylO06Fb-PPgXY-M2FshaS2STXgBuJODYKBO4JztfhPmUkqBl5Bc-ttBx0lAGGmslUFunGOYd9COUF5S3JSofcTrwmTMUtOUGLBBqSMtIWJWWMiANHJLg913kVjz7pjBh9waVNaJcQsFfiYZZwY1hMrC8eSz40iYgiVMAFWVNMyfwYKnBjpYFKr9UymiUQgSRKOdc_q5bOCQ";
const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjoicGFybGFuY2Utd2ViIiwic3ViIjoicnNhIiwiZXhwIjoxODAwMDAwNjAwfQ.nB1PqBqB-mBvobYRo233aVChX5Xe5qnQlotYFV0ButDGhtf8BQ-CsQZgKFSUKAue0vNi2jefs86DkY6xIbwNpTBlK5No7eY3AeLDWS6zz6ogoUCXvdZaz9R_2Bk3x9UJUfFib-GPLXnNyzVO3VBezZ8M9yIiwi2559lxCHpz1ZBrzg_DeZj8ScXslANn5qBvGayZRjTRbKFa495qFCBep7nXWJ7fyvdK1brapskIMLw4twjapfhmRWr_nUnJE7PUwMa-0K_2rVaFMZIBU-gZ9EYn29JMqsK5rWybopfdC2FeGuG6K78VPTY_M_mr-6-6gIKKq6pEmb3Ve7I7H3vBxw";

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
async fn an_rsa_key_checks_rs256_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let key = json!({"kty": "RSA", "kid": "rsa", "alg": "RS256", "use": "sig", "n": RSA_MODULUS, "e": "AQAB"});
    std::fs::write(&file, json!({ "keys": [key] }).to_string()).unwrap();
    let config = ExternalIssuerConfig {
        algorithms: vec!["RS256".into(), "PS256".into()],
        hs256_secret: None,
        jwks_file: Some(file.display().to_string()),
        ..issuer()
    };
    let bench = Bench::with(accepting(config)).await;
    bench.auth.verify(RSA_TOKEN).await.unwrap();
    let (message, signature) = RSA_TOKEN.rsplit_once('.').unwrap();
    let claims = message.split_once('.').unwrap().1;
    let relabelled = |algorithm: &str| {
        let header = json!({"alg": algorithm, "kid": "rsa"}).to_string();
        format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode(header))
    };
    let modulus = URL_SAFE_NO_PAD.decode(RSA_MODULUS).unwrap();
    let header = Header { kid: Some("rsa".into()), ..Header::new(Algorithm::HS256) };
    let confused =
        |secret: &[u8]| jsonwebtoken::encode(&header, &self::claims("rsa"), &EncodingKey::from_secret(secret)).unwrap();
    let refused = [
        ("the modulus as an HMAC secret", confused(&modulus)),
        ("the modulus's text as an HMAC secret", confused(RSA_MODULUS.as_bytes())),
        ("an algorithm that the key is not for", relabelled("PS256")),
        ("HMAC over an RSA signature", relabelled("HS256")),
        ("no algorithm", relabelled("none")),
        ("no signature", format!("{message}.")),
        ("half a signature", format!("{message}.{}", &signature[..signature.len() / 2])),
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

#[actix_web::test]
async fn a_key_that_came_while_the_issuer_is_away_is_worth_another_try_and_soon_found() {
    let server = KeyServer::start(&json!([jwk("first", PRIVATE_KEY)]));
    let bench = server.bench().await;
    let (first, second) =
        (eddsa(&claims("1"), Some("first"), PRIVATE_KEY), eddsa(&claims("1"), Some("second"), OTHER_PRIVATE_KEY));
    bench.auth.verify(&first).await.unwrap();
    bench.clock.advance(Duration::from_secs(61));
    server.answer(StatusCode::BAD_GATEWAY, "");
    for _ in 0..3 {
        assert!(matches!(bench.auth.verify(&second).await, Err(AuthError::IssuerAway)));
    }
    assert_eq!(server.times_asked(), 2, "it is not asked for each token");
    bench.auth.verify(&first).await.unwrap();
    let both = json!({"keys": [jwk("first", PRIVATE_KEY), jwk("second", OTHER_PRIVATE_KEY)]}).to_string();
    server.answer(StatusCode::OK, both);
    bench.clock.advance(Duration::from_secs(5));
    bench.auth.verify(&second).await.unwrap();
    let forged = eddsa(&claims("1"), Some("forged"), PRIVATE_KEY);
    assert!(matches!(bench.auth.verify(&forged).await, Err(AuthError::TokenInvalid)), "it is there to be asked");
}
