//! Configuration: `config/default.toml`, then `config/<profile>.toml`, then `PARLANCE__SECTION__KEY`, then flags.
//!
//! The defaults are compiled in, so the binary runs from anywhere; the file in the repository is the
//! reference with a comment on every key. Invariants: an unknown key is an error; every value is checked at
//! start; each error names its key and says what would be right.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::{Figment, Provider};
use serde::{Deserialize, Serialize};

use crate::accounts::config::AuthConfig;
use crate::checks::{Complaints, ConfigError};
use crate::demo::config::DemoConfig;
use crate::jobs::config::JobsConfig;
use crate::limits::config::LimitsConfig;
use crate::parties::config::PartiesConfig;
use crate::persistence::config::PersistenceConfig;
use crate::rooms::config::ChatConfig;
use crate::server_config::ServerConfig;
use crate::sessions::config::SessionsConfig;
use crate::storage::config::StorageConfig;
use crate::supervision::config::SupervisionConfig;
use crate::telemetry::LogConfig;
use crate::vault::config::VaultConfig;

/// Every default, with a comment a key.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The whole configuration in force.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub log: LogConfig,
    pub storage: StorageConfig,
    pub auth: AuthConfig,
    pub chat: ChatConfig,
    pub parties: PartiesConfig,
    pub sessions: SessionsConfig,
    pub persistence: PersistenceConfig,
    pub limits: LimitsConfig,
    pub jobs: JobsConfig,
    pub vault: VaultConfig,
    pub supervision: SupervisionConfig,
    pub demo: DemoConfig,
}

/// What the command line may override; a field that is `None` is left alone.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flags {
    #[serde(skip)]
    pub profile: Option<String>,
    #[serde(skip)]
    pub config_dir: Option<PathBuf>,
    pub host: Option<IpAddr>,
    pub port: Option<u16>,
    pub data_dir: Option<PathBuf>,
    pub database_url: Option<String>,
    pub log_level: Option<String>,
}

impl Config {
    /// Reads all layers and checks every value.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let profile = flags.profile.clone().or_else(|| std::env::var("PARLANCE_PROFILE").ok());
        let figment = layers(flags, profile.as_deref())?;
        let config: Self = figment.extract().map_err(|error| ConfigError(explain(error)))?;
        config.validate()?;
        Ok(config)
    }

    /// The compiled-in defaults, for tests and for `parlance config --defaults`.
    pub fn defaults() -> Result<Self, ConfigError> {
        Figment::from(Toml::string(DEFAULTS)).extract().map_err(|error| ConfigError(explain(error)))
    }

    /// Checks every value; all complaints come in one error.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut complaints = Complaints::default();
        self.log.check(&mut complaints);
        self.server.check(&mut complaints);
        self.storage.check(&mut complaints);
        self.auth.check(&mut complaints);
        self.chat.check(&mut complaints);
        self.parties.check(&mut complaints);
        self.sessions.check(&mut complaints);
        self.persistence.check(&mut complaints);
        self.limits.check(&mut complaints);
        self.jobs.check(&mut complaints);
        self.vault.check(&mut complaints);
        self.supervision.check(&mut complaints);
        let longest_message = self.sessions.frame_bytes_max.max(self.server.request_bytes_max);
        complaints.require(
            usize::try_from(self.limits.bytes_burst).is_ok_and(|burst| burst >= longest_message),
            "limits.bytes_burst",
            "at least sessions.frame_bytes_max and server.request_bytes_max, or the longest message could never be sent",
        );
        complaints.require(
            self.sessions.frame_bytes_max > self.chat.content_bytes_max,
            "sessions.frame_bytes_max",
            "larger than chat.content_bytes_max, or the longest message cannot be sent",
        );
        complaints.require(
            self.chat.page_bytes_max <= self.sessions.outbox_bytes_max / 2,
            "chat.page_bytes_max",
            "at most half of sessions.outbox_bytes_max, or catching up would count as being too slow",
        );
        complaints.into_result()
    }

    /// The configuration as TOML with every secret masked: safe to paste into a bug report.
    pub fn masked(&self) -> Result<String, ConfigError> {
        let mut shown = self.clone();
        shown.storage.mask();
        shown.auth.mask();
        toml::to_string(&shown).map_err(|error| ConfigError(error.to_string()))
    }
}

fn layers(flags: &Flags, profile: Option<&str>) -> Result<Figment, ConfigError> {
    let mut figment = Figment::from(Toml::string(DEFAULTS));
    if let Some(profile) = profile {
        let path = profile_path(flags.config_dir.as_deref(), profile)?;
        figment = figment.merge(Toml::file(path));
    }
    figment = figment.merge(Env::prefixed("PARLANCE__").split("__").lowercase(true));
    if let Ok(url) = std::env::var("DATABASE_URL") {
        figment = merge_if_some(figment, "storage.database_url", Some(&url).filter(|url| !url.is_empty()));
    }
    figment = merge_if_some(figment, "server.host", flags.host.as_ref());
    figment = merge_if_some(figment, "server.port", flags.port.as_ref());
    figment = merge_if_some(figment, "storage.data_dir", flags.data_dir.as_ref());
    figment = merge_if_some(figment, "storage.database_url", flags.database_url.as_ref());
    Ok(merge_if_some(figment, "log.level", flags.log_level.as_ref()))
}

fn merge_if_some<T: Serialize>(figment: Figment, key: &str, value: Option<T>) -> Figment {
    match value {
        Some(value) => figment.merge(Serialized::default(key, value)),
        None => figment,
    }
}

fn profile_path(config_dir: Option<&Path>, profile: &str) -> Result<PathBuf, ConfigError> {
    let plain = !profile.is_empty() && profile.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !plain {
        return Err(ConfigError(format!("the profile {profile:?} must be letters, digits, - or _")));
    }
    let path = config_dir.unwrap_or(Path::new("config")).join(format!("{profile}.toml"));
    if !path.is_file() {
        let shown = path.display();
        return Err(ConfigError(format!(
            "the profile {profile:?} needs the file {shown}, which is not there; create it or pass --config-dir"
        )));
    }
    Ok(path)
}

/// All errors that figment found, each with the key in the form in which the operator wrote it.
fn explain(error: figment::Error) -> String {
    let lines: Vec<String> = error
        .into_iter()
        .map(|one| {
            let key = one.path.join(".");
            let place = if key.is_empty() { String::new() } else { format!("{key}: ") };
            format!("{place}{}{}", complaint(&one.kind), origin(&one))
        })
        .collect();
    lines.join("; ")
}

/// What would be right, in an operator's words rather than Rust's.
fn complaint(kind: &Kind) -> String {
    match kind {
        Kind::UnknownField(_, known) => format!("there is no such key; there are {}", known.join(", ")),
        Kind::UnknownVariant(found, known) => format!("must be one of {}, not {found:?}", known.join(", ")),
        Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted) => {
            format!("must be {}, not {found}", in_words(wanted))
        }
        Kind::Message(text) if text == "invalid IP address syntax" => {
            "must be an IP address, such as 127.0.0.1, 0.0.0.0 or ::1".into()
        }
        // Of a file that is no TOML, without the picture of the line: every complaint is one line.
        other => other.to_string().lines().filter(|line| !line.contains('|')).collect::<Vec<_>>().join(", "),
    }
}

fn in_words(wanted: &str) -> &str {
    match wanted {
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a string" | "path string" => "text (digits alone need quotes)",
        wanted if wanted.starts_with("struct ") => "a table of keys",
        wanted => wanted,
    }
}

/// Where the operator wrote it: the variable, or the file.
fn origin(error: &figment::Error) -> String {
    let Some(metadata) = &error.metadata else { return String::new() };
    match &metadata.source {
        Some(figment::Source::File(path)) => format!(" (in {})", path.display()),
        _ if metadata.name.contains("environment") => {
            format!(" (from PARLANCE__{})", error.path.join("__").to_uppercase())
        }
        _ => String::new(),
    }
}

/// Keeps `Provider` in scope for `Figment::merge` on both TOML and environment.
const _: fn(&dyn Provider) = |_| {};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        Config::defaults().unwrap().validate().unwrap();
    }

    #[test]
    fn every_default_key_has_a_comment() {
        let mut commented = false;
        for line in DEFAULTS.lines().map(str::trim) {
            if line.starts_with('#') {
                commented = true;
            } else if line.is_empty() || line.starts_with('[') {
                commented = false;
            } else if line.contains('=') {
                assert!(commented, "no comment above: {line}");
                commented = false;
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let figment = Figment::from(Toml::string(DEFAULTS)).merge(Serialized::default("server.prot", 1));
        let error = figment.extract::<Config>().map_err(explain).unwrap_err();
        assert!(error.contains("prot") && error.contains("port"), "{error}");
    }

    #[test]
    fn an_impossible_value_names_its_key_and_what_is_right() {
        let mut config = Config::defaults().unwrap();
        config.chat.content_bytes_max = 0;
        config.server.stop_timeout_ms = 1;
        let error = config.validate().unwrap_err().to_string();
        assert!(
            error.contains("chat.content_bytes_max must be") && error.contains("server.stop_timeout_ms"),
            "{error}"
        );
    }

    #[test]
    fn secrets_are_masked() {
        let mut config = Config::defaults().unwrap();
        config.storage.database_url = Some("postgres://ada:hunter2@db/parlance".into());
        config.auth.token_secret = Some("a-secret-of-at-least-32-characters!".into());
        let shown = config.masked().unwrap();
        assert!(!shown.contains("hunter2") && !shown.contains("a-secret"), "{shown}");
    }

    #[test]
    fn the_example_of_the_readme_is_a_valid_configuration() {
        let readme = include_str!("../../README.md");
        let example = readme.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config: Config = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(example)).extract().unwrap();
        config.validate().unwrap();
        assert_eq!(config.auth.external.len(), 1);
    }

    #[test]
    fn a_key_in_the_configuration_is_checked_and_never_shown() {
        let mut config = Config::defaults().unwrap();
        config.vault.master_key = Some(crate::vault::Secret::from("hunter2-hunter2".to_owned()));
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains("PARLANCE__VAULT__MASTER_KEY") && error.contains("openssl rand -base64 32"), "{error}");
        let key = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
        config.vault.master_key = Some(crate::vault::Secret::from(key.to_owned()));
        config.validate().unwrap();
        let shown = format!("{error} {config:?} {config:#?} {}", config.masked().unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains(key) && shown.contains("***"), "{shown}");
        config.vault.master_key_file = Some("/etc/parlance/vault.key".into());
        assert!(config.validate().unwrap_err().to_string().contains("one place"));
    }
}
