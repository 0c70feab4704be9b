//! The data itself: making it, its password, and the database `parlance` in it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rand::distr::{Alphanumeric, SampleString};
use sqlx::PgConnection;
use tokio::io::AsyncWriteExt;

use super::account::Account;
use super::error::EmbeddedError;
use super::install::Install;
use super::process::{KillGroup, clean_command};
use super::{CLUSTER_FOLDER, server_log};

/// The owner of everything in the cluster.
pub(super) const USER: &str = "parlance";
pub(super) const DATABASE: &str = "parlance";
/// About 190 bits.
const PASSWORD_CHARS: usize = 32;
/// A half-made cluster has a name that starts so; a whole one never does.
const UNFINISHED: &str = "postgres.initdb-";

/// Paths of one cluster inside the data folder.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub dir: PathBuf,
    pub log: PathBuf,
    pub password_file: PathBuf,
    parent: PathBuf,
}

impl Cluster {
    pub fn new(data_dir: &Path) -> Self {
        Self {
            dir: data_dir.join(CLUSTER_FOLDER),
            log: data_dir.join("postgres.log"),
            password_file: data_dir.join("postgres.password"),
            parent: data_dir.to_owned(),
        }
    }

    /// The major version that made the data; `None` before the first start.
    pub fn major(&self) -> Result<Option<u32>, EmbeddedError> {
        match fs::read_to_string(self.dir.join("PG_VERSION")) {
            Ok(text) => match text.trim().parse() {
                Ok(major) => Ok(Some(major)),
                Err(_) => Err(EmbeddedError::NotACluster { path: self.dir.clone() }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.is_absent() {
                    Ok(None)
                } else {
                    Err(EmbeddedError::NotACluster { path: self.dir.clone() })
                }
            }
            Err(source) => Err(EmbeddedError::io("read PG_VERSION in", &self.dir)(source)),
        }
    }

    /// Postgres insists on owning its data; better to say so here than in its log.
    pub fn check_owner(&self, account: &Account) -> Result<(), EmbeddedError> {
        match fs::metadata(&self.dir) {
            Ok(found) if found.uid() != account.uid() && !self.is_absent() => {
                Err(EmbeddedError::OtherOwner { path: self.dir.clone(), owner: found.uid(), us: account.uid() })
            }
            _ => Ok(()),
        }
    }

    /// An empty folder is as good as none: the new data takes its place.
    fn is_absent(&self) -> bool {
        match fs::read_dir(&self.dir) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Makes the cluster under another name and renames it when it is whole: a start that is killed half-way leaves
    /// nothing that looks like data.
    pub async fn create(&self, install: &Install, account: &Account) -> Result<(), EmbeddedError> {
        let fresh = self.parent.join(format!("{UNFINISHED}{}", Alphanumeric.sample_string(&mut rand::rng(), 8)));
        DirBuilder::new().mode(0o700).create(&fresh).map_err(EmbeddedError::io("create", &fresh))?;
        account.own(&fresh)?;
        let made = self.initdb(install, account, &fresh).await;
        let kept = made.and_then(|()| {
            fs::rename(&fresh, &self.dir).map_err(EmbeddedError::io("rename the new database to", &self.dir))?;
            let parent = File::open(&self.parent).and_then(|folder| folder.sync_all());
            parent.map_err(EmbeddedError::io("write to disk", &self.parent))
        });
        if kept.is_err() {
            let _ = fs::remove_dir_all(&fresh);
        }
        kept
    }

    async fn initdb(&self, install: &Install, account: &Account, fresh: &Path) -> Result<(), EmbeddedError> {
        let mut command = clean_command(&install.bin.join("initdb"), account);
        command
            .arg("--pgdata")
            .arg(fresh)
            .arg(format!("--username={USER}"))
            .arg("--pwfile")
            .arg(&self.password_file)
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"]);
        // Orders by code point like C, but knows the letters of all languages; from 17 on in every build alike.
        match install.major {
            17.. => command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]),
            _ => command.arg("--lc-ctype=C.UTF-8"),
        };
        let run = async {
            let child = command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            // Initdb runs servers of its own: a start that is broken off ends them with it.
            let _group = child.id().map(KillGroup);
            child.wait_with_output().await
        };
        let output = run.await.map_err(EmbeddedError::io("run", install.bin.join("initdb")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let output = server_log::last_lines(&String::from_utf8_lossy(&said));
        Err(EmbeddedError::Initdb { path: self.parent.clone(), output })
    }

    /// What starts that were killed half-way have left.
    pub fn remove_unfinished(&self) {
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                tracing::info!(folder = %entry.path().display(), "removing a database whose making was interrupted");
                // An initdb that lost its engine may still be writing there; what stays goes at the next start.
                if let Err(error) = fs::remove_dir_all(entry.path()) {
                    tracing::debug!(%error, "not all of it could be removed");
                }
            }
        }
    }

    /// The password of [`USER`], made on first use. Its file belongs to the account, because initdb reads it too.
    pub async fn password(&self, install: &Install, account: &Account) -> Result<String, EmbeddedError> {
        match fs::read_to_string(&self.password_file) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(EmbeddedError::io("read", &self.password_file)(source)),
        }
        let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_CHARS);
        if self.major()?.is_some() {
            tracing::warn!(file = %self.password_file.display(), "the password of Postgres is missing: setting a new one");
            self.set_password(install, account, &password).await?;
        }
        self.write_password(&password, account)?;
        Ok(password)
    }

    fn write_password(&self, password: &str, account: &Account) -> Result<(), EmbeddedError> {
        let fresh = self.password_file.with_added_extension("new");
        let _ = fs::remove_file(&fresh);
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
            writeln!(file, "{password}")?;
            file.sync_all()
        };
        write().map_err(EmbeddedError::io("write", &fresh))?;
        account.own(&fresh)?;
        fs::rename(&fresh, &self.password_file).map_err(EmbeddedError::io("write", &self.password_file))
    }

    /// In single-user mode, which asks for none. The server must not be running.
    async fn set_password(&self, install: &Install, account: &Account, password: &str) -> Result<(), EmbeddedError> {
        let postgres = install.bin.join("postgres");
        let mut command = clean_command(&postgres, account);
        command.arg("--single").arg("-D").arg(&self.dir).arg("postgres");
        let run = async {
            let mut child = command
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            if let Some(mut input) = child.stdin.take() {
                input.write_all(format!("ALTER ROLE {USER} PASSWORD '{password}'\n").as_bytes()).await?;
            }
            child.wait_with_output().await
        };
        let output = run.await.map_err(EmbeddedError::io("run", &postgres))?;
        // Single-user mode exits with success after a statement that failed.
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() && !said.contains("ERROR:") {
            return Ok(());
        }
        let tail = server_log::last_lines(&said);
        Err(EmbeddedError::Died { status: output.status.to_string(), log: self.log.clone(), tail })
    }
}

/// Creates the engine's database on the first start.
pub(super) async fn ensure_database(connection: &mut PgConnection) -> Result<(), EmbeddedError> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut *connection)
        .await
        .map_err(EmbeddedError::CreateDatabase)?;
    if !exists {
        sqlx::query("CREATE DATABASE parlance").execute(connection).await.map_err(EmbeddedError::CreateDatabase)?;
    }
    Ok(())
}
