//! The role under which people's reads run, and its rights: that they are there, and no more than they should be.
//!
//! Invariant: the role is bound by row level security. It is no superuser, does not bypass it, and has not the rights of
//! the tables' owner, whom no policy binds.

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

use super::config::StorageConfig;
use super::refusal::{Demand, quoted};
use super::surroundings::Surroundings;

/// The longest name that Postgres keeps whole.
const NAME_BYTES_MAX: usize = 63;

/// Two databases that change roles at once may meet in the role catalogue.
const TRIES: usize = 5;

/// The configured name, or one of this database's own: roles belong to the whole server.
pub(super) fn role_name(config: &StorageConfig, database: &str) -> String {
    if let Some(name) = &config.reader_role {
        return name.clone();
    }
    let name = format!("parlance_reader_{database}");
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    // Cut, two long names might be one.
    let digest = Sha256::digest(database.as_bytes());
    digest.iter().take(16).fold("parlance_reader_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// The role as it is; all false where there is none.
#[derive(Clone, Copy, Debug, Default, FromRow)]
struct Standing {
    exists: bool,
    is_unbound: bool,
    has_owner_rights: bool,
    can_be_taken: bool,
    may_be_granted: bool,
}

async fn look(connection: &mut PgConnection, role: &str, version: i32) -> Result<Standing, sqlx::Error> {
    // From 16 on, to be in a role and to be able to become it are two things.
    let taking = if version >= 160_000 { "SET" } else { "MEMBER" };
    let found: Option<Standing> = sqlx::query_as(
        "SELECT true AS exists, rolsuper OR rolbypassrls AS is_unbound,
                pg_has_role(oid, current_user, 'USAGE') AS has_owner_rights,
                pg_has_role(current_user, oid, $2) AS can_be_taken,
                pg_has_role(current_user, oid, 'MEMBER WITH ADMIN OPTION')
                    OR ($3 AND (SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user)) AS may_be_granted
         FROM pg_roles WHERE rolname = $1",
    )
    .bind(role)
    .bind(taking)
    .bind(version < 160_000)
    .fetch_optional(connection)
    .await?;
    Ok(found.unwrap_or_default())
}

fn create(role: &str) -> String {
    format!("CREATE ROLE {} NOLOGIN NOSUPERUSER NOBYPASSRLS;", quoted(role))
}

fn grant(role: &str, surroundings: &Surroundings) -> String {
    let options = if surroundings.version >= 160_000 { " WITH INHERIT FALSE, SET TRUE" } else { "" };
    format!("GRANT {} TO {}{options};", quoted(role), quoted(&surroundings.user))
}

/// What somebody with more rights has to do about the role before the engine can.
pub(super) async fn demands(
    connection: &mut PgConnection,
    role: &str,
    surroundings: &Surroundings,
) -> Result<Vec<Demand>, sqlx::Error> {
    let (name, user) = (quoted(role), quoted(&surroundings.user));
    let standing = look(connection, role, surroundings.version).await?;
    let mut demands = Vec::new();
    // First what takes something away: a role cannot be in one that is in it.
    if standing.is_unbound {
        demands.push(Demand::new(
            format!("row level security does not bind the role {name} (storage.reader_role), so that it would show everything to everybody"),
            format!("ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS;"),
        ));
    }
    if standing.exists && standing.has_owner_rights && role == surroundings.user {
        demands.push(Demand::new(
            format!("storage.reader_role names {user} itself, whom row level security does not bind; leave it empty, or name another role"),
            format!("{} {}", create(&format!("{role}_reader")), grant(&format!("{role}_reader"), surroundings)),
        ));
    } else if standing.exists && standing.has_owner_rights && !standing.is_unbound {
        demands.push(Demand::new(
            format!(
                "the role {name} (storage.reader_role) has the rights of {user}, whom row level security does not bind"
            ),
            format!("REVOKE {user} FROM {name};"),
        ));
    }
    if !standing.exists && !surroundings.may_create_roles {
        demands.push(Demand::new(
            format!("the role {name} (storage.reader_role), under which people's reads run, is missing, and {user} may not create roles"),
            format!("{} {}", create(role), grant(role, surroundings)),
        ));
    } else if standing.exists && !standing.can_be_taken && !standing.may_be_granted {
        demands.push(Demand::new(
            format!("{user} may not become the role {name} (storage.reader_role), under which people's reads run"),
            grant(role, surroundings),
        ));
    }
    let schemas = unusable_schemas(connection, role, surroundings).await?;
    if !schemas.is_empty() {
        let schemas = schemas.iter().map(|schema| quoted(schema)).collect::<Vec<_>>().join(", ");
        demands.push(Demand::new(
            format!("{user} may not use, or not let {name} use, the schema {schemas}"),
            format!("GRANT USAGE ON SCHEMA {schemas} TO {user} WITH GRANT OPTION;"),
        ));
    }
    Ok(demands)
}

/// Schemas that reads look into, and that we or the role may not use and cannot be let to.
async fn unusable_schemas(
    connection: &mut PgConnection,
    role: &str,
    surroundings: &Surroundings,
) -> Result<Vec<String>, sqlx::Error> {
    let schemas: Vec<&str> = surroundings.schemas().collect();
    sqlx::query_scalar(
        "SELECT name FROM unnest($2::text[]) AS name
         WHERE NOT has_schema_privilege('public', name, 'USAGE')
           AND NOT has_schema_privilege(name, 'USAGE WITH GRANT OPTION')
           AND NOT (has_schema_privilege(name, 'USAGE') AND EXISTS (
               SELECT FROM pg_roles WHERE rolname = $1 AND has_schema_privilege(oid, name, 'USAGE')))",
    )
    .bind(role)
    .bind(schemas)
    .fetch_all(connection)
    .await
}

/// Makes the role unless it is there, lets us read under it and it use our schemas, and tells its name to the migrations
/// of this connection.
pub(super) async fn prepare(
    connection: &mut PgConnection,
    role: &str,
    surroundings: &Surroundings,
) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('parlance.reader_role', $1, false)").bind(role).execute(&mut *connection).await?;
    if !look(connection, role, surroundings.version).await?.exists {
        tracing::info!(role, "making the role under which people's reads run");
        change_role(connection, &create(role)).await?;
    }
    if !look(connection, role, surroundings.version).await?.can_be_taken {
        change_role(connection, &grant(role, surroundings)).await?;
    }
    for schema in surroundings.schemas() {
        let may_use: bool = sqlx::query_scalar("SELECT has_schema_privilege($1, $2, 'USAGE')")
            .bind(role)
            .bind(schema)
            .fetch_one(&mut *connection)
            .await?;
        if !may_use {
            change_role(connection, &format!("GRANT USAGE ON SCHEMA {} TO {};", quoted(schema), quoted(role))).await?;
        }
    }
    Ok(())
}

/// Where another database has done the same, or is doing it right now, that is as good, or is done again.
async fn change_role(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    for tries in 1.. {
        let Err(error) = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await else { return Ok(()) };
        match error.as_database_error().and_then(|refusal| refusal.code()).as_deref() {
            // duplicate_object, unique_violation
            Some("42710" | "23505") => return Ok(()),
            // internal_error: "tuple concurrently updated"
            Some("XX000") if tries < TRIES => {}
            _ => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_database_has_a_role_of_its_own_whose_name_postgres_keeps_whole() {
        let mut config: StorageConfig = crate::testing::defaults("storage");
        assert_eq!(role_name(&config, "chat"), "parlance_reader_chat");
        let long = "x".repeat(62);
        let (one, other) = (role_name(&config, &format!("{long}1")), role_name(&config, &format!("{long}2")));
        assert!(one.len() <= NAME_BYTES_MAX && one != other, "{one} {other}");
        config.reader_role = Some("readers".into());
        assert_eq!(role_name(&config, "chat"), "readers");
    }
}
