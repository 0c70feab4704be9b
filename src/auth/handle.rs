//! The handle that everything else holds: checking tokens, and telling others who was signed out.
//!
//! What changes accounts is in files of its own, by verb: `sign_in.rs`, `admin.rs`, `demo.rs`.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;

use super::config::AuthConfig;
use super::error::AuthError;
use super::external::ExternalIssuers;
use super::limits::Limits;
use super::passwords::Passwords;
use super::revoked::RevokedFamilies;
use super::store;
use super::store::families::RevokedFamily;
use super::tokens::{AccessTokens, claimed_issuer};
use super::wire::OwnUser;
use super::{Caller, secret_file};
use crate::clock::Clock;
use crate::ids::{FamilyId, UserId};
use crate::storage::Storage;

/// Accounts, ready for use. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Auth(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: AuthConfig,
    pub(super) storage: Storage,
    pub(super) clock: Clock,
    pub(super) passwords: Passwords,
    pub(super) limits: Limits,
    pub(super) tokens: AccessTokens,
    external: ExternalIssuers,
    revoked: RevokedFamilies,
    listeners: RwLock<Vec<Arc<SignedOutListener>>>,
}

type SignedOutListener = dyn Fn(SignedOut) + Send + Sync;

/// A sign-in has ended: no token of the family is accepted from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedOut {
    pub user_id: UserId,
    pub family_id: FamilyId,
    pub reason: SignOutReason,
}

/// Why a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOutReason {
    /// Its owner signed out.
    Logout,
    /// A refresh token was used twice: one of the two who hold it is a thief.
    Reuse,
    /// Its owner signed in again on the same device.
    Replaced,
    /// Its owner is signed in on too many devices, and this one was unused for longest.
    TooMany,
    /// The account was disabled.
    Disabled,
}

impl SignOutReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Reuse => "reuse",
            Self::Replaced => "replaced",
            Self::TooMany => "too_many",
            Self::Disabled => "disabled",
        }
    }
}

impl Auth {
    /// Reads or makes the signing key in `data_dir`, the keys of outside issuers, and who was signed out lately.
    /// The database has to be migrated.
    pub async fn new(config: &AuthConfig, storage: Storage, clock: Clock, data_dir: &Path) -> anyhow::Result<Self> {
        let secret = match &config.token_secret {
            Some(secret) => secret.clone(),
            None => secret_file::read_or_make(&data_dir.join("token.key"), secret_file::random_text)?.trim().to_owned(),
        };
        let tokens = AccessTokens::new(&config.issuer, config.access_token_s, &secret)
            .context("auth.token_secret, or else the file token.key in the data folder, is no key")?;
        let revoked = RevokedFamilies::default();
        let now = clock.now();
        let mut conn = storage.engine().acquire().await.context("accounts need the database")?;
        for family in store::families::revoked_with_live_tokens(&mut conn, now).await? {
            revoked.insert(family.family_id, family.access_expires_at, now);
        }
        drop(conn);
        Ok(Self(Arc::new(Inner {
            passwords: Passwords::new(config)?,
            limits: Limits::new(config, &clock),
            external: ExternalIssuers::new(config, &clock)?,
            tokens,
            revoked,
            listeners: RwLock::default(),
            config: config.clone(),
            storage,
            clock,
        })))
    }

    /// Whose access token this is. Our own tokens are checked without the database.
    pub async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let caller = self.verify_even_signed_out(token).await?;
        if caller.family_id.is_some_and(|family| self.0.revoked.contains(family)) {
            return Err(AuthError::TokenInvalid);
        }
        Ok(caller)
    }

    /// As [`Auth::verify`], and reads the person for the greeting of a new connection. Asks the database, so it also
    /// refuses accounts that were disabled or deleted and families that were signed out on another engine.
    pub async fn verify_hello(&self, token: &str) -> Result<(Caller, OwnUser), AuthError> {
        let caller = self.verify(token).await?;
        let own = self.own_user(caller.user_id).await?;
        if let Some(family) = caller.family_id {
            let mut conn = self.0.storage.read_as(caller.user_id).await?;
            if !store::families::is_live(&mut conn, family).await? {
                return Err(AuthError::TokenInvalid);
            }
        }
        Ok((caller, own))
    }

    /// A person as that person sees it; [`AuthError::AccountDisabled`] when the account is.
    pub async fn own_user(&self, user: UserId) -> Result<OwnUser, AuthError> {
        let mut conn = self.0.storage.read_as(user).await?;
        match store::users::own_user(&mut conn, user).await? {
            Some((own, None)) => Ok(own),
            Some((_, Some(_disabled_at))) => Err(AuthError::AccountDisabled),
            // The token outlived its account.
            None => Err(AuthError::TokenInvalid),
        }
    }

    /// Calls `listener` for every sign-in that ends, after it has ended, on the thread that ended it: it must not
    /// block. For closing the sockets of the device.
    pub fn on_signed_out(&self, listener: impl Fn(SignedOut) + Send + Sync + 'static) {
        self.0.listeners.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(listener));
    }

    pub(super) async fn verify_even_signed_out(&self, token: &str) -> Result<Caller, AuthError> {
        let issuer = claimed_issuer(token)?;
        if self.0.tokens.is_ours(&issuer) {
            return self.0.tokens.check(token, self.0.clock.now());
        }
        let subject = self.0.external.check(&issuer, token).await?;
        self.user_of_subject(subject).await
    }

    /// After the commit that ended them: refuses their access tokens from now on, and tells the listeners.
    pub(super) fn families_ended(&self, ended: &[RevokedFamily], reason: SignOutReason) {
        let now = self.0.clock.now();
        for family in ended {
            self.0.revoked.insert(family.family_id, family.access_expires_at, now);
            metrics::counter!("parlance_sign_outs_total", "reason" => reason.as_str()).increment(1);
        }
        let listeners = self.0.listeners.read().unwrap_or_else(PoisonError::into_inner).clone();
        for family in ended {
            for listener in &listeners {
                listener(SignedOut { user_id: family.user_id, family_id: family.family_id, reason });
            }
        }
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.0.storage
    }
}
