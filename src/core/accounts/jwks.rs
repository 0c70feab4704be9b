//! The public keys of an outside issuer (RFC 7517), from a file or a URL.
//!
//! Keys are kept and used for an hour; an unknown key id reads them again, but at most once a minute, so that
//! forged key ids cannot make us hammer the issuer. While an issuer is away its last keys stay in force, and it is asked
//! again every few seconds for a key that is not among them: whoever has a token of that key comes back later, and is
//! not told that it is bad.
//! Invariants: a symmetric key is never taken from here; one fetch runs at a time, bounded in time and bytes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use arc_swap::ArcSwap;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::config::{AuthConfig, ExternalIssuerConfig};
use super::error::AuthError;
use parlance_foundation::clock::Clock;

const FRESH_FOR: Duration = Duration::from_secs(3_600);
const PAUSE_BETWEEN_FETCHES: Duration = Duration::from_secs(60);
/// The same after one that failed: well within the minute that a session has left when its token has run out.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
const KEYS_MAX: usize = 100;

/// The keys of one issuer.
pub(super) struct Jwks {
    issuer: String,
    source: Source,
    clock: Clock,
    loaded: ArcSwap<Loaded>,
    /// The last fetch; held while one runs.
    fetching: Mutex<Option<Fetch>>,
}

/// How a fetch went.
#[derive(Clone, Copy)]
struct Fetch {
    /// On the monotonic clock.
    began_at: Duration,
    failed: bool,
}

enum Source {
    File { path: PathBuf, bytes_max: usize },
    Url { url: String, client: reqwest::Client, bytes_max: usize },
}

#[derive(Default)]
struct Loaded {
    keys: Vec<PublicKey>,
    /// On the monotonic clock; `None`: never.
    at: Option<Duration>,
}

struct PublicKey {
    id: Option<String>,
    /// The only algorithm that the issuer means it for, if it says so.
    algorithm: Option<KeyAlgorithm>,
    key: DecodingKey,
}

impl Jwks {
    pub(super) fn new(config: &ExternalIssuerConfig, auth: &AuthConfig, clock: &Clock) -> anyhow::Result<Self> {
        let bytes_max = auth.jwks_bytes_max;
        let mut loaded = Loaded::default();
        let source = match (&config.jwks_file, &config.jwks_url) {
            (Some(path), _) => {
                let path = PathBuf::from(path);
                let keys = read_file(&path, bytes_max)
                    .with_context(|| format!("auth.external.jwks_file {} must hold a JWKS", path.display()))?;
                loaded = Loaded { keys, at: Some(clock.monotonic()) };
                Source::File { path, bytes_max }
            }
            (None, Some(url)) => {
                let client = reqwest::Client::builder()
                    .timeout(Duration::from_millis(auth.jwks_timeout_ms))
                    // A redirect could leave https.
                    .redirect(reqwest::redirect::Policy::none())
                    // Connections belong to the runtime of one HTTP worker and would outlive it in the pool.
                    .pool_max_idle_per_host(0)
                    .build()
                    .context("the HTTP client for auth.external.jwks_url")?;
                Source::Url { url: url.clone(), client, bytes_max }
            }
            (None, None) => anyhow::bail!("auth.external needs one of hs256_secret, jwks_file and jwks_url"),
        };
        Ok(Self {
            issuer: config.issuer.clone(),
            source,
            clock: clock.clone(),
            loaded: ArcSwap::from_pointee(loaded),
            fetching: Mutex::default(),
        })
    }

    /// The key that a token names, or the only one that fits when it names none.
    pub(super) async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, AuthError> {
        let now = self.clock.monotonic();
        let loaded = self.loaded.load_full();
        let known = loaded.find(id, algorithm);
        if let Some(key) = known {
            if loaded.is_fresh(now) {
                return Ok(key);
            }
            // Whoever comes first renews; the others go on with what is known.
            let Ok(mut last_fetch) = self.fetching.try_lock() else { return Ok(key) };
            self.fetch(&mut last_fetch, now).await;
        } else {
            let mut last_fetch = self.fetching.lock().await;
            if self.loaded.load().find(id, algorithm).is_none() {
                self.fetch(&mut last_fetch, now).await;
            }
            if last_fetch.is_some_and(|last| last.failed) && self.loaded.load().find(id, algorithm).is_none() {
                return Err(AuthError::IssuerAway);
            }
        }
        self.loaded.load_full().find(id, algorithm).ok_or(AuthError::TokenInvalid)
    }

    async fn fetch(&self, last_fetch: &mut Option<Fetch>, now: Duration) {
        let pause = |last: &Fetch| if last.failed { PAUSE_AFTER_FAILURE } else { PAUSE_BETWEEN_FETCHES };
        if last_fetch.as_ref().is_some_and(|last| now.saturating_sub(last.began_at) < pause(last)) {
            return;
        }
        // Until it is known: whoever is cut off in the middle of it has not found the issuer.
        *last_fetch = Some(Fetch { began_at: now, failed: true });
        match self.source.read().await {
            Ok(keys) => {
                self.loaded.store(Arc::new(Loaded { keys, at: Some(now) }));
                *last_fetch = Some(Fetch { began_at: now, failed: false });
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(issuer = %self.issuer, %error, "the keys of an outside issuer cannot be read");
            }
        }
    }
}

impl Loaded {
    fn is_fresh(&self, now: Duration) -> bool {
        self.at.is_some_and(|at| now.saturating_sub(at) < FRESH_FOR)
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self.keys.iter().filter(|key| {
            key.key.family() == algorithm.family()
                && key.algorithm.is_none_or(|only| only == KeyAlgorithm::from(algorithm))
                && (id.is_none() || key.id.as_deref() == id)
        });
        let first = fitting.next()?;
        // Without an id there must be nothing to choose.
        (id.is_some() || fitting.next().is_none()).then(|| first.key.clone())
    }
}

impl Source {
    async fn read(&self) -> anyhow::Result<Vec<PublicKey>> {
        match self {
            Self::File { path, bytes_max } => read_file(path, *bytes_max),
            Self::Url { url, client, bytes_max } => {
                let mut response = client.get(url).send().await?;
                ensure!(response.status().is_success(), "the answer is {}", response.status());
                let mut body = Vec::new();
                while let Some(chunk) = response.chunk().await? {
                    ensure!(body.len() + chunk.len() <= *bytes_max, "it has more than {bytes_max} bytes");
                    body.extend_from_slice(&chunk);
                }
                parse(&body)
            }
        }
    }
}

fn read_file(path: &std::path::Path, bytes_max: usize) -> anyhow::Result<Vec<PublicKey>> {
    let size = std::fs::metadata(path).context("it cannot be read")?.len();
    ensure!(size <= bytes_max as u64, "it has more than {bytes_max} bytes (auth.jwks_bytes_max)");
    parse(&std::fs::read(path).context("it cannot be read")?)
}

/// The keys that we can use; a set may hold others, which are skipped.
fn parse(bytes: &[u8]) -> anyhow::Result<Vec<PublicKey>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(bytes).context("it is no JWKS: {\"keys\":[…]}")?;
    ensure!(set.keys.len() <= KEYS_MAX, "it holds more than {KEYS_MAX} keys");
    let keys = set.keys.into_iter().filter_map(|value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let for_signatures = !matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption));
        (for_signatures && key.family() != AlgorithmFamily::Hmac).then_some(PublicKey {
            id: jwk.common.key_id,
            algorithm: jwk.common.key_algorithm,
            key,
        })
    });
    let keys: Vec<_> = keys.collect();
    ensure!(!keys.is_empty(), "it holds no public key for signatures");
    Ok(keys)
}
