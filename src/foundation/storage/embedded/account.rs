//! Who Postgres runs as. It refuses to run as root, so a root engine lends it an unprivileged account; every file
//! of the server then belongs to that account, and every folder on the way must let it pass.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User, getegid, geteuid};
use tokio::process::Command;

use super::error::EmbeddedError;

/// The user and group of the server's processes and files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub name: String,
    uid: u32,
    gid: u32,
    /// Whether that is somebody else than the engine, which is then root.
    borrowed: bool,
}

impl Account {
    /// Whoever owns `cluster` already, so that a folder made by an ordinary user works for root too and stays that
    /// user's; for a new one `postgres`, else `nobody`. An ordinary user is always itself.
    pub fn choose(cluster: &Path) -> Result<Self, EmbeddedError> {
        if !geteuid().is_root() {
            return Ok(Self::ourselves());
        }
        if let Ok(owner) = fs::metadata(cluster)
            && owner.uid() != 0
        {
            return Ok(Self { name: user_name(owner.uid()), uid: owner.uid(), gid: owner.gid(), borrowed: true });
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .filter(|user| !user.uid.is_root())
            .map(|user| Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), borrowed: true })
            .ok_or(EmbeddedError::NoAccount)
    }

    fn ourselves() -> Self {
        let uid = geteuid().as_raw();
        Self { name: user_name(uid), uid, gid: getegid().as_raw(), borrowed: false }
    }

    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Whether the account can pass through every folder on the way to `path`, and read and enter `path` itself
    /// where that exists. Mode bits only: whoever uses ACLs names a folder that also passes this test.
    pub fn reaches(&self, path: &Path) -> bool {
        !self.borrowed || existing_part(path).is_some_and(|path| path.ancestors().all(|part| self.may_enter(part)))
    }

    fn may_enter(&self, path: &Path) -> bool {
        let Ok(found) = fs::metadata(path) else { return false };
        // A file where a folder should be is nobody's lack of rights; whoever uses the path reports it better.
        if !found.is_dir() {
            return true;
        }
        let bit = if found.uid() == self.uid {
            0o100
        } else if found.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        found.mode() & bit != 0
    }

    /// Makes the account the owner of `path`.
    pub fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.borrowed {
            chown(path, Some(self.uid), Some(self.gid)).map_err(EmbeddedError::io("change the owner of", path))?;
        }
        Ok(())
    }

    /// Makes `command` run as the account. The standard library drops root's supplementary groups with the user id.
    pub fn run_as(&self, command: &mut Command) {
        if self.borrowed {
            command.uid(self.uid).gid(self.gid);
        }
    }
}

/// The deepest part of `path` that exists, without symbolic links.
fn existing_part(path: &Path) -> Option<PathBuf> {
    path.ancestors().find_map(|part| fs::canonicalize(part).ok())
}

fn user_name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
