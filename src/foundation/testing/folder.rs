//! Where tests keep the data of engines and servers that they start.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

/// A folder that goes when it is dropped, in that of `PARLANCE_TEST_FOLDER`, or in /tmp: the path of a socket is short.
/// Open to others, because a root engine lends Postgres another user, who must get there.
pub fn open_folder() -> TempDir {
    let parent = std::env::var_os("PARLANCE_TEST_FOLDER").unwrap_or_else(|| "/tmp".into());
    let folder = tempfile::Builder::new().prefix("parlance-test-").tempdir_in(parent).unwrap();
    set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}
