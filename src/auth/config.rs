//! `[auth]`: accounts, tokens and limits.

use serde::{Deserialize, Serialize};

use crate::config::Complaints;
use crate::storage::config::empty_is_none;

/// Accounts, tokens and limits; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    #[serde(deserialize_with = "empty_is_none")]
    pub token_secret: Option<String>,
    pub access_token_s: u64,
    pub refresh_token_s: u64,
    pub issuer: String,
    pub password_chars_min: usize,
    pub registration: bool,
    pub hash_threads: usize,
    pub hash_queue_max: usize,
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
    pub login_per_address_per_minute: u32,
    pub login_per_account_per_minute: u32,
    pub register_per_address_per_hour: u32,
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
    pub(crate) fn check(&self, complaints: &mut Complaints) {
        let c = complaints;
        c.require(
            self.token_secret.as_ref().is_none_or(|secret| secret.chars().count() >= 32),
            "auth.token_secret",
            "empty or at least 32 characters",
        );
        c.require((5..=86_400).contains(&self.access_token_s), "auth.access_token_s", "between 5 and 86400 seconds");
        c.require(self.refresh_token_s > self.access_token_s, "auth.refresh_token_s", "more than auth.access_token_s");
        c.require(!self.issuer.is_empty(), "auth.issuer", "a name, such as \"parlance\"");
        c.require((1..=128).contains(&self.password_chars_min), "auth.password_chars_min", "between 1 and 128");
        c.require(self.hash_threads <= 64, "auth.hash_threads", "at most 64 (0 means one a core)");
        c.require((1..=10_000).contains(&self.hash_queue_max), "auth.hash_queue_max", "between 1 and 10000");
        c.require((8..=4_194_304).contains(&self.argon2_memory_kib), "auth.argon2_memory_kib", "between 8 and 4194304");
        c.require((1..=100).contains(&self.argon2_passes), "auth.argon2_passes", "between 1 and 100");
        for (key, value) in [
            ("auth.login_per_address_per_minute", self.login_per_address_per_minute),
            ("auth.login_per_account_per_minute", self.login_per_account_per_minute),
            ("auth.register_per_address_per_hour", self.register_per_address_per_hour),
        ] {
            c.require((1..=1_000_000).contains(&value), key, "between 1 and 1000000");
        }
        for external in &self.external {
            external.check(&self.issuer, c);
        }
    }

    pub(crate) fn mask(&mut self) {
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
            !self.issuer.is_empty() && self.issuer != own_issuer,
            "auth.external.issuer",
            "the outside issuer's own name, not auth.issuer",
        );
        complaints.require(
            !self.audience.is_empty(),
            "auth.external.audience",
            "the audience that its tokens carry for this engine",
        );
        complaints.require(sources == 1, "auth.external", "given exactly one of hs256_secret, jwks_file and jwks_url");
        complaints.require(!self.algorithms.is_empty(), "auth.external.algorithms", "a list such as [\"RS256\"]");
    }
}
