//! `parlance vault …`: secrets that features keep, run from the command line, beside a running engine or without one.
//!
//! Secrets come from a prompt or from standard input, never from an argument, which every user of the machine can read,
//! and never go out again.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::os::fd::AsFd;

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::say;

use super::users::{counted, minute};
use super::vault_of;
use crate::config::Config;
use crate::vault::wire::SecretMeta;
use crate::vault::{AuditQuery, By, Rotated, Secret, SecretName, Vault, VaultError};

/// Rows that one read of a list brings.
const LIST_ROWS: i64 = 500;

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// List the secrets: everything but the secrets themselves
    List {
        /// Only those of this feature and kind, such as `ai.provider`
        scope: Option<String>,
    },
    /// Keep a secret, asked for or read from standard input (the end of its last line is left off)
    Put {
        #[command(flatten)]
        which: Which,
        /// What people should know of it
        #[arg(long, default_value = "")]
        label: String,
        /// If there is one of this name, replace its value
        #[arg(long)]
        replace: bool,
    },
    /// Delete a secret, or those whose keys are lost
    Delete {
        #[command(flatten)]
        which: WhichIfAny,
        /// Give up all secrets under master keys that are not here
        #[arg(long, conflicts_with = "scope")]
        unreadable: bool,
        /// Do it, if there are so many: without this, they are counted. What is unreadable because a file is missing could
        /// be read again when that is back
        #[arg(long, value_name = "COUNT", requires = "unreadable", conflicts_with = "scope")]
        yes: Option<usize>,
    },
    /// Make a new master key and put every secret under it; or finish that, where it was cut off
    Rotate {
        /// Remove the master keys that nothing is under any more. Backups of before cannot be read then
        #[arg(long)]
        forget_old: bool,
    },
    /// Show what was done with secrets, when and by whom, the newest first
    Audit {
        #[command(flatten)]
        which: WhichIfAny,
        /// Entries to show
        #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
}

/// A secret by its name.
#[derive(Args, Debug)]
pub struct Which {
    /// Whose it is: the feature and kind, such as `ai.provider`
    scope: String,
    /// What it is called there, such as its owner's id
    name: String,
}

/// A secret by its name, or none.
#[derive(Args, Debug)]
pub struct WhichIfAny {
    /// Whose it is: the feature and kind, such as `ai.provider`
    #[arg(requires = "name")]
    scope: Option<String>,
    /// What it is called there, such as its owner's id
    name: Option<String>,
}

impl WhichIfAny {
    fn name(self) -> Result<Option<SecretName>, VaultError> {
        self.scope.zip(self.name).map(|(scope, name)| SecretName::new(scope, name)).transpose()
    }
}

/// Does one of them.
pub async fn run(config: &Config, command: VaultCommand) -> anyhow::Result<()> {
    let (vault, database) = vault_of(config).await?;
    let done = perform(config, &vault, command).await;
    database.close().await;
    if let Some(said) = done? {
        say(&said)?;
    }
    Ok(())
}

/// What is left to say when it is done.
async fn perform(config: &Config, vault: &Vault, command: VaultCommand) -> anyhow::Result<Option<String>> {
    let by = operator();
    Ok(Some(match command {
        VaultCommand::List { scope } => return list(vault, scope.as_deref()).await.map(|()| None),
        VaultCommand::Put { which, label, replace } => {
            let name = SecretName::new(which.scope, which.name)?;
            let secret = new_secret(config.vault.secret_bytes_max).await?;
            match vault.put(&name, &label, &secret, &by).await {
                Err(VaultError::Taken) if replace => {
                    let meta = vault.replace(&name, &secret, &by).await?;
                    format!("{name} has another value now: its version {}, {}.", meta.version, bytes(&secret))
                }
                Err(VaultError::Taken) => bail!("there is a secret {name} already; --replace gives it another value"),
                put => {
                    put?;
                    format!("{name} is in the vault now: {}.", bytes(&secret))
                }
            }
        }
        VaultCommand::Delete { which, unreadable, yes } => match which.name()? {
            Some(name) => {
                vault.delete(&name, &by).await?;
                format!("{name} is deleted.")
            }
            None => {
                ensure!(unreadable, "say which: SCOPE NAME, or --unreadable for those under master keys that are lost");
                let lost = usize::try_from(vault.count_unreadable().await?)?;
                ensure!(
                    yes == Some(lost) || lost == 0,
                    "{lost} of the secrets are under master keys that are not here, and would be gone for good. Look first \
                     for the file with those keys, and whether this is the folder of the engine (--data-dir); if it is \
                     lost, say so with --yes {lost}"
                );
                format!("{} deleted.", counted(vault.delete_unreadable(lost, &by).await?, "secret"))
            }
        },
        VaultCommand::Rotate { forget_old } => rotated(vault.rotate(&by, forget_old).await?)?,
        VaultCommand::Audit { which, limit } => return audit(vault, which, limit).await.map(|()| None),
    }))
}

fn rotated(done: Rotated) -> anyhow::Result<String> {
    let Rotated { key_id, is_new, rewrapped, damaged, forgotten } = done;
    let secrets = counted(rewrapped, "secret");
    let mut said = match (is_new, rewrapped) {
        (true, _) => format!("A new master key is in use, {key_id}: {secrets} put under it."),
        (false, 0) if !damaged.is_empty() => "Nothing was put under another key.".to_owned(),
        (false, 0) => format!(
            "Every secret is under the newest key of vault.master_key, {key_id}, already. To rotate, append another one \
             there, restart every engine, and run this again."
        ),
        (false, _) => format!("{secrets} put under the key {key_id}, which was there already."),
    };
    if forgotten > 0 {
        said.push_str(&format!(" {} removed from the file.", counted(forgotten, "old key")));
    }
    if is_new {
        said.push_str(
            " Make a copy of the file of the keys, and bring it to every machine with an engine on this database.",
        );
    }
    ensure!(
        damaged.is_empty(),
        "{said} But these do not open, because their rows were changed by somebody else, and are left as they are: {}. \
         Replace or delete them",
        damaged.join(", ")
    );
    Ok(said)
}

/// What is last in a line may be of any length.
async fn list(vault: &Vault, scope: Option<&str>) -> anyhow::Result<()> {
    let (mut after, mut shown, mut lost) = (None, 0_usize, 0_usize);
    say(&format!("{:<20}  {:<20}  {:<6}  {:<10}  SCOPE NAME, LABEL", "CREATED", "LAST USED", "HINT", "KEY"))?;
    loop {
        let secrets = vault.list_meta(scope, after, LIST_ROWS).await?;
        let Some(last) = secrets.last() else { break };
        after = Some(last.id);
        for secret in &secrets {
            let SecretMeta { scope, name, label, hint, created_at, last_used_at, readable, key_id, .. } = secret;
            let used = last_used_at.map_or_else(|| "never".to_owned(), minute);
            let key = if *readable { key_id.get(..8).unwrap_or(key_id) } else { "not here" };
            let (hint, comma) = (hint.as_deref().unwrap_or_default(), if label.is_empty() { "" } else { ", " });
            say(&format!(
                "{:<20}  {used:<20}  {hint:<6}  {key:<10}  {scope} {name}{comma}{label}",
                minute(*created_at)
            ))?;
            lost += usize::from(!readable);
        }
        shown += secrets.len();
    }
    say(&counted(shown, "secret"))?;
    if lost > 0 {
        say(&format!(
            "{} under master keys that are not here: bring back the file that has them.",
            counted(lost, "secret")
        ))?;
    }
    Ok(())
}

async fn audit(vault: &Vault, which: WhichIfAny, limit: u32) -> anyhow::Result<()> {
    let name = which.name()?;
    let (mut before, mut left) = (None, i64::from(limit));
    say(&format!("{:<20}  {:<8}  {:<45}  SCOPE NAME", "WHEN", "WHAT", "BY"))?;
    while left > 0 {
        let query = AuditQuery { name: name.clone(), before, limit: left.min(LIST_ROWS) };
        let entries = vault.audit(&query).await?;
        let Some(last) = entries.last() else { break };
        before = Some(last.id);
        for entry in &entries {
            let who = entry.user_id.map(|id| id.to_string()).or_else(|| entry.by_name.clone()).unwrap_or_default();
            let by = format!("{} {who}", entry.origin);
            say(&format!("{:<20}  {:<8}  {by:<45}  {} {}", minute(entry.at), entry.what, entry.scope, entry.name))?;
        }
        left -= i64::try_from(entries.len()).unwrap_or(left);
    }
    Ok(())
}

fn bytes(secret: &Secret) -> String {
    let hint = secret.hint().map(|hint| format!(", ends in {hint}")).unwrap_or_default();
    format!("{}{hint}", counted(secret.len(), "byte"))
}

/// Whose command this is.
fn operator() -> By {
    let uid = nix::unistd::Uid::current();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    By::Operator(user.map_or_else(|| uid.to_string(), |user| user.name.chars().take(100).collect()))
}

/// Asked for at a terminal; else all that is piped in. On a thread that may wait.
async fn new_secret(bytes_max: usize) -> anyhow::Result<Secret> {
    tokio::task::spawn_blocking(move || read_secret(bytes_max)).await.context("the secret could not be read")?
}

fn read_secret(bytes_max: usize) -> anyhow::Result<Secret> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password("Secret: ").context("the secret could not be asked for")?.into());
    }
    // Not through the buffer of `stdin`, which nobody overwrites. Room for all of it, so that it is not moved about; one
    // byte more than the largest secret with its line's end shows that it is too large.
    let mut input = File::from(std::io::stdin().as_fd().try_clone_to_owned().context("standard input is closed")?);
    let mut read = Zeroizing::new(Vec::with_capacity(bytes_max + 64));
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(3);
    input.by_ref().take(most).read_to_end(&mut read).context("the secret on standard input cannot be read")?;
    let end = read.strip_suffix(b"\n").map_or(read.len(), |rest| rest.strip_suffix(b"\r").unwrap_or(rest).len());
    read.truncate(end);
    ensure!(!read.is_empty(), "there is no terminal to ask for the secret: give it on standard input");
    Ok(Secret::new(std::mem::take(&mut *read)))
}
