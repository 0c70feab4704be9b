//! Databases that are somebody else's, or no good for what people write: refused, and left as they are.

use crate::testing::process::{Engine, engine_with, until};
use crate::testing::{DataFolder, Dba};

/// Everything that a start could have left.
async fn contents(dba: &Dba, database: &str) -> String {
    let all = "SELECT concat_ws(' ',
        (SELECT string_agg(relname, ',' ORDER BY oid) FROM pg_class),
        (SELECT string_agg(extname, ',') FROM pg_extension),
        (SELECT string_agg(rolname, ',' ORDER BY oid) FROM pg_roles WHERE rolname LIKE '%' || current_database()))";
    dba.ask(database, all).await
}

#[actix_rt::test]
async fn a_database_of_something_else_is_left_untouched() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    for (name, tables) in [
        ("shop", "CREATE TABLE users (of_theirs text); CREATE TABLE orders (id int)"),
        // Of somebody who uses the same library for migrations.
        (
            "kin",
            "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, installed_on timestamptz,
                 success boolean, checksum bytea, execution_time bigint);
                 INSERT INTO _sqlx_migrations VALUES (20200101000000, 'theirs', now(), true, '', 0);
                 CREATE TABLE invoices (id int)",
        ),
        ("views", "CREATE VIEW report AS SELECT 1 AS one"),
    ] {
        let database = dba.database(name, &user, "").await;
        dba.sql(&database, &format!("SET ROLE {user}; {tables}")).await;
        let before = contents(&dba, &database).await;
        let refused = dba.open(&dba.url(&user, &database)).await.unwrap_err().to_string();
        assert!(refused.contains("belongs to something else") && refused.contains("Nothing was changed"), "{refused}");
        assert_eq!(contents(&dba, &database).await, before, "{name}");
        // The way out that it names.
        dba.psql(&database, refused.rsplit_once("In psql: ").unwrap().1).await;
        super::works(&dba.url(&user, &database)).await;
    }
}

#[actix_rt::test]
async fn a_database_in_another_encoding() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let database =
            dba.database(&encoding.to_lowercase(), &user, &format!("ENCODING '{encoding}' LOCALE 'C'")).await;
        let before = contents(&dba, &database).await;
        let url = dba.url(&user, &database);
        let refused = dba.open(&url).await.unwrap_err().to_string();
        assert!(refused.contains(encoding) && refused.contains("UTF8"), "{refused}");
        assert_eq!(contents(&dba, &database).await, before);
        dba.psql(&database, refused.rsplit_once("administrator: ").unwrap().1).await;
        super::works(&dba.url(&user, &format!("{database}_utf8"))).await;
    }
}

#[actix_rt::test]
async fn a_locale_without_letters_is_warned_of() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let provider = if dba.ask("postgres", "SELECT current_setting('server_version_num')").await.as_str() >= "150000" {
        "LOCALE_PROVIDER libc"
    } else {
        ""
    };
    let database = dba.database("plain", &user, &format!("{provider} LOCALE 'C'")).await;
    let folder = DataFolder::new();
    let engine = Engine::start(engine_with(&folder, &dba.url(&user, &database))).await;
    until("the log says so", async || engine.log().contains("no letters beyond ASCII")).await;
    engine.stop().await;
}

#[actix_rt::test]
async fn a_database_of_an_early_build_is_refused_untouched() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("early", &user, "").await;
    dba.early_build(&user, &database).await;
    let before = contents(&dba, &database).await;
    let refused = dba.open(&dba.url(&user, &database)).await.unwrap_err().to_string();
    for words in ["early build", "Nothing was changed", "README.md", "Upgrade"] {
        assert!(refused.contains(words), "{words} is not in: {refused}");
    }
    assert_eq!(contents(&dba, &database).await, before);
}
