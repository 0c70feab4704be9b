//! An issuer of tokens outside of the engine, whose public keys are in a file.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use crate::accounts::config::ExternalIssuerConfig;

const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "parlance-tests";

/// Made for these tests with `openssl genpkey -algorithm ed25519`.
const PRIVATE_KEYS: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHp1zUbuJF+VzkbVrWWX6DY3cDlRGNMPtZh61LyHjZ8D\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIBERERERERERERERERERERERERERERERERERERERERER\n-----END PRIVATE KEY-----\n",
];

/// See the module. Goes with its keys when it is dropped.
pub struct OutsideIssuer {
    keys: tempfile::NamedTempFile,
}

impl OutsideIssuer {
    /// With the first of its two keys published.
    pub fn new() -> Self {
        let issuer = Self { keys: tempfile::NamedTempFile::new().unwrap() };
        issuer.publish(1);
        issuer
    }

    /// From now on the first `count` keys can be had; with none, they cannot be read.
    pub fn publish(&self, count: usize) {
        let keys: Vec<_> = (0..count).map(jwk).collect();
        let text = if count == 0 { String::new() } else { json!({ "keys": keys }).to_string() };
        std::fs::write(self.keys.path(), text).unwrap();
    }

    /// How an engine is told to accept it.
    pub fn config(&self) -> ExternalIssuerConfig {
        ExternalIssuerConfig {
            issuer: ISSUER.into(),
            audience: AUDIENCE.into(),
            algorithms: vec!["EdDSA".into()],
            hs256_secret: None,
            jwks_file: Some(self.keys.path().display().to_string()),
            jwks_url: None,
            create_users: true,
        }
    }

    /// A token signed with one of the keys.
    pub fn token(&self, subject: &str, expires_at: DateTime<Utc>, key: usize) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "preferred_username": subject,
            "exp": expires_at.timestamp(),
        });
        let header = Header { kid: Some(format!("key-{key}")), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &private_key(key)).unwrap()
    }
}

fn private_key(key: usize) -> EncodingKey {
    EncodingKey::from_ed_pem(PRIVATE_KEYS[key].as_bytes()).unwrap()
}

fn jwk(key: usize) -> serde_json::Value {
    let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&private_key(key), Algorithm::EdDSA).unwrap();
    jwk.common.key_id = Some(format!("key-{key}"));
    serde_json::to_value(jwk).unwrap()
}
