//! The handle that everything else holds: checking tokens, and telling others who was signed out.
//!
//! What changes accounts is in files of its own, by verb: `sign_in.rs`, `new_password.rs`, `devices.rs`, `admin.rs`,
//! `demo.rs`.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::Caller;
use super::config::AuthConfig;
use super::error::AuthError;
use super::external::ExternalIssuers;
use super::limits::Limits;
use super::passwords::Passwords;
use super::recent::RecentUsers;
use super::revoked::RevokedFamilies;
use super::store;
use super::store::families::RevokedFamily;
use super::tokens::{AccessTokens, Bearer, claimed_issuer};
use super::wire::OwnUser;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{FamilyId, UserId};
use parlance_foundation::secret_file;
use parlance_foundation::storage::Storage;

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
    pub(super) revoked: RevokedFamilies,
    pub(super) recent: RecentUsers,
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
    /// Its owner changed the password on another device, or an operator did.
    Password,
    /// A new password was set by a link.
    Reset,
    /// Its owner signed it out from another device, or an operator did.
    Remote,
}

impl SignOutReason {
    pub const ALL: [Self; 8] = [
        Self::Logout,
        Self::Reuse,
        Self::Replaced,
        Self::TooMany,
        Self::Disabled,
        Self::Password,
        Self::Reset,
        Self::Remote,
    ];

    /// The reason of a text that [`SignOutReason::as_str`] gave.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Reuse => "reuse",
            Self::Replaced => "replaced",
            Self::TooMany => "too_many",
            Self::Disabled => "disabled",
            Self::Password => "password",
            Self::Reset => "reset",
            Self::Remote => "remote",
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
            recent: RecentUsers::new(config.recent_users_max),
            listeners: RwLock::default(),
            config: config.clone(),
            storage,
            clock,
        })))
    }

    /// Whose access token this is; refuses accounts that were disabled or deleted and sign-ins that ended, wherever that
    /// was. Asks the database only about people and sign-ins that it has not seen lately.
    pub async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        Ok(self.verify_person(token).await?.0)
    }

    /// As [`Auth::verify`], with the person, for the greeting of a new connection.
    pub async fn verify_person(&self, token: &str) -> Result<(Caller, Arc<OwnUser>), AuthError> {
        let bearer = self.bearer(token).await?;
        if bearer.family_id.is_some_and(|family| self.0.revoked.contains(family)) {
            return Err(AuthError::TokenInvalid);
        }
        let own = self.require_open(bearer.user_id, bearer.family_id).await?;
        let Bearer { user_id, family_id, expires_at } = bearer;
        Ok((Caller { user_id, role: own.role, family_id, expires_at }, own))
    }

    /// A person as that person sees it; [`AuthError::AccountDisabled`] when the account is.
    pub async fn own_user(&self, user: UserId) -> Result<OwnUser, AuthError> {
        let mut conn = self.0.storage.read_as(user).await?;
        enabled(store::users::own_user(&mut conn, user).await?)
    }

    /// Calls `listener` for every sign-in that ends, after it has ended, on the thread that ended it: it must not
    /// block. For closing the sockets of the device.
    pub fn on_signed_out(&self, listener: impl Fn(SignedOut) + Send + Sync + 'static) {
        self.0.listeners.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(listener));
    }

    /// Whom a token names, be they signed out, disabled or gone.
    pub(super) async fn bearer(&self, token: &str) -> Result<Bearer, AuthError> {
        let issuer = claimed_issuer(token)?;
        if self.0.tokens.is_ours(&issuer) {
            return self.0.tokens.check(token, self.0.clock.now());
        }
        let subject = self.0.external.check(&issuer, token).await?;
        let user_id = self.user_of_subject(&subject).await?;
        Ok(Bearer { user_id, family_id: None, expires_at: subject.expires_at })
    }

    /// After the commit that ended them: counts them, refuses their access tokens from now on, and tells the listeners.
    pub(super) fn families_ended(&self, ended: &[RevokedFamily], reason: SignOutReason) {
        metrics::counter!("parlance_sign_outs_total", "reason" => reason.as_str()).increment(ended.len() as u64);
        self.end_families(ended, reason);
    }

    /// The same for families that may have ended elsewhere, which were counted there.
    pub(super) fn end_families(&self, ended: &[RevokedFamily], reason: SignOutReason) {
        let now = self.0.clock.now();
        for family in ended {
            self.0.revoked.insert(family.family_id, family.access_expires_at, now);
        }
        self.forget_families(ended);
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

/// A person that was read, unless the account is disabled, or the token outlived it.
pub(super) fn enabled(found: Option<(OwnUser, Option<DateTime<Utc>>)>) -> Result<OwnUser, AuthError> {
    match found {
        Some((own, None)) => Ok(own),
        Some((_, Some(_disabled_at))) => Err(AuthError::AccountDisabled),
        None => Err(AuthError::TokenInvalid),
    }
}
