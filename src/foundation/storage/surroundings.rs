//! What Postgres is like before anything is done to it: version, schema, rights, limits.

use sqlx::{FromRow, PgConnection};

use super::refusal::{Demand, quoted};

/// Oldest Postgres that the migrations run on: 15 has `security_invoker` views and `NULLS NOT DISTINCT`.
pub(super) const OLDEST_POSTGRES: i32 = 150_000;

/// What the tables are made of.
const EXTENSIONS: [&str; 2] = ["citext", "pg_trgm"];

/// As the connecting user sees it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Surroundings {
    pub version: i32,
    pub version_text: String,
    pub database: String,
    pub user: String,
    /// Where new tables go; `None` when `search_path` names no schema that exists.
    pub schema: Option<String>,
    /// As it is set, for a message.
    search_path: String,
    encoding: String,
    pub is_superuser: bool,
    pub may_create_roles: bool,
    may_create_in_schema: bool,
    may_create_extensions: bool,
    /// Those of ours that are there.
    extensions: Vec<String>,
    extension_schemas: Vec<String>,
    available_extensions: Vec<String>,
    role_connections_max: i32,
    database_connections_max: i32,
    server_connections_max: i32,
}

impl Surroundings {
    pub async fn look(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        // ASCII only: a database in another encoding could not read anything else.
        sqlx::query_as(
            "SELECT current_setting('server_version_num')::int AS version,
                    current_setting('server_version') AS version_text,
                    d.datname::text AS database, current_user::text AS user, current_schema()::text AS schema,
                    current_setting('search_path') AS search_path,
                    pg_encoding_to_char(d.encoding)::text AS encoding,
                    r.rolsuper AS is_superuser, r.rolsuper OR r.rolcreaterole AS may_create_roles,
                    COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create_in_schema,
                    has_database_privilege(d.oid, 'CREATE') AS may_create_extensions,
                    e.extensions, e.extension_schemas,
                    ARRAY(SELECT name::text FROM pg_available_extensions WHERE name = ANY($1)) AS available_extensions,
                    r.rolconnlimit AS role_connections_max, d.datconnlimit AS database_connections_max,
                    current_setting('max_connections')::int
                        - CASE WHEN r.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
                               + COALESCE(current_setting('reserved_connections', true)::int, 0) END
                        AS server_connections_max
             FROM pg_database d
             JOIN pg_roles r ON r.rolname = current_user
             CROSS JOIN (
                 SELECT COALESCE(array_agg(extname::text), '{}') AS extensions,
                        COALESCE(array_agg(DISTINCT nspname::text), '{}') AS extension_schemas
                 FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
                 WHERE extname = ANY($1)
             ) AS e
             WHERE d.datname = current_database()",
        )
        .bind(EXTENSIONS.as_slice())
        .fetch_one(connection)
        .await
    }

    pub fn is_too_old(&self) -> bool {
        self.version < OLDEST_POSTGRES
    }

    /// Our schema, then those that our extensions are in: citext's operators are found by name. `pg_temp` last, where it
    /// would be first if it were not named.
    pub fn search_path(&self) -> String {
        self.schemas().chain(["pg_temp"]).map(quoted).collect::<Vec<_>>().join(", ")
    }

    /// Every schema that reads look into.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        let own = self.schema.as_deref();
        let others = self.extension_schemas.iter().map(String::as_str).filter(move |schema| Some(*schema) != own);
        own.into_iter().chain(others)
    }

    /// What making the tables needs besides.
    pub fn demands_for_tables(&self) -> Vec<Demand> {
        [self.demand_creating(), self.demand_extensions()].into_iter().flatten().collect()
    }

    /// Somewhere to have tables, whether they are there already or not.
    pub fn demand_schema(&self) -> Option<Demand> {
        if self.schema.is_some() {
            return None;
        }
        let mut wanted = self.search_path.split(',').map(|name| name.trim().trim_matches('"'));
        let wanted = wanted.find(|name| !name.is_empty() && *name != "$user").unwrap_or("parlance").to_owned();
        let user = quoted(&self.user);
        Some(Demand::new(
            format!("the search_path of {user} ({}) names no schema that exists", self.search_path),
            format!("CREATE SCHEMA {} AUTHORIZATION {user};", quoted(&wanted)),
        ))
    }

    /// Another database: nothing else about this one matters then.
    pub fn demand_encoding(&self) -> Option<Demand> {
        if self.encoding == "UTF8" {
            return None;
        }
        let locale = match self.version {
            170_000.. => "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
            _ => "LOCALE 'C.UTF-8'",
        };
        Some(Demand::new(
            format!(
                "the database {} is in the encoding {}, which cannot hold what people write; it has to be UTF8, and a \
                 database keeps its encoding for good, so make a new one and name it in DATABASE_URL",
                self.database, self.encoding
            ),
            format!(
                "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' {locale};",
                quoted(&format!("{}_utf8", self.database)),
                quoted(&self.user)
            ),
        ))
    }

    fn demand_creating(&self) -> Option<Demand> {
        let schema = self.schema.as_deref().filter(|_| !self.may_create_in_schema)?;
        let (schema, user) = (quoted(schema), quoted(&self.user));
        Some(Demand::new(
            format!("{user} may not create tables in the schema {schema}"),
            format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {user};"),
        ))
    }

    fn demand_extensions(&self) -> Option<Demand> {
        let is_there = |list: &[String], name: &str| list.iter().any(|known| known == name);
        let missing: Vec<_> = EXTENSIONS.into_iter().filter(|name| !is_there(&self.extensions, name)).collect();
        let unavailable = missing.iter().filter(|name| !is_there(&self.available_extensions, name)).count();
        let statement: String =
            missing.iter().map(|name| format!("CREATE EXTENSION {name};")).collect::<Vec<_>>().join(" ");
        let missing = missing.join(" and ");
        match (missing.is_empty(), unavailable) {
            (true, _) => None,
            (false, 0) if self.may_create_extensions => None,
            (false, 0) => {
                let problem = format!("{missing} missing here, and {} may not create extensions", quoted(&self.user));
                Some(Demand::new(problem, statement))
            }
            (false, _) => Some(Demand::new(
                format!("the server lacks the files of {missing} (Debian: the package postgresql-contrib)"),
                statement,
            )),
        }
    }

    /// The bound that `wanted` connections would reach, and how to move it.
    pub fn limit_below(&self, wanted: i32) -> Option<Demand> {
        let (user, database) = (quoted(&self.user), quoted(&self.database));
        let limits = [
            (
                self.role_connections_max,
                format!("the role {user}"),
                format!("ALTER ROLE {user} CONNECTION LIMIT {wanted};"),
            ),
            (
                self.database_connections_max,
                format!("the database {database}"),
                format!("ALTER DATABASE {database} CONNECTION LIMIT {wanted};"),
            ),
            (
                self.server_connections_max,
                "the server".to_owned(),
                format!("ALTER SYSTEM SET max_connections = {}; -- then restart Postgres", wanted + 20),
            ),
        ];
        // Negative: no limit. Superusers are bound by the server's only.
        let is_reached = |limit: i32| (0..wanted).contains(&limit);
        let (limit, whose, statement) = limits
            .into_iter()
            .enumerate()
            .find(|(index, (limit, ..))| is_reached(*limit) && (*index == 2 || !self.is_superuser))?
            .1;
        Some(Demand::new(format!("{whose} allows {limit} connections, and this engine may want {wanted}"), statement))
    }
}

/// Whether searches know letters beyond ASCII here: under a C locale `lower` leaves them alone. Of a UTF8 database only.
pub(super) async fn knows_letters(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT lower(chr(201)) = chr(233)").fetch_one(connection).await
}
