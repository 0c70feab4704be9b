//! Behind PgBouncer: session mode works, transaction mode is refused by name.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::unistd::geteuid;
use tokio::net::TcpStream;

use crate::storage::StorageError;
use crate::testing::process::{free_port, until};
use crate::testing::{DataFolder, Dba};

/// A PgBouncer before the test's server, in the mode that each database has in its settings.
struct Bouncer {
    child: Child,
    port: u16,
    folder: DataFolder,
}

impl Bouncer {
    async fn start(dba: &Dba, user: &str, database: &str) -> Self {
        let (folder, port) = (DataFolder::new(), free_port());
        let server = dba.server();
        let socket = server.get_socket().expect("tests run on a socket").display().to_string();
        let line = |name: &str, mode: &str| {
            format!(
                "{name} = host={socket} port={} dbname={database} user={user} pool_mode={mode} pool_size=24\n",
                server.get_port()
            )
        };
        let modes = ["session", "transaction", "statement"].map(|mode| line(mode, mode)).concat();
        let settings = format!(
            "[databases]\n{modes}[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n\
             unix_socket_dir =\nlogfile = {log}\n",
            log = folder.join("pgbouncer.log").display()
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        // Debian puts it where only root's PATH leads.
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| Path::new(path).is_file());
        let mut command = Command::new(program.expect("make test installs PgBouncer"));
        // It refuses to be root.
        if geteuid().is_root() {
            command.args(["-u", "postgres"]);
        }
        let child =
            command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let bouncer = Self { child, port, folder };
        until("PgBouncer listens", async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        bouncer
    }

    fn url(&self, user: &str, mode: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{mode}", self.port)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = &self.folder;
    }
}

#[actix_rt::test]
async fn a_pooler_works_by_session_and_is_refused_by_transaction() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    let bouncer = Bouncer::start(&dba, &user, &database).await;
    for mode in ["transaction", "statement"] {
        let refused = dba.open(&bouncer.url(&user, mode)).await.unwrap_err();
        assert!(matches!(refused, StorageError::TransactionPooler { .. }), "{mode}: {refused}");
        assert!(refused.to_string().contains("pool_mode=session"), "{refused}");
    }
    super::works(&bouncer.url(&user, "session")).await;
}
