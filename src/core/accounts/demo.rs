//! Two demo accounts, so that a newcomer can try a conversation at once.
//!
//! Invariant: they are made in an empty database only, never beside real accounts; their password is random and
//! is kept in the data folder, because it is shown again at every start.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::handle::Auth;
use super::passwords::Checked;
use super::store::accounts::{self, NewAccount};
use parlance_foundation::ids::UserId;
use parlance_foundation::secret_file;

const PEOPLE: [(&str, &str); 2] = [("demo-ada", "Ada Demo"), ("demo-ben", "Ben Demo")];
const FILE: &str = "demo-login.json";

/// How to sign in as a demo person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoLogin {
    pub username: String,
    pub password: String,
}

#[derive(Serialize, Deserialize)]
struct DemoFile {
    password: String,
}

impl Auth {
    /// Makes the demo accounts in an empty database. Answers their logins as long as they exist and the file with
    /// their password is in `data_dir`.
    pub async fn ensure_demo_accounts(&self, data_dir: &Path) -> anyhow::Result<Option<Vec<DemoLogin>>> {
        let path = data_dir.join(FILE);
        let mut conn = self.0.storage.engine().acquire().await?;
        let empty = accounts::is_empty(&mut conn).await?;
        drop(conn);
        let content = if empty {
            // The file first: a crash in between leaves a password without accounts, which the next start uses.
            Some(secret_file::read_or_make(&path, new_file)?)
        } else {
            secret_file::read(&path)?
        };
        let Some(content) = content else { return Ok(None) };
        let DemoFile { password } = serde_json::from_str(&content).with_context(|| {
            format!("{} is damaged; delete it, and the demo accounts can no longer sign in", path.display())
        })?;
        if empty {
            self.create_demo_accounts(&password).await?;
        }
        self.demo_logins(&password).await
    }

    async fn create_demo_accounts(&self, password: &str) -> anyhow::Result<()> {
        let password_hash = self.0.passwords.hash(password).await?;
        let mut transaction = self.0.storage.engine().begin().await?;
        for (username, full_name) in PEOPLE {
            let account = NewAccount {
                id: UserId::new(&self.0.clock),
                username,
                full_name: Some(full_name),
                avatar_url: None,
                // The domain that cannot exist (RFC 2606): no mail for a demo person reaches anybody.
                email: Some(&format!("{username}@demo.invalid")),
                password_hash: Some(&password_hash),
                now: self.0.clock.now(),
            };
            if !accounts::create_account(&mut transaction, &account).await? {
                // Somebody was quicker; it is no longer an empty database.
                return Ok(());
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Those demo people whose password it still is; `None` when it is nobody's.
    async fn demo_logins(&self, password: &str) -> anyhow::Result<Option<Vec<DemoLogin>>> {
        let mut logins = Vec::new();
        for (username, _) in PEOPLE {
            let mut conn = self.0.storage.engine().acquire().await?;
            let account = accounts::credentials(&mut conn, username).await?;
            drop(conn);
            let Some(account) = account.filter(|account| account.disabled_at.is_none()) else { continue };
            if self.0.passwords.check(password, account.password_hash).await? != Checked::Wrong {
                logins.push(DemoLogin { username: username.to_owned(), password: password.to_owned() });
            }
        }
        Ok((!logins.is_empty()).then_some(logins))
    }
}

fn new_file() -> String {
    let mut password = secret_file::random_text();
    // 96 bits are plenty, and somebody has to type it.
    password.truncate(16);
    serde_json::json!({ "password": password }).to_string()
}
