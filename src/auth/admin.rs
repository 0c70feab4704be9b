//! What operators do with accounts, and the upkeep of the tables.

use anyhow::Context;

use super::error::AuthError;
use super::handle::{Auth, SignOutReason};
use super::store::accounts::{self, Credentials};
use super::store::families;
use super::{UserRole, input};

/// Rows that one statement of [`Auth::delete_expired`] deletes at most, so that it holds no lock for long.
const DELETE_ROWS_MAX: i64 = 10_000;

impl Auth {
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

    /// Deletes tokens and sign-ins that have expired; answers how many rows went. Worth an hourly call.
    pub async fn delete_expired(&self) -> Result<u64, AuthError> {
        let now = self.0.clock.now();
        let mut deleted = 0;
        loop {
            let mut conn = self.0.storage.engine().acquire().await?;
            let rows = families::delete_expired(&mut conn, now, DELETE_ROWS_MAX).await?;
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
