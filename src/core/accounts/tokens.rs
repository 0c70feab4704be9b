//! Our own tokens: access tokens (a signed JWT, checked without a database) and refresh tokens (stored hashed).
//!
//! The first refresh token of a sign-in is random. Each next one is made of the one before, under our key: so the engine
//! can answer with it again, although it keeps only its hash, and whoever has the database or the older token, but not
//! the key, cannot make it. All engines with the same key make the same; one with another key makes another.
//!
//! Pure but for randomness. Invariants: only HS256 under our key is accepted, whatever the header says; times are
//! compared with the engine's clock; a refresh token is never stored or logged, only its SHA-256.

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::UserRole;
use super::error::AuthError;
use parlance_foundation::ids::{FamilyId, UserId};

/// Whom our access tokens are for: this engine itself.
const AUDIENCE: &str = "parlance";
/// Those of outside issuers hold the most; beyond this it is no token.
pub(super) const TOKEN_BYTES_MAX: usize = 8_192;

/// Signs and checks our access tokens.
pub(super) struct AccessTokens {
    issuer: String,
    life_s: u64,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    succession: Hmac<Sha256>,
}

/// Whom a token names and until when: a signature proves no more. Whether they may still come in, Postgres says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) user_id: UserId,
    /// `None` for a token of an outside issuer.
    pub(super) family_id: Option<FamilyId>,
    pub(super) expires_at: DateTime<Utc>,
}

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    /// The family of the sign-in that it came from.
    sid: FamilyId,
    /// For clients to show; here, Postgres is asked.
    role: UserRole,
    /// Seconds since 1970.
    iat: i64,
    /// Seconds since 1970.
    exp: i64,
}

impl AccessTokens {
    pub(super) fn new(issuer: &str, life_s: u64, secret: &str) -> anyhow::Result<Self> {
        ensure!(secret.chars().count() >= 32, "the key of access tokens has at least 32 characters");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        // The library asks the system for the time; we ask our clock, below.
        validation.validate_exp = false;
        // A key of its own, made of the secret, so that no signature of a JWT ever is a refresh token.
        let key = hmac(secret.as_bytes())?.chain_update("parlance: successors of refresh tokens").finalize();
        Ok(Self {
            issuer: issuer.to_owned(),
            life_s,
            signing: EncodingKey::from_secret(secret.as_bytes()),
            checking: DecodingKey::from_secret(secret.as_bytes()),
            validation,
            succession: hmac(&key.into_bytes())?,
        })
    }

    /// Seconds that an access token lives.
    pub(super) fn life_s(&self) -> u64 {
        self.life_s
    }

    pub(super) fn is_ours(&self, issuer: &str) -> bool {
        self.issuer == issuer
    }

    pub(super) fn sign(
        &self,
        user: UserId,
        family: FamilyId,
        role: UserRole,
        now: DateTime<Utc>,
    ) -> Result<String, AuthError> {
        let iat = now.timestamp();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            sid: family,
            role,
            iat,
            exp: iat.saturating_add_unsigned(self.life_s),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|error| AuthError::Internal(format!("signing a token: {error}")))
    }

    /// The token that follows `token` in its family: always the same one.
    pub(super) fn successor(&self, token: &RefreshToken) -> RefreshToken {
        let bytes = self.succession.clone().chain_update(&token.0).finalize().into_bytes();
        RefreshToken(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whose token it is; whether its family was signed out is for the caller to check.
    pub(super) fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Bearer, AuthError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation).map_err(refusal)?.claims;
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(AuthError::TokenInvalid)?;
        if expires_at <= now {
            return Err(AuthError::TokenExpired);
        }
        Ok(Bearer { user_id: claims.sub, family_id: Some(claims.sid), expires_at })
    }
}

fn hmac(key: &[u8]) -> anyhow::Result<Hmac<Sha256>> {
    Hmac::new_from_slice(key).context("a key of any length would do")
}

/// Why a JWT was refused is for our log; the client hears that it is not valid.
pub(super) fn refusal(error: jsonwebtoken::errors::Error) -> AuthError {
    match error.kind() {
        ErrorKind::ExpiredSignature => AuthError::TokenExpired,
        _ => {
            tracing::debug!(%error, "an access token was refused");
            AuthError::TokenInvalid
        }
    }
}

/// The `iss` that a token claims, before anything is checked: good for choosing whose key must fit, no more.
pub(super) fn claimed_issuer(token: &str) -> Result<String, AuthError> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(AuthError::TokenInvalid);
    }
    let claims: Issuer = jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(refusal)?;
    Ok(claims.iss)
}

/// A refresh token: 256 bits that nobody can guess, as text, for the client alone.
pub(super) struct RefreshToken(String);

/// What is stored of a refresh token.
pub(super) type RefreshHash = [u8; 32];

impl RefreshToken {
    pub(super) fn random() -> Self {
        Self(parlance_foundation::secret_file::random_text())
    }

    pub(super) fn hash(&self) -> RefreshHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Reads what a client sent; anything that is not 256 bits of base64url was never given out.
    pub(super) fn parse(text: &str) -> Result<Self, AuthError> {
        let is_ours = text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok();
        if is_ours { Ok(Self(text.to_owned())) } else { Err(AuthError::RefreshRefused) }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use parlance_foundation::clock::Clock;

    const SECRET: &str = "a-secret-of-at-least-32-characters!";

    fn tokens() -> AccessTokens {
        AccessTokens::new("parlance", 900, SECRET).unwrap()
    }

    fn clock() -> Clock {
        Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
    }

    fn claims() -> Value {
        json!({
            "iss": "parlance", "aud": "parlance", "role": "user", "iat": 1_800_000_000, "exp": 1_800_000_900,
            "sub": "0198c5f0-0000-7000-8000-000000000001", "sid": "0198c5f0-0000-7000-8000-000000000002",
        })
    }

    fn signed(algorithm: Algorithm, claims: &Value, secret: &str) -> String {
        jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    #[test]
    fn a_token_says_who_signed_in_until_it_expires() {
        let (tokens, clock) = (tokens(), clock());
        let (user, family) = (UserId::new(&clock), FamilyId::new(&clock));
        let token = tokens.sign(user, family, UserRole::Admin, clock.now()).unwrap();
        let bearer = tokens.check(&token, clock.now()).unwrap();
        let expires_at = clock.now() + Duration::from_secs(900);
        assert_eq!(bearer, Bearer { user_id: user, family_id: Some(family), expires_at });
        clock.advance(Duration::from_secs(899));
        tokens.check(&token, clock.now()).unwrap();
        clock.advance(Duration::from_secs(1));
        assert!(matches!(tokens.check(&token, clock.now()), Err(AuthError::TokenExpired)));
    }

    #[test]
    fn forgeries_are_refused() {
        let (tokens, now) = (tokens(), clock().now());
        let genuine = signed(Algorithm::HS256, &claims(), SECRET);
        tokens.check(&genuine, now).unwrap();
        let changed = |field: &str, value: Value| {
            let mut claims = claims();
            claims[field] = value;
            signed(Algorithm::HS256, &claims, SECRET)
        };
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}.", part(json!({"alg": "none", "typ": "JWT"})), part(claims()));
        let mut parts: Vec<&str> = genuine.split('.').collect();
        let swapped_claims = part(json!({"role": "admin"}));
        parts[1] = &swapped_claims;
        let forgeries = [
            ("unsigned", unsigned),
            ("unsigned with a signature", format!("{}.{}.{}", part(json!({"alg": "none"})), part(claims()), parts[2])),
            ("another key", signed(Algorithm::HS256, &claims(), &SECRET.to_uppercase())),
            ("another algorithm", signed(Algorithm::HS512, &claims(), SECRET)),
            ("other claims under the signature", parts.join(".")),
            ("another audience", changed("aud", json!("elsewhere"))),
            ("another issuer", changed("iss", json!("elsewhere"))),
            ("a list of issuers", changed("iss", json!(["parlance", "elsewhere"]))),
            ("no subject", changed("sub", Value::Null)),
            ("a subject that is no id", changed("sub", json!("ada"))),
            ("no expiry", changed("exp", Value::Null)),
            ("an expiry beyond time", changed("exp", json!(i64::MAX))),
            ("a role that is none", changed("role", json!("root"))),
            ("nothing", String::new()),
            ("dots", "..".to_owned()),
            ("too long", format!("{genuine}{}", "A".repeat(TOKEN_BYTES_MAX))),
        ];
        for (what, token) in forgeries {
            assert!(matches!(tokens.check(&token, now), Err(AuthError::TokenInvalid)), "{what} was accepted");
        }
    }

    #[test]
    fn a_refresh_token_is_256_bits_and_has_one_successor() {
        let token = RefreshToken::random();
        let (hash, text) = (token.hash(), token.into_text());
        assert_eq!(RefreshToken::parse(&text).unwrap().hash(), hash);
        assert_ne!(RefreshToken::random().hash(), hash);
        let (keys, other) = (tokens(), AccessTokens::new("parlance", 900, &SECRET.to_uppercase()).unwrap());
        let token = RefreshToken::parse(&text).unwrap();
        let (next, again) = (keys.successor(&token), tokens().successor(&token));
        assert_eq!(RefreshToken::parse(&next.0).unwrap().hash(), again.hash(), "the same after a restart");
        assert_ne!(next.hash(), token.hash());
        assert_ne!(keys.successor(&next).hash(), next.hash());
        assert_ne!(other.successor(&token).hash(), next.hash(), "nobody makes it without the key");
        for bad in ["", "short", &"!".repeat(43), &format!("{text}A"), &"é".repeat(22)] {
            assert!(matches!(RefreshToken::parse(bad), Err(AuthError::RefreshRefused)), "{bad:?}");
        }
    }
}
