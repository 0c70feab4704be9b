//! Secrets in the data folder: made once or replaced as a whole, readable by the engine's own user only.
//!
//! Invariant: a file is complete from the moment it can be seen under its name, and the first one stays; of
//! two engines that start at once, both read the same secret.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// A file that is written aside is there for moments.
const LEFT_AFTER: std::time::Duration = std::time::Duration::from_secs(60);

/// 256 random bits as 43 URL-safe characters.
pub fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// The content of `path`, written by `make` when the file is not there yet.
pub fn read_or_make<T: AsRef<str>>(path: &Path, make: impl FnOnce() -> T) -> anyhow::Result<Zeroizing<String>> {
    if let Some(content) = read(path)? {
        return Ok(content);
    }
    write_once(path, make().as_ref())?;
    read(path)?.with_context(|| format!("{} vanished while it was made", path.display()))
}

/// The content of `path`, or `None` when there is no such file.
pub fn read(path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    // Copied back from a backup, say: whoever else could read it, no longer can.
    if metadata.permissions().mode() & 0o077 != 0 {
        told_of_restriction(path, fs::set_permissions(path, Permissions::from_mode(0o600)))?;
    }
    fs::read_to_string(path)
        .map(|content| Some(Zeroizing::new(content)))
        .with_context(|| format!("cannot read {}", path.display()))
}

/// A file that is mounted read-only, as orchestrators mount secrets, is for its mount to restrict: it is read all the same.
fn told_of_restriction(path: &Path, restricted: std::io::Result<()>) -> anyhow::Result<()> {
    match restricted {
        Ok(()) => {
            tracing::warn!(path = %path.display(), "a secret was readable by others; its permissions are now 0600");
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => {
            tracing::warn!(path = %path.display(), "a secret on a read-only mount can be read by others: mount it with 0400");
            Ok(())
        }
        Err(error) => {
            Err(error).with_context(|| format!("cannot restrict {}: give it permissions 0600", path.display()))
        }
    }
}

/// Removes what a write that was cut off left beside `path`: a secret that nobody looks after. What is younger than a minute
/// may be a write that is under way.
pub fn remove_leftovers(path: &Path) -> anyhow::Result<()> {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem().and_then(|stem| stem.to_str())) else {
        return Ok(());
    };
    let is_aside = |name: &str| {
        let random = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".new"));
        random.is_some_and(|random| random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot look into {}", folder.display()))?,
    };
    for entry in entries {
        let entry = entry?;
        let is_left =
            || Ok::<_, std::io::Error>(entry.metadata()?.modified()?.elapsed().unwrap_or_default() > LEFT_AFTER);
        if entry.file_name().to_str().is_some_and(is_aside) && is_left()? {
            fs::remove_file(entry.path()).with_context(|| format!("cannot remove {}", entry.path().display()))?;
            tracing::warn!(path = %entry.path().display(), "a write of a secret was cut off; what it left was removed");
        }
    }
    Ok(())
}

/// Puts `content` in the place of what `path` has, with the same owner: an operator's command may run as another user than
/// the engine. Whoever reads meanwhile gets the one or the other whole.
pub fn replace(path: &Path, content: &str) -> anyhow::Result<()> {
    // What a link leads to is replaced, not the link.
    let path = &fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))?;
    let owner = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let aside = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (owner.uid(), owner.gid()) {
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        // The name, too, is on disk before anything leans on it.
        File::open(path.parent().unwrap_or(path))?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written.with_context(|| format!("cannot write {}; may you write to it and its folder?", path.display()))
}

/// Written aside, then linked: unlike a rename, a link fails when the name is taken.
fn write_once(path: &Path, content: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("a secret needs a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create the data folder {}", folder.display()))?;
    let aside = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&aside, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    })();
    let _ = fs::remove_file(&aside);
    written.with_context(|| format!("cannot write {}; is the data folder writable?", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_makes_it_at_once_reads_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/token.key");
        let secrets: Vec<String> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..16).map(|_| scope.spawn(|| read_or_make(&path, random_text).unwrap())).collect();
            makers.into_iter().map(|maker| maker.join().unwrap().to_string()).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0] && secret.len() == 43));
        let names: Vec<_> =
            fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["token.key"], "nothing is left aside");
    }

    #[test]
    fn only_the_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.key");
        read_or_make(&path, random_text).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        read(&path).unwrap();
        assert_eq!(mode(&path), 0o600, "loosened permissions are tightened");
    }

    #[test]
    fn what_is_replaced_is_replaced_whole_and_stays_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("vault.key"), folder.path().join("link"));
        assert!(replace(&path, "new").is_err(), "nothing is there");
        read_or_make(&path, random_text).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(read(&path).unwrap().as_deref().map(String::as_str), Some("new"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left aside");
    }

    #[test]
    fn a_read_only_mount_is_read_and_whatever_else_cannot_be_restricted_is_not() {
        let path = Path::new("vault.key");
        assert!(told_of_restriction(path, Err(ErrorKind::ReadOnlyFilesystem.into())).is_ok());
        let refused = told_of_restriction(path, Err(ErrorKind::PermissionDenied.into())).unwrap_err();
        assert!(refused.to_string().contains("0600"), "{refused}");
    }

    #[test]
    fn what_a_write_left_is_removed_once_it_is_old_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.key");
        let (old, young) = ("vault.0123456789abcdef.new", "vault.fedcba9876543210.new");
        let others =
            ["vault.key", young, "vault.short.new", "other.0123456789abcdef.new", "vault.0123456789abcdef.old"];
        for name in others.iter().chain([&old]) {
            let file = File::create(folder.path().join(name)).unwrap();
            if *name != young {
                file.set_modified(file.metadata().unwrap().modified().unwrap() - LEFT_AFTER * 2).unwrap();
            }
        }
        remove_leftovers(&path).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        let mut expected: Vec<_> = others.iter().map(std::ffi::OsString::from).collect();
        expected.sort();
        assert_eq!(left, expected);
        assert!(remove_leftovers(&folder.path().join("nowhere/vault.key")).is_ok());
    }
}
