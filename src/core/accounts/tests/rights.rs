//! What reads for a user can reach: the tables' own rules, whatever a query asks for.

use sqlx::{AssertSqlSafe, Executor};

use super::bench::{Bench, PASSWORD};
use crate::accounts::store::users;
use parlance_foundation::ids::UserId;

/// Whether a user's read may run this at all; what it returned, if so.
async fn rows_for(bench: &Bench, user: UserId, query: &str) -> Result<usize, String> {
    let mut conn = bench.database.storage.read_as(user).await.unwrap();
    let rows = conn.fetch_all(AssertSqlSafe(query)).await;
    rows.map(|rows| rows.len()).map_err(|error| error.to_string())
}

#[actix_web::test]
async fn a_read_for_a_user_sees_people_but_only_the_own_account_and_devices() {
    let bench = Bench::new().await;
    let (ada, _ben) = (bench.register("ada").await.user.id, bench.register("ben").await.user.id);
    bench.login("ada", PASSWORD).await.unwrap();
    let allowed = [
        ("SELECT id, username, full_name, avatar_url, status_message, created_at, disabled_at FROM users", 2),
        ("SELECT * FROM user_directory", 2),
        ("SELECT email, role, phone, preferences, last_sign_in_at FROM accounts", 1),
        ("SELECT id, device_id, device_name, last_used_at, revoked_at FROM token_families", 2),
    ];
    for (query, rows) in allowed {
        assert_eq!(rows_for(&bench, ada, query).await, Ok(rows), "{query}");
    }
}

#[actix_web::test]
async fn a_read_for_a_user_reaches_no_secret_and_writes_nothing() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await.user.id;
    let forbidden = [
        "SELECT password_hash FROM accounts",
        "SELECT * FROM accounts",
        "SELECT * FROM users",
        "SELECT last_seen_at FROM users",
        "SELECT hash FROM refresh_tokens",
        "SELECT 1 FROM refresh_tokens",
        "SELECT subject FROM external_identities",
        "UPDATE accounts SET role = 'admin'",
        "UPDATE users SET username = 'root'",
        "INSERT INTO external_identities VALUES ('x', 'y', parlance_user_id(), now())",
        "DELETE FROM token_families",
        "SET LOCAL transaction_read_only = off; UPDATE accounts SET role = 'admin'",
    ];
    for query in forbidden {
        let error = rows_for(&bench, ada, query).await.expect_err(query);
        let refused = ["permission denied", "read-only transaction", "must be set before any query"];
        assert!(refused.iter().any(|text| error.contains(text)), "{query}: {error}");
    }
}

#[actix_web::test]
async fn the_readers_role_sees_nobody_without_a_user() {
    let bench = Bench::new().await;
    bench.register("ada").await;
    let mut conn = bench.database.storage.engine().begin().await.unwrap();
    let role = "SELECT set_config('role', 'parlance_reader_tests', true)";
    conn.execute(role).await.unwrap();
    for query in ["SELECT id FROM users", "SELECT * FROM user_directory", "SELECT email FROM accounts"] {
        assert!(conn.fetch_all(query).await.unwrap().is_empty(), "{query}");
    }
}

#[actix_web::test]
async fn the_tables_refuse_what_the_engine_should_never_write() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await.user.id;
    let statements = [
        "UPDATE users SET username = 'a b'",
        "UPDATE users SET full_name = ''",
        "UPDATE accounts SET role = 'root'",
        "UPDATE accounts SET preferences = '[]'",
        "UPDATE token_families SET revoked_at = now()",
        "UPDATE refresh_tokens SET hash = '\\x00'",
    ];
    for statement in statements {
        let error = bench.database.storage.engine().execute(statement).await.unwrap_err().to_string();
        assert!(error.contains("violates check constraint"), "{statement}: {error}");
    }
    bench.database.storage.engine().execute("DELETE FROM users").await.unwrap();
    let left = "SELECT (SELECT count(*) FROM accounts) + (SELECT count(*) FROM token_families)
                     + (SELECT count(*) FROM refresh_tokens)";
    assert_eq!(bench.count(left).await, 0, "a deleted user leaves nothing behind");
    let mut conn = bench.database.storage.read_as(ada).await.unwrap();
    assert!(users::own_user(&mut conn, ada).await.unwrap().is_none());
}

#[actix_web::test]
async fn a_search_takes_wildcards_literally_and_skips_the_disabled() {
    let bench = Bench::new().await;
    let ada = bench.register("ada_l").await.user.id;
    bench.register("adaxl").await;
    bench.register("ben").await;
    let search = async |query: &str| {
        let mut conn = bench.database.storage.read_as(ada).await.unwrap();
        let found = users::search_users(&mut conn, query, None, 10).await.unwrap();
        found.into_iter().map(|user| user.username).collect::<Vec<_>>()
    };
    assert_eq!(search("").await, ["ada_l", "adaxl", "ben"]);
    assert_eq!(search("ADA").await, ["ada_l", "adaxl"]);
    assert_eq!(search("a_").await, ["ada_l"]);
    assert_eq!(search("%").await, Vec::<String>::new());
    assert_eq!(search("\\").await, Vec::<String>::new());
    assert_eq!(search("'; DROP TABLE users; --").await, Vec::<String>::new());
    bench.auth.set_disabled("adaxl", true).await.unwrap();
    assert_eq!(search("ada").await, ["ada_l"]);
}

#[actix_web::test]
async fn a_search_is_planned_for_what_is_looked_for() {
    let bench = Bench::new().await;
    let ada = bench.register("ada").await.user.id;
    // One plan for all patterns walks everybody's name in order; Postgres would choose it after some searches.
    sqlx::raw_sql(
        "INSERT INTO users (id, username, full_name, created_at, updated_at)
         SELECT gen_random_uuid(), 'user' || md5(n::text)::varchar(20), 'Full ' || md5((n + 1)::text), now(), now()
         FROM generate_series(1, 5000) AS n; ANALYZE users",
    )
    .execute(bench.database.storage.engine())
    .await
    .unwrap();
    let mut conn = bench.database.storage.read_as(ada).await.unwrap();
    for _ in 0..8 {
        users::search_users(&mut conn, "nobody-is-called-so", None, 10).await.unwrap();
    }
    let plans = "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT id%user_directory%'";
    let generic: i64 = sqlx::query_scalar(plans).fetch_one(&mut *conn).await.unwrap();
    assert_eq!(generic, 0, "each search got a plan of its own");
}
