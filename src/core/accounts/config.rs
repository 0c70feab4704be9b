//! `[auth]`: accounts, tokens and limits.

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

use parlance_foundation::checks::Complaints;
use parlance_foundation::storage::config::empty_is_none;

/// Accounts, tokens and limits; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    #[serde(deserialize_with = "empty_is_none")]
    pub token_secret: Option<String>,
    pub access_token_s: u64,
    pub refresh_token_s: u64,
    pub refresh_grace_s: u64,
    pub reset_link_s: u64,
    pub devices_max: u32,
    pub issuer: String,
    pub password_chars_min: usize,
    pub registration: bool,
    pub hash_threads: usize,
    pub hash_queue_max: usize,
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
    pub login_per_address_per_minute: u32,
    pub login_per_account_and_address_per_minute: u32,
    pub login_per_account_per_minute: u32,
    pub login_per_device_per_minute: u32,
    pub password_per_account_per_minute: u32,
    pub register_per_address_per_hour: u32,
    pub refresh_per_address_per_minute: u32,
    pub limit_keys_max: usize,
    pub recent_users_max: usize,
    pub jwks_timeout_ms: u64,
    pub jwks_bytes_max: usize,
    pub external: Vec<ExternalIssuerConfig>,
}

/// An outside issuer whose access tokens are accepted; its subjects become users here.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalIssuerConfig {
    /// The token's `iss`, compared exactly.
    pub issuer: String,
    /// The token's `aud` must hold this.
    pub audience: String,
    /// Signature algorithms accepted, such as `["RS256"]`; never taken from the token.
    pub algorithms: Vec<String>,
    /// Exactly one of the next three.
    #[serde(default)]
    pub hs256_secret: Option<String>,
    #[serde(default)]
    pub jwks_file: Option<String>,
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Create a user when a subject is first seen.
    #[serde(default = "yes")]
    pub create_users: bool,
}

fn yes() -> bool {
    true
}

impl AuthConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        let c = complaints;
        c.require(
            self.token_secret.as_ref().is_none_or(|secret| secret.chars().count() >= 32),
            "auth.token_secret",
            "empty or at least 32 characters",
        );
        c.require((5..=86_400).contains(&self.access_token_s), "auth.access_token_s", "between 5 and 86400 seconds");
        c.require(
            self.refresh_token_s > self.access_token_s && self.refresh_token_s <= 315_360_000,
            "auth.refresh_token_s",
            "more than auth.access_token_s and at most 315360000 seconds",
        );
        c.require(self.refresh_grace_s <= 300, "auth.refresh_grace_s", "at most 300 seconds (0: it works once)");
        c.require(
            (60..=31_536_000).contains(&self.reset_link_s),
            "auth.reset_link_s",
            "between 60 and 31536000 seconds",
        );
        c.require((1..=10_000).contains(&self.devices_max), "auth.devices_max", "between 1 and 10000");
        c.require(!self.issuer.is_empty(), "auth.issuer", "a name, such as \"parlance\"");
        c.require((1..=128).contains(&self.password_chars_min), "auth.password_chars_min", "between 1 and 128");
        c.require(self.hash_threads <= 64, "auth.hash_threads", "at most 64 (0 means one a core)");
        c.require((1..=10_000).contains(&self.hash_queue_max), "auth.hash_queue_max", "between 1 and 10000");
        c.require((8..=4_194_304).contains(&self.argon2_memory_kib), "auth.argon2_memory_kib", "between 8 and 4194304");
        c.require((1..=100).contains(&self.argon2_passes), "auth.argon2_passes", "between 1 and 100");
        for (key, value) in [
            ("auth.login_per_address_per_minute", self.login_per_address_per_minute),
            ("auth.login_per_account_and_address_per_minute", self.login_per_account_and_address_per_minute),
            ("auth.login_per_account_per_minute", self.login_per_account_per_minute),
            ("auth.login_per_device_per_minute", self.login_per_device_per_minute),
            ("auth.password_per_account_per_minute", self.password_per_account_per_minute),
            ("auth.register_per_address_per_hour", self.register_per_address_per_hour),
            ("auth.refresh_per_address_per_minute", self.refresh_per_address_per_minute),
        ] {
            c.require((1..=1_000_000).contains(&value), key, "between 1 and 1000000");
        }
        c.require(
            (1_000..=10_000_000).contains(&self.limit_keys_max),
            "auth.limit_keys_max",
            "between 1000 and 10000000",
        );
        c.require((1..=10_000_000).contains(&self.recent_users_max), "auth.recent_users_max", "between 1 and 10000000");
        c.require((100..=60_000).contains(&self.jwks_timeout_ms), "auth.jwks_timeout_ms", "between 100 and 60000");
        c.require(
            (1_024..=16_777_216).contains(&self.jwks_bytes_max),
            "auth.jwks_bytes_max",
            "between 1024 and 16777216",
        );
        for external in &self.external {
            external.check(&self.issuer, c);
        }
        let mut issuers: Vec<_> = self.external.iter().map(|external| &external.issuer).collect();
        issuers.sort_unstable();
        issuers.dedup();
        c.require(issuers.len() == self.external.len(), "auth.external.issuer", "different in each table");
    }

    pub fn mask(&mut self) {
        let secrets = self.external.iter_mut().filter_map(|external| external.hs256_secret.as_mut());
        for secret in secrets.chain(self.token_secret.as_mut()) {
            *secret = "***".into();
        }
    }
}

impl ExternalIssuerConfig {
    fn check(&self, own_issuer: &str, complaints: &mut Complaints) {
        let sources = [&self.hs256_secret, &self.jwks_file, &self.jwks_url].into_iter().flatten().count();
        complaints.require(
            (1..=500).contains(&self.issuer.chars().count()) && self.issuer != own_issuer,
            "auth.external.issuer",
            "the outside issuer's own name, not auth.issuer, of at most 500 characters",
        );
        complaints.require(
            !self.audience.is_empty(),
            "auth.external.audience",
            "the audience that its tokens carry for this engine",
        );
        complaints.require(sources == 1, "auth.external", "given exactly one of hs256_secret, jwks_file and jwks_url");
        complaints.require(
            self.hs256_secret.as_ref().is_none_or(|secret| secret.len() >= 32),
            "auth.external.hs256_secret",
            "at least 32 bytes; a shorter key can be guessed from any token",
        );
        complaints.require(
            self.jwks_url.as_deref().is_none_or(is_safe_url),
            "auth.external.jwks_url",
            "an https:// address (http:// only on this machine)",
        );
        let wanted = if self.hs256_secret.is_some() {
            "[\"HS256\"], the only algorithm of an hs256_secret"
        } else {
            "a list of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA"
        };
        complaints.require(self.algorithms_fit_the_key(), "auth.external.algorithms", wanted);
    }

    /// The accepted algorithms; names that are none were refused by `check`.
    pub fn parsed_algorithms(&self) -> Vec<Algorithm> {
        self.algorithms.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// Invariant: a public key is never accepted as an HMAC secret, whatever a token's header says.
    fn algorithms_fit_the_key(&self) -> bool {
        let parsed = self.parsed_algorithms();
        let is_hmac =
            |algorithm: &Algorithm| matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
        let fit = if self.hs256_secret.is_some() {
            parsed.iter().all(|algorithm| *algorithm == Algorithm::HS256)
        } else {
            !parsed.iter().any(is_hmac)
        };
        !parsed.is_empty() && parsed.len() == self.algorithms.len() && fit
    }
}

/// Keys that decide who is who must not come over a line that anybody can rewrite.
fn is_safe_url(url: &str) -> bool {
    let Ok(url) = url.parse::<reqwest::Url>() else { return false };
    match url.scheme() {
        "https" => true,
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlance_foundation::testing::defaults;

    fn complaint_about(external: Vec<ExternalIssuerConfig>) -> String {
        let mut complaints = Complaints::default();
        AuthConfig { external, ..defaults("auth") }.check(&mut complaints);
        complaints.into_result().map_or_else(|error| error.to_string(), |()| String::new())
    }

    fn with_jwks() -> ExternalIssuerConfig {
        ExternalIssuerConfig {
            issuer: "https://id.example.com".into(),
            audience: "parlance".into(),
            algorithms: vec!["RS256".into()],
            hs256_secret: None,
            jwks_file: None,
            jwks_url: Some("https://id.example.com/jwks.json".into()),
            create_users: true,
        }
    }

    #[test]
    fn a_public_key_is_never_paired_with_hmac() {
        assert_eq!(complaint_about(vec![with_jwks()]), "");
        for algorithms in [vec!["HS256"], vec!["RS256", "HS256"], vec!["none"], vec![]] {
            let algorithms: Vec<String> = algorithms.into_iter().map(str::to_owned).collect();
            let complaint = complaint_about(vec![ExternalIssuerConfig { algorithms, ..with_jwks() }]);
            assert!(complaint.contains("auth.external.algorithms must be"), "{complaint}");
        }
        let secret = ExternalIssuerConfig { jwks_url: None, hs256_secret: Some("x".repeat(32)), ..with_jwks() };
        assert!(complaint_about(vec![secret]).contains("auth.external.algorithms"));
    }

    #[test]
    fn keys_do_not_come_over_plain_http() {
        let plain = ExternalIssuerConfig { jwks_url: Some("http://id.example.com/jwks".into()), ..with_jwks() };
        assert!(complaint_about(vec![plain]).contains("auth.external.jwks_url"));
        let local = ExternalIssuerConfig { jwks_url: Some("http://127.0.0.1:9/jwks".into()), ..with_jwks() };
        assert_eq!(complaint_about(vec![local]), "");
    }

    #[test]
    fn an_issuer_is_configured_once() {
        assert!(complaint_about(vec![with_jwks(), with_jwks()]).contains("auth.external.issuer"));
    }
}
