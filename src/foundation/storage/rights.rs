//! What guards the reads made for people: policies, and what the reader role may read. Kept in `reader_rights`, so that
//! what a restore left out, or somebody took away, is made again at start and told by `/readyz` meanwhile.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::refusal::quoted;

/// The guards as they are, each with its name and the statement that makes it. A grant's ends before `TO`, because the
/// role's name is a setting.
const LIVE: &str = "
    WITH own AS (
        SELECT oid, relname, relacl, relrowsecurity FROM pg_class
        WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    ), reader AS (
        SELECT oid FROM pg_roles WHERE rolname = $1
    )
    SELECT format('%s ON %I', acl.privilege_type, relname) AS what,
           format('GRANT %s ON %I', acl.privilege_type, relname) AS statement
    FROM own CROSS JOIN LATERAL aclexplode(relacl) AS acl JOIN reader ON reader.oid = acl.grantee
    UNION ALL
    SELECT format('%s (%I) ON %I', acl.privilege_type, attname, relname),
           format('GRANT %s (%I) ON %I', acl.privilege_type, attname, relname)
    FROM own JOIN pg_attribute ON attrelid = own.oid AND NOT attisdropped
         CROSS JOIN LATERAL aclexplode(attacl) AS acl JOIN reader ON reader.oid = acl.grantee
    UNION ALL
    SELECT format('row level security of %I', relname), format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', relname)
    FROM own WHERE relrowsecurity
    UNION ALL
    SELECT format('policy %I of %I', policyname, tablename),
           format('CREATE POLICY %I ON %I AS %s FOR %s', policyname, tablename, permissive, cmd)
               || COALESCE(' USING (' || qual || ')', '') || COALESCE(' WITH CHECK (' || with_check || ')', '')
    FROM pg_policies WHERE schemaname = current_schema()";

/// Remembers the guards as the migrations up to `version` left them.
pub(super) async fn remember(connection: &mut PgConnection, role: &str, version: i64) -> Result<(), sqlx::Error> {
    grant_functions(connection, role).await?;
    let mut transaction = connection.begin().await?;
    sqlx::query("DELETE FROM reader_rights").execute(&mut *transaction).await?;
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO reader_rights (what, statement, as_of) SELECT what, statement, $2 FROM ({LIVE}) AS live"
    )))
    .bind(role)
    .bind(version)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// Whether what is remembered is what the migrations up to `version` left.
pub(super) async fn are_remembered(connection: &mut PgConnection, version: i64) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) > 0 AND bool_and(as_of = $1) FROM reader_rights")
        .bind(version)
        .fetch_one(connection)
        .await
}

/// What policies call may have been taken from everybody by default.
async fn grant_functions(connection: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let missing: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regprocedure::text FROM pg_proc
         WHERE pronamespace = quote_ident(current_schema())::regnamespace AND starts_with(proname, 'parlance_')
           AND prorettype <> 'trigger'::regtype AND NOT has_function_privilege($1, oid, 'EXECUTE')",
    )
    .bind(role)
    .fetch_all(&mut *connection)
    .await?;
    for function in missing {
        let grant = format!("GRANT EXECUTE ON FUNCTION {function} TO {}", quoted(role));
        sqlx::raw_sql(AssertSqlSafe(grant)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The guards that are not there, each with its statement.
pub(super) async fn missing(connection: &mut PgConnection, role: &str) -> Result<Vec<(String, String)>, sqlx::Error> {
    // Tables that are gone are another trouble.
    sqlx::query_as(AssertSqlSafe(format!(
        "SELECT what, statement || CASE WHEN starts_with(statement, 'GRANT ') THEN ' TO ' || quote_ident($1) ELSE '' END
         FROM reader_rights
         WHERE what NOT IN (SELECT what FROM ({LIVE}) AS live)
         ORDER BY what"
    )))
    .bind(role)
    .fetch_all(connection)
    .await
}

/// Makes the guards that are missing.
pub(super) async fn repair(connection: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    grant_functions(connection, role).await?;
    let missing = missing(connection, role).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let what: Vec<_> = missing.iter().map(|(what, _)| what.as_str()).collect();
    tracing::warn!(missing = what.join(", "), "what guards people's reads was not all there; making it again");
    for (_, statement) in &missing {
        sqlx::raw_sql(AssertSqlSafe(&**statement)).execute(&mut *connection).await?;
    }
    Ok(())
}
