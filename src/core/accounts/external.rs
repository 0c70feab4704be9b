//! Tokens of outside issuers: which are accepted, and what they say.
//!
//! Invariants: the algorithms come from the configuration, never from the token; a token is checked against the
//! keys of the issuer that it names and of no other; nothing in it grants a role.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::config::{AuthConfig, ExternalIssuerConfig};
use super::error::AuthError;
use super::jwks::Jwks;
use super::tokens::{TOKEN_BYTES_MAX, refusal};
use parlance_foundation::clock::Clock;

/// How far, in seconds, the clock of an outside issuer may be from ours.
const LEEWAY_S: i64 = 30;
const SUBJECT_CHARS_MAX: usize = 255;

/// Everyone whose tokens are accepted beside our own.
pub(super) struct ExternalIssuers {
    issuers: Vec<ExternalIssuer>,
    clock: Clock,
}

struct ExternalIssuer {
    name: String,
    algorithms: Vec<Algorithm>,
    /// Holds no algorithm: that of the token is put in after it was found in `algorithms`.
    validation: Validation,
    keys: Keys,
    create_users: bool,
}

enum Keys {
    Secret(DecodingKey),
    Jwks(Jwks),
}

/// Somebody whom an outside issuer vouches for.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) issuer: String,
    pub(super) subject: String,
    /// What the issuer calls them, to derive a username from.
    pub(super) nickname: Option<String>,
    pub(super) full_name: Option<String>,
    pub(super) picture: Option<String>,
    pub(super) expires_at: DateTime<Utc>,
    /// Whether the subject becomes a user when first seen.
    pub(super) create_user: bool,
}

/// The registered claims that we check, and those of OpenID Connect that make a first profile. The latter are
/// read loosely: an issuer that puts something else there still vouches for its subject.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    #[serde(default)]
    preferred_username: Value,
    #[serde(default)]
    nickname: Value,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    picture: Value,
}

impl ExternalIssuers {
    /// Reads secrets and key files; keys behind a URL are fetched when a token first asks for them, so that an
    /// issuer that is away does not keep the engine from starting.
    pub(super) fn new(config: &AuthConfig, clock: &Clock) -> anyhow::Result<Self> {
        let issuers = config.external.iter().map(|external| ExternalIssuer::new(external, config, clock));
        Ok(Self { issuers: issuers.collect::<anyhow::Result<_>>()?, clock: clock.clone() })
    }

    /// Whom `token` vouches for; `issuer` is whom it claims to be from.
    pub(super) async fn check(&self, issuer: &str, token: &str) -> Result<Subject, AuthError> {
        let known = self.issuers.iter().find(|known| known.name == issuer).ok_or(AuthError::TokenInvalid)?;
        known.check(token, self.clock.now()).await
    }
}

impl ExternalIssuer {
    fn new(config: &ExternalIssuerConfig, auth: &AuthConfig, clock: &Clock) -> anyhow::Result<Self> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.algorithms = Vec::new();
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        // The library asks the system for the time; we ask our clock.
        validation.validate_exp = false;
        let keys = match &config.hs256_secret {
            Some(secret) => Keys::Secret(DecodingKey::from_secret(secret.as_bytes())),
            None => Keys::Jwks(Jwks::new(config, auth, clock)?),
        };
        Ok(Self {
            name: config.issuer.clone(),
            algorithms: config.parsed_algorithms(),
            validation,
            keys,
            create_users: config.create_users,
        })
    }

    async fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Subject, AuthError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AuthError::TokenInvalid);
        }
        let header = decode_header(token).map_err(refusal)?;
        // What else it says must be understood, we do not (RFC 7515, section 4.1.11).
        if !self.algorithms.contains(&header.alg) || header.crit.is_some() {
            return Err(AuthError::TokenInvalid);
        }
        let key = match &self.keys {
            Keys::Secret(secret) => secret.clone(),
            Keys::Jwks(jwks) => jwks.key(header.kid.as_deref(), header.alg).await?,
        };
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(refusal)?.claims;
        let expires_at = time(claims.exp)?;
        if expires_at.timestamp().saturating_add(LEEWAY_S) <= now.timestamp() {
            return Err(AuthError::TokenExpired);
        }
        if let Some(nbf) = claims.nbf
            && time(nbf)?.timestamp() > now.timestamp() + LEEWAY_S
        {
            return Err(AuthError::TokenInvalid);
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let storable = (1..=SUBJECT_CHARS_MAX).contains(&claims.sub.chars().count());
        if !storable || claims.sub.chars().any(char::is_control) {
            return Err(AuthError::TokenInvalid);
        }
        Ok(Subject {
            issuer: self.name.clone(),
            nickname: [&claims.preferred_username, &claims.nickname, &claims.name].into_iter().find_map(text),
            full_name: text(&claims.name),
            picture: text(&claims.picture),
            subject: claims.sub,
            expires_at,
            create_user: self.create_users,
        })
    }
}

/// A NumericDate (RFC 7519, 2): seconds since 1970, possibly with a fraction.
fn time(seconds: f64) -> Result<DateTime<Utc>, AuthError> {
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond i64 saturates, and is then no date")]
    DateTime::from_timestamp(seconds as i64, 0).ok_or(AuthError::TokenInvalid)
}
