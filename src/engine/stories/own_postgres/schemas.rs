//! Where the tables are, and the extensions that they need.

use super::works;
use crate::testing::Dba;

const TABLES_IN_PUBLIC: &str =
    "SELECT count(*)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";

#[actix_rt::test]
async fn a_schema_of_ones_own_set_on_the_role() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("shared", &user, "").await;
    dba.sql(&database, "CREATE TABLE public.rooms (of_a_hotel text); CREATE TABLE public.bookings (id int)").await;
    dba.sql(&database, &format!("CREATE SCHEMA \"Chat, of ours\" AUTHORIZATION {user}")).await;
    dba.sql(&database, &format!("ALTER ROLE {user} IN DATABASE {database} SET search_path = \"Chat, of ours\"")).await;
    works(&dba.url(&user, &database)).await;
    assert_eq!(dba.ask(&database, TABLES_IN_PUBLIC).await, "2", "nothing beside what was there");
    // By an operator whose search_path is another one, and so are the triggers'.
    let ada = "DELETE FROM \"Chat, of ours\".users WHERE username::text LIKE 'mada%'";
    dba.sql(&database, ada).await;
    let left = "SELECT string_agg(member_count::text, ',') FROM \"Chat, of ours\".rooms";
    assert_eq!(dba.ask(&database, left).await, "0", "her membership went with her");
}

#[actix_rt::test]
async fn a_schema_of_ones_own_in_the_url() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("shared", &user, "").await;
    dba.sql(
        &database,
        &format!("CREATE SCHEMA parlance AUTHORIZATION {user}; CREATE TABLE public.users (of_theirs text)"),
    )
    .await;
    let url = format!("{}&options=-csearch_path%3Dparlance", dba.url(&user, &database));
    works(&url).await;
    assert_eq!(dba.ask(&database, TABLES_IN_PUBLIC).await, "1");
}

#[actix_rt::test]
async fn a_search_path_that_leads_nowhere() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    dba.sql(&database, &format!("ALTER ROLE {user} IN DATABASE {database} SET search_path = parlance")).await;
    let url = dba.url(&user, &database);
    dba.mends(&url, &database, &["search_path", "CREATE SCHEMA \"parlance\" AUTHORIZATION"]).await;
    works(&url).await;
}

#[actix_rt::test]
async fn extensions_in_another_schema() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    let made = "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions";
    dba.sql(&database, made).await;
    let url = dba.url(&user, &database);
    dba.mends(&url, &database, &["use, the schema", "GRANT USAGE ON SCHEMA \"extensions\""]).await;
    works(&url).await;
}

#[actix_rt::test]
async fn somebody_elses_database_with_neither_rights_nor_extensions() {
    let dba = Dba::new();
    let user = dba.user("guest", "").await;
    let host = dba.user("host", "").await;
    let database = dba.database("chat", &host, "").await;
    let url = dba.url(&user, &database);
    let words = [
        "may not create tables",
        "GRANT USAGE, CREATE ON SCHEMA",
        "CREATE EXTENSION citext",
        "CREATE EXTENSION pg_trgm",
        "CREATE ROLE",
    ];
    dba.mends(&url, &database, &words).await;
    works(&url).await;
}
