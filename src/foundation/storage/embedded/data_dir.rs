//! The data folder: one engine at a time, and in a place where the server in it can live.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::DataDirError;
use super::{CLUSTER_FOLDER, SYSTEM_DIR};

/// The data folder of a running engine. The kernel lets go of the lock with the process, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// What lives in a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The embedded Postgres, beside the engine's keys.
    Postgres,
    /// The engine's keys: its Postgres is the operator's.
    KeysOnly,
}

impl DataDir {
    /// Absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Creates the folder if need be and takes it for this engine alone.
///
/// When we are root and the account that the embedded Postgres runs under cannot reach the configured folder (a clone
/// under `/root` is not one), the data lives in `/var/lib/parlance` instead, and the log says so.
pub fn open_data_dir(configured: &Path, holds: Holds) -> Result<DataDir, DataDirError> {
    let wanted = std::path::absolute(configured).map_err(not_writable(configured))?;
    let path = match holds {
        Holds::KeysOnly => wanted,
        Holds::Postgres => within_reach(wanted),
    };
    create(&path).map_err(not_writable(&path))?;
    take_data_dir(path)
}

/// The folder of an engine, running or not, in which there is a database already. Makes nothing: a command in the wrong
/// folder is told so.
pub fn find_data_dir(configured: &Path) -> Result<PathBuf, DataDirError> {
    let wanted = std::path::absolute(configured).map_err(not_writable(configured))?;
    let path = within_reach(wanted);
    match path.join(CLUSTER_FOLDER).join("PG_VERSION").try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(DataDirError::Missing { path }),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(DataDirError::Missing { path }),
        Err(source) => Err(DataDirError::NotReadable { path, source }),
    }
}

/// Takes a folder that [`find_data_dir`] found, if no engine holds it.
pub fn take_data_dir(path: PathBuf) -> Result<DataDir, DataDirError> {
    let lock = lock(&path)?;
    Ok(DataDir { path, _lock: lock })
}

fn not_writable(path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.to_owned();
    move |source| DataDirError::NotWritable { path, source }
}

pub(super) fn within_reach(wanted: PathBuf) -> PathBuf {
    // Without any account the start of Postgres fails with that reason.
    let reached = Account::choose(&wanted.join(CLUSTER_FOLDER))
        .map_or(Ok(()), |account| if account.reaches(&wanted) { Ok(()) } else { Err(account.name) });
    match reached {
        Ok(()) => wanted,
        Err(user) => {
            tracing::info!(
                configured = %wanted.display(),
                used = SYSTEM_DIR,
                "Postgres runs as the user `{user}`, who cannot reach the configured data folder: using {SYSTEM_DIR}"
            );
            PathBuf::from(SYSTEM_DIR)
        }
    }
}

/// Others may pass through to the server's own folder, but not look around.
fn create(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o755).create(path)?;
    // Again, because the process's umask may have taken bits away.
    fs::set_permissions(path, fs::Permissions::from_mode(0o711))
}

fn lock(folder: &Path) -> Result<File, DataDirError> {
    let path = folder.join("parlance.lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|source| DataDirError::NotWritable { path: folder.to_owned(), source })?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(DataDirError::InUse { path: folder.to_owned(), pid });
        }
        Err(TryLockError::Error(source)) => {
            return Err(DataDirError::NotLockable { path: folder.to_owned(), source });
        }
    }
    // The process id is for the message that a second engine prints; the lock itself is the kernel's.
    let note = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    note(&mut file).map_err(|source| DataDirError::NotWritable { path: folder.to_owned(), source })?;
    Ok(file)
}
