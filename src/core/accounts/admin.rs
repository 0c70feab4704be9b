//! What operators do with accounts, and the upkeep of the tables.
//!
//! Beside a running engine this is another process: the triggers tell the engine what was changed, and it ends the
//! sockets of whoever was signed out.

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use super::error::AuthError;
use super::handle::{Auth, SignOutReason};
use super::store::accounts::{self, Credentials, NewAccount};
use super::store::{devices, families, passwords, users};
use super::wire::{AuthOptions, OwnDevice, ResetLink};
use super::{UserRole, input};
use parlance_foundation::ids::{FamilyId, UserId};

/// Rows that one statement of [`Auth::delete_expired`] deletes at most, so that it holds no lock for long.
const DELETE_ROWS_MAX: i64 = 10_000;

/// Devices of one account that are listed at most; `auth.devices_max` is no larger.
const DEVICES_MAX: i64 = 10_000;

/// Whom an operator creates, not yet checked.
#[derive(Clone, Copy, Debug)]
pub struct NewPerson<'a> {
    pub username: &'a str,
    pub email: Option<&'a str>,
    pub full_name: Option<&'a str>,
    pub role: UserRole,
}

/// A person as an operator's list shows them.
#[derive(Clone, Debug)]
pub struct Listed {
    pub user_id: UserId,
    pub username: String,
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub role: UserRole,
    pub disabled_at: Option<DateTime<Utc>>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

impl Auth {
    /// What a page for signing in offers.
    pub fn options(&self) -> AuthOptions {
        let config = &self.0.config;
        AuthOptions { registration: config.registration, password_chars_min: config.password_chars_min }
    }

    /// Creates an account, whether or not registration is open. Nobody is signed in by it.
    pub async fn add(&self, person: NewPerson<'_>, password: &str) -> anyhow::Result<UserId> {
        let username = input::username(person.username)?;
        let email = person.email.map(input::email).transpose()?;
        let full_name = person.full_name.map(input::full_name).transpose()?;
        input::password(password, self.0.config.password_chars_min, &username, email.as_deref())?;
        let hash = self.0.passwords.hash(password).await?;
        let account = NewAccount {
            id: UserId::new(&self.0.clock),
            username: &username,
            full_name: full_name.as_deref(),
            avatar_url: None,
            email: email.as_deref(),
            password_hash: Some(&hash),
            now: self.0.clock.now(),
        };
        let mut transaction = self.0.storage.engine().begin().await?;
        if !accounts::create_account(&mut transaction, &account).await? {
            bail!("there is an account with this username or email already; `parlance users list` shows them");
        }
        accounts::set_role(&mut transaction, account.id, person.role).await?;
        transaction.commit().await?;
        tracing::info!(user_id = %account.id, role = %person.role, "an account was created");
        Ok(account.id)
    }

    /// Fails unless there is an account of this username or email: before somebody is asked for more.
    pub async fn require_account(&self, login: &str) -> anyhow::Result<()> {
        self.account(login).await.map(|_| ())
    }

    /// Sets a password without knowing the old one, and ends all sign-ins of the account.
    pub async fn set_password_of(&self, login: &str, password: &str) -> anyhow::Result<()> {
        let account = self.account(login).await?;
        Ok(self.put_password(account.user_id, password).await?)
    }

    /// A link that sets a new password.
    pub async fn reset_link_of(&self, login: &str) -> anyhow::Result<ResetLink> {
        let account = self.account(login).await?;
        Ok(self.make_reset_link(account.user_id, None).await?)
    }

    /// Up to `limit` people whose username, full name or email holds `query`, by username, after the username `after`.
    pub async fn list(&self, query: &str, after: &str, limit: i64) -> anyhow::Result<Vec<Listed>> {
        let query = input::query(query)?;
        let mut conn = self.0.storage.engine().acquire().await?;
        Ok(users::list(&mut conn, &query, after, limit).await?)
    }

    /// The devices that an account is signed in on, the newest sign-in first.
    pub async fn devices_of(&self, login: &str) -> anyhow::Result<Vec<OwnDevice>> {
        let account = self.account(login).await?;
        let mut conn = self.0.storage.engine().acquire().await?;
        let now = self.0.clock.now();
        Ok(devices::devices(&mut conn, account.user_id, None, None, now, DEVICES_MAX).await?)
    }

    /// Ends one sign-in of an account, or all of them; answers how many.
    pub async fn sign_out_of(&self, login: &str, device: Option<FamilyId>) -> anyhow::Result<usize> {
        let account = self.account(login).await?;
        let Some(device) = device else { return Ok(self.sign_out_everywhere(account.user_id).await?) };
        let signed_out = self.sign_out(account.user_id, device, None).await;
        signed_out.with_context(|| format!("`parlance users devices {login}` shows which there are"))?;
        Ok(1)
    }

    /// Gives a role to the account of a username or an email: how the first admin is made. Access tokens carry the
    /// new role from the next refresh on; what only admins may do asks the database and changes at once.
    pub async fn set_role(&self, login: &str, role: UserRole) -> anyhow::Result<()> {
        let account = self.account(login).await?;
        let mut conn = self.0.storage.engine().acquire().await?;
        accounts::set_role(&mut conn, account.user_id, role).await?;
        self.0.recent.forget(account.user_id);
        tracing::info!(user_id = %account.user_id, %role, "a role was given");
        Ok(())
    }

    /// Closes an account for signing in and ends all its sign-ins, or opens it again.
    pub async fn set_disabled(&self, login: &str, disabled: bool) -> anyhow::Result<()> {
        let account = self.account(login).await?;
        let now = self.0.clock.now();
        let mut transaction = self.0.storage.engine().begin().await?;
        // First the account, as signing in does, so that no sign-in slips between the two.
        families::lock_account(&mut transaction, account.user_id).await?;
        accounts::set_disabled(&mut transaction, account.user_id, disabled, now).await?;
        let ended = if disabled {
            families::revoke_all(&mut transaction, account.user_id, SignOutReason::Disabled, now).await?
        } else {
            Vec::new()
        };
        transaction.commit().await?;
        self.0.recent.forget(account.user_id);
        tracing::info!(user_id = %account.user_id, disabled, "an account was disabled or enabled");
        self.families_ended(&ended, SignOutReason::Disabled);
        Ok(())
    }

    /// Deletes tokens, sign-ins and links that have expired; answers how many rows went. Worth an hourly call.
    pub async fn delete_expired(&self) -> Result<u64, AuthError> {
        let now = self.0.clock.now();
        let mut deleted = 0;
        loop {
            let mut conn = self.0.storage.engine().acquire().await?;
            let rows = families::delete_expired(&mut conn, now, DELETE_ROWS_MAX).await?
                + passwords::delete_expired_resets(&mut conn, now, DELETE_ROWS_MAX).await?;
            deleted += rows;
            if rows == 0 {
                return Ok(deleted);
            }
        }
    }

    async fn account(&self, login: &str) -> anyhow::Result<Credentials> {
        let login = input::login(login)?;
        let mut conn = self.0.storage.engine().acquire().await?;
        accounts::credentials(&mut conn, &login)
            .await?
            .with_context(|| format!("there is no account with the username or email {login:?}"))
    }
}
