//! The role under which people's reads run: its name, and that it is there.

use sqlx::PgConnection;

use super::config::StorageConfig;

/// The longest name that Postgres keeps whole.
const NAME_BYTES_MAX: usize = 63;

/// The configured name, or one of this database's own: roles belong to the whole server.
pub(super) fn role_name(config: &StorageConfig, database: &str) -> String {
    let mut name = config.reader_role.clone().unwrap_or_else(|| format!("parlance_reader_{database}"));
    while name.len() > NAME_BYTES_MAX {
        name.pop();
    }
    name
}

/// Makes the role unless it is there, lets the owner read under it, and tells its name to the migrations of this
/// connection. Another engine may be doing the same right now.
pub(super) async fn prepare(connection: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('parlance.reader_role', $1, false)").bind(role).execute(&mut *connection).await?;
    sqlx::raw_sql(
        "DO $$
         DECLARE
             reader CONSTANT text := current_setting('parlance.reader_role');
         BEGIN
             BEGIN
                 IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
                     EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', reader);
                 END IF;
             EXCEPTION
                 WHEN duplicate_object OR unique_violation THEN NULL;
             END;
             IF NOT pg_has_role(current_user, reader, 'USAGE') THEN
                 EXECUTE format('GRANT %I TO %I', reader, current_user);
             END IF;
         EXCEPTION
             WHEN unique_violation THEN NULL;
             -- Two that grant at once may update the same row of the role catalogue.
             WHEN internal_error THEN
                 IF SQLERRM NOT LIKE '%concurrently updated%' THEN RAISE; END IF;
         END
         $$",
    )
    .execute(connection)
    .await
    .map(|_| ())
}
