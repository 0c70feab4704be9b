//! An engine on a database that `parlance-load install` filled: its people, by the names that they got there.

use anyhow::Context;
use reqwest::Method;
use serde::Deserialize;
use uuid::Uuid;

use super::accounts::Accounts;
use crate::engine::Target;
use crate::install::people;

/// Whom and what there is to read.
#[derive(Clone, Debug)]
pub struct Installation {
    pub accounts: Accounts,
    name: String,
    password: String,
    pub users: u64,
}

/// A room in somebody's list.
#[derive(Clone, Debug, Deserialize)]
pub struct InstalledRoom {
    pub id: Uuid,
    pub kind: String,
    pub last_seq: u64,
}

impl Installation {
    /// Finds out who is there. Nobody is made by asking: the first person signs in with a password.
    pub async fn open(target: &Target, name: &str, password: &str) -> anyhow::Result<Self> {
        let accounts = Accounts::of_run(target, name)?;
        let first = accounts.sign_in(&people::email(name, 0), password).await.with_context(|| {
            format!(
                "nobody signs in as {} with this password: is it the --password of the installation, and {name:?} its \
                 --name? An empty folder is filled with `parlance-load install`",
                people::email(name, 0)
            )
        })?;
        let users = first.pointer("/user/preferences/installation/users").and_then(serde_json::Value::as_u64);
        let users = users.context("the first person of the installation does not know how many there are")?;
        Ok(Self { accounts, name: name.to_owned(), password: password.to_owned(), users })
    }

    pub fn token(&self, index: u64) -> anyhow::Result<String> {
        self.accounts.token(usize::try_from(index)?)
    }

    pub async fn sign_in(&self, index: u64) -> anyhow::Result<()> {
        self.accounts.sign_in(&people::email(&self.name, index), &self.password).await.map(|_| ())
    }

    /// Somebody's rooms, the one in which most happened first.
    pub async fn rooms(&self, token: &str) -> anyhow::Result<Vec<InstalledRoom>> {
        #[derive(Deserialize)]
        struct List {
            items: Vec<InstalledRoom>,
        }
        let text = self.accounts.text(Method::GET, "/api/v1/rooms?limit=200", token, None).await?;
        let mut rooms = serde_json::from_str::<List>(&text)?.items;
        rooms.sort_by_key(|room| std::cmp::Reverse(room.last_seq));
        Ok(rooms)
    }
}
