//! Demo accounts, so that a newcomer can try a conversation at once. What they have said to each other is the engine's to
//! make.
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

const FILE: &str = "demo-login.json";

/// Somebody who is made for a demo.
#[derive(Clone, Copy, Debug)]
pub struct DemoPerson {
    pub username: &'static str,
    pub full_name: &'static str,
}

/// How to sign in as a demo person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoLogin {
    pub user_id: UserId,
    pub username: String,
    pub password: String,
}

#[derive(Serialize, Deserialize)]
struct DemoFile {
    password: String,
}

impl Auth {
    /// Makes accounts for these people in an empty database. Answers their logins as long as they exist and the file with
    /// their password is in `data_dir`.
    pub async fn ensure_demo_accounts(
        &self,
        data_dir: &Path,
        people: &[DemoPerson],
    ) -> anyhow::Result<Option<Vec<DemoLogin>>> {
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
            self.create_demo_accounts(people, &password).await?;
        }
        self.demo_logins(people, &password).await
    }

    async fn create_demo_accounts(&self, people: &[DemoPerson], password: &str) -> anyhow::Result<()> {
        let password_hash = self.0.passwords.hash(password).await?;
        let mut transaction = self.0.storage.engine().begin().await?;
        for DemoPerson { username, full_name } in people {
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
    async fn demo_logins(&self, people: &[DemoPerson], password: &str) -> anyhow::Result<Option<Vec<DemoLogin>>> {
        let mut logins = Vec::new();
        for DemoPerson { username, .. } in people {
            let mut conn = self.0.storage.engine().acquire().await?;
            let account = accounts::credentials(&mut conn, username).await?;
            drop(conn);
            let Some(account) = account.filter(|account| account.disabled_at.is_none()) else { continue };
            if self.0.passwords.check(password, account.password_hash).await? != Checked::Wrong {
                let (username, password) = ((*username).to_owned(), password.to_owned());
                logins.push(DemoLogin { user_id: account.user_id, username, password });
            }
        }
        Ok((!logins.is_empty()).then_some(logins))
    }
}

/// Forgets the password in `data_dir`: nobody has it any more.
pub fn forget_demo_logins(data_dir: &Path) -> anyhow::Result<()> {
    let path = data_dir.join(FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn new_file() -> String {
    let mut password = secret_file::random_text();
    // 96 bits are plenty, and somebody has to type it.
    password.truncate(16);
    serde_json::json!({ "password": password }).to_string()
}
