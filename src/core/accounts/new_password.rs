//! New passwords: changed by their owner, set by a link that an admin makes, or set by an operator.
//!
//! Invariants: a new password ends every sign-in that was made with the old one, but for the device that changed it, and
//! takes back the account's link; what signs in with the old one at the same moment waits for the account's row and finds
//! it changed. A link works once, and only the newest one; its token is stored hashed and never logged.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::address::ClientAddress;
use super::error::AuthError;
use super::handle::{Auth, SignOutReason};
use super::passwords::Checked;
use super::sign_in::to_the_end;
use super::store::passwords::{self, PasswordOwner, ResetHash};
use super::store::{accounts, devices, families};
use super::wire::ResetLink;
use super::{Caller, input};
use parlance_foundation::ids::{FamilyId, UserId};
use parlance_foundation::secret_file;

/// What the new password waits for in its transaction.
enum Proof {
    /// The password is still the one that was checked.
    Current(String),
    /// The link is still there, and is used up.
    Link(ResetHash),
    /// An operator's word.
    Operator,
}

impl Auth {
    /// Changes the caller's own password and ends the caller's other sign-ins.
    pub async fn change_password(&self, caller: &Caller, current: &str, new: &str) -> Result<(), AuthError> {
        counted("own", self.try_change(caller, current, new).await)
    }

    /// Sets a new password by a link and ends all sign-ins of the account.
    pub async fn reset_password(&self, token: &str, new: &str, address: ClientAddress) -> Result<(), AuthError> {
        counted("link", self.try_reset(token, new, address).await)
    }

    /// Makes the link that sets a new password of an account, in place of an earlier one. `by` is the admin, for the log.
    pub async fn make_reset_link(&self, user: UserId, by: Option<UserId>) -> Result<ResetLink, AuthError> {
        let (token, now) = (secret_file::random_text(), self.0.clock.now());
        let expires_at = now + Duration::from_secs(self.0.config.reset_link_s);
        let mut transaction = self.0.storage.engine().begin().await?;
        let (_, disabled) = families::lock_account(&mut transaction, user).await?.ok_or(AuthError::UserNotFound)?;
        if disabled {
            return Err(AuthError::AccountDisabled);
        }
        let owner = passwords::owner(&mut transaction, user).await?.ok_or(AuthError::UserNotFound)?;
        passwords::put_reset(&mut transaction, user, &hash_of(&token), now, expires_at).await?;
        transaction.commit().await?;
        metrics::counter!("parlance_reset_links_total").increment(1);
        let by = by.map_or_else(|| "operator".to_owned(), |admin| admin.to_string());
        tracing::info!(user_id = %user, by, "a link for a new password was made");
        let path = format!("/reset#token={token}");
        Ok(ResetLink { user_id: user, username: owner.username, token, path, expires_at })
    }

    /// Sets the password of an account without knowing the old one, and ends all its sign-ins: for operators.
    pub(super) async fn put_password(&self, user: UserId, new: &str) -> Result<(), AuthError> {
        let mut conn = self.0.storage.engine().acquire().await?;
        let owner = passwords::owner(&mut conn, user).await?.ok_or(AuthError::UserNotFound)?;
        drop(conn);
        let set = self.set_password(owner, new, Proof::Operator, None, SignOutReason::Password);
        counted("operator", set.await)
    }

    async fn try_change(&self, caller: &Caller, current: &str, new: &str) -> Result<(), AuthError> {
        input::given_password(current)?;
        self.0.limits.current_password(caller.user_id)?;
        let mut conn = self.0.storage.engine().acquire().await?;
        let owner = passwords::owner(&mut conn, caller.user_id).await?.ok_or(AuthError::TokenInvalid)?;
        drop(conn);
        if owner.disabled_at.is_some() {
            return Err(AuthError::AccountDisabled);
        }
        self.accept(&owner, new)?;
        // Somebody of an outside issuer has none here, and no guess is right.
        let stored = owner.password_hash.clone();
        let checked = self.0.passwords.check(current, stored.clone()).await?;
        let (Some(stored), Checked::Right { .. }) = (stored, checked) else { return Err(AuthError::PasswordRefused) };
        self.set_password(owner, new, Proof::Current(stored), caller.family_id, SignOutReason::Password).await
    }

    async fn try_reset(&self, token: &str, new: &str, address: ClientAddress) -> Result<(), AuthError> {
        self.0.limits.login_from(address)?;
        // Anything that is not 256 bits of base64url was never given out.
        if token.len() != 43 || URL_SAFE_NO_PAD.decode(token).is_err() {
            return Err(AuthError::ResetRefused);
        }
        let reset = hash_of(token);
        let mut conn = self.0.storage.engine().acquire().await?;
        let owner = passwords::owner_of_reset(&mut conn, &reset, self.0.clock.now()).await?;
        drop(conn);
        let owner = owner.ok_or(AuthError::ResetRefused)?;
        // Said only to somebody who holds a good link, which stays good.
        if owner.disabled_at.is_some() {
            return Err(AuthError::AccountDisabled);
        }
        self.set_password(owner, new, Proof::Link(reset), None, SignOutReason::Reset).await
    }

    fn accept(&self, owner: &PasswordOwner, new: &str) -> Result<(), AuthError> {
        let min = self.0.config.password_chars_min;
        Ok(input::password(new, min, &owner.username, owner.email.as_deref())?)
    }

    async fn set_password(
        &self,
        owner: PasswordOwner,
        new: &str,
        proof: Proof,
        keep: Option<FamilyId>,
        reason: SignOutReason,
    ) -> Result<(), AuthError> {
        self.accept(&owner, new)?;
        let hash = self.0.passwords.hash(new).await?;
        let (auth, user) = (self.clone(), owner.user_id);
        to_the_end(async move {
            let now = auth.0.clock.now();
            let mut transaction = auth.0.storage.engine().begin().await?;
            // First the account, as signing in does, so that no sign-in slips in between.
            families::lock_account(&mut transaction, user).await?.ok_or(AuthError::UserNotFound)?;
            match proof {
                Proof::Current(stored) if !accounts::hold_hash(&mut transaction, user, &stored).await? => {
                    return Err(AuthError::PasswordRefused);
                }
                Proof::Link(reset) if !passwords::take_reset(&mut transaction, &reset, now).await? => {
                    return Err(AuthError::ResetRefused);
                }
                Proof::Current(_) | Proof::Link(_) | Proof::Operator => {}
            }
            passwords::set(&mut transaction, user, &hash).await?;
            let ended = devices::revoke_others(&mut transaction, user, keep, reason, now).await?;
            transaction.commit().await?;
            tracing::info!(user_id = %user, signed_out = ended.len(), reason = reason.as_str(), "a password was changed");
            auth.families_ended(&ended, reason);
            Ok(())
        })
        .await
    }
}

fn hash_of(token: &str) -> ResetHash {
    Sha256::digest(token.as_bytes()).into()
}

fn counted(how: &'static str, result: Result<(), AuthError>) -> Result<(), AuthError> {
    let outcome = result.as_ref().map_or_else(AuthError::outcome, |()| "ok");
    metrics::counter!("parlance_password_changes_total", "how" => how, "outcome" => outcome).increment(1);
    result
}
