//! `parlance users …`: accounts, run from the command line.
//!
//! Passwords come from a prompt or from standard input, never from an argument, which every user of the machine can read.

use std::io::{BufRead, IsTerminal, Read};
use std::net::IpAddr;

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::{accounts, say};
use crate::accounts::{Auth, Listed, NewPerson, UserRole};
use crate::config::Config;

/// A password has at most 1024 bytes; a little more shows that it is too long.
const PASSWORD_LINE_BYTES_MAX: u64 = 2_048;
/// People that one read of a list brings.
const LIST_ROWS: i64 = 500;

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Create an account; its password is asked for, or read as one line from standard input
    Add {
        username: String,
        #[arg(long)]
        email: Option<String>,
        #[arg(long)]
        full_name: Option<String>,
        /// user or admin
        #[arg(long, default_value = "user")]
        role: String,
    },
    /// Set a password, asked for or read as one line from standard input, and end all sign-ins of the account
    SetPassword { login: String },
    /// Print a link by which its owner sets a new password, once
    ResetLink {
        login: String,
        /// This server's address as its users reach it, such as `https://chat.example.com`
        #[arg(long, value_name = "ADDRESS")]
        base: Option<String>,
    },
    /// List the accounts
    List {
        /// Only those whose username, full name or email holds this
        query: Option<String>,
    },
    /// List the devices that an account is signed in on
    Devices { login: String },
    /// Sign an account out everywhere, or on one device
    SignOut {
        login: String,
        /// Its id in the list of devices
        device: Option<String>,
    },
    /// Make someone an admin, or a user again
    SetRole { login: String, role: String },
    /// End all sign-ins of an account and refuse new ones
    Disable { login: String },
    /// Let a disabled account sign in again
    Enable { login: String },
}

/// Does one of them, beside a running engine or without one.
pub async fn run(config: &Config, command: UsersCommand) -> anyhow::Result<()> {
    let (auth, database) = accounts(config).await?;
    let done = perform(config, &auth, command).await;
    database.close().await;
    if let Some(said) = done? {
        say(&said)?;
    }
    Ok(())
}

/// What is left to say when it is done.
async fn perform(config: &Config, auth: &Auth, command: UsersCommand) -> anyhow::Result<Option<String>> {
    Ok(Some(match command {
        UsersCommand::Add { username, email, full_name, role } => {
            let role = parsed_role(&role)?;
            let (email, full_name) = (email.as_deref(), full_name.as_deref());
            let password = new_password().await?;
            auth.add(NewPerson { username: &username, email, full_name, role }, &password).await?;
            format!("{username} is here now, as {role}.")
        }
        UsersCommand::SetPassword { login } => {
            auth.require_account(&login).await?;
            auth.set_password_of(&login, &new_password().await?).await?;
            format!("{login} has a new password and is signed out everywhere.")
        }
        UsersCommand::ResetLink { login, base } => {
            if let Some(base) = &base {
                let is_web = reqwest::Url::parse(base).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
                anyhow::ensure!(is_web, "--base is the address of the page, such as https://chat.example.com");
            }
            let link = auth.reset_link_of(&login).await?;
            let hint =
                if base.is_none() { "\nWith --base, it begins with the address that your users know." } else { "" };
            let base = base.unwrap_or_else(|| base_address(config.server.host, config.server.port));
            let (base, until) = (base.trim_end_matches('/'), minute(link.expires_at));
            format!(
                "{base}{}\nIt sets the password of {} once, until {until}. Whoever has it can: give it to nobody else.{hint}",
                link.path, link.username,
            )
        }
        UsersCommand::List { query } => return list(auth, &query.unwrap_or_default()).await.map(|()| None),
        UsersCommand::Devices { login } => return devices(auth, &login).await.map(|()| None),
        UsersCommand::SignOut { login, device } => {
            let device = device.as_deref().map(str::parse).transpose();
            let device = device.ok().with_context(|| format!("see `parlance users devices {login}` for their ids"))?;
            let ended = auth.sign_out_of(&login, device).await?;
            format!("{login} is signed out on {}.", counted(ended, "device"))
        }
        UsersCommand::SetRole { login, role } => {
            let role = parsed_role(&role)?;
            auth.set_role(&login, role).await?;
            format!("{login} is {role} now.")
        }
        UsersCommand::Disable { login } => {
            auth.set_disabled(&login, true).await?;
            format!("{login} is disabled.")
        }
        UsersCommand::Enable { login } => {
            auth.set_disabled(&login, false).await?;
            format!("{login} is enabled.")
        }
    }))
}

fn parsed_role(role: &str) -> anyhow::Result<UserRole> {
    role.parse().map_err(anyhow::Error::msg)
}

/// What is last in a line may be of any length.
async fn list(auth: &Auth, query: &str) -> anyhow::Result<()> {
    let (mut after, mut shown) = (String::new(), 0_usize);
    say(&format!("{:<32}  {:<5}  {:<8}  {:<20}  EMAIL, FULL NAME", "USERNAME", "ROLE", "STATE", "LAST SIGN-IN"))?;
    loop {
        let people = auth.list(query, &after, LIST_ROWS).await?;
        let Some(last) = people.last() else { break };
        after.clone_from(&last.username);
        for Listed { username, full_name, email, role, disabled_at, last_sign_in_at, .. } in &people {
            let state = if disabled_at.is_some() { "disabled" } else { "enabled" };
            let seen = last_sign_in_at.map_or_else(|| "never".to_owned(), minute);
            let rest = [email.as_deref(), full_name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
            let role = role.to_string();
            say(&format!("{username:<32}  {role:<5}  {state:<8}  {seen:<20}  {rest}"))?;
        }
        shown += people.len();
    }
    say(&counted(shown, "account"))
}

async fn devices(auth: &Auth, login: &str) -> anyhow::Result<()> {
    let devices = auth.devices_of(login).await?;
    say(&format!("{:<36}  {:<20}  {:<20}  NAME", "DEVICE", "SIGNED IN", "LAST USED"))?;
    for device in &devices {
        let name = device.name.as_deref().unwrap_or("(unnamed)");
        let (signed_in, used) = (minute(device.created_at), minute(device.last_used_at));
        say(&format!("{:<36}  {signed_in:<20}  {used:<20}  {name}", device.id.to_string()))?;
    }
    say(&counted(devices.len(), "device"))
}

/// Asked for twice at a terminal; else the first line of what is piped in. On a thread that may wait: the Postgres that
/// runs for this command is watched meanwhile.
async fn new_password() -> anyhow::Result<String> {
    tokio::task::spawn_blocking(read_password).await.context("the password could not be read")?
}

fn read_password() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("New password: ").context("the password could not be asked for")?;
        let again = rpassword::prompt_password("Once more: ").context("the password could not be asked for")?;
        ensure!(first == again, "the two passwords differ; nothing was done");
        return Ok(first);
    }
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(PASSWORD_LINE_BYTES_MAX);
    input.read_line(&mut line).context("the password on standard input is no text")?;
    let password = line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if password.is_empty() {
        bail!("there is no terminal to ask for the password: give it on standard input, as one line");
    }
    Ok(password.to_owned())
}

/// Where somebody at this machine, or who uses the address that the engine listens on, reaches it.
pub fn base_address(host: IpAddr, port: u16) -> String {
    match host {
        IpAddr::V4(host) if host.is_unspecified() || host.is_loopback() => format!("http://localhost:{port}"),
        IpAddr::V4(host) => format!("http://{host}:{port}"),
        IpAddr::V6(host) => format!("http://[{host}]:{port}"),
    }
}

pub(super) fn counted(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

pub(super) fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
