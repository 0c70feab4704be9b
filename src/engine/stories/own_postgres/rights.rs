//! The role under which people's reads run, and who may make it.

use super::works;
use crate::testing::Dba;

#[actix_rt::test]
async fn whoever_may_not_create_roles_is_told_which_to_prepare() {
    let dba = Dba::new();
    let user = dba.user("plain", "").await;
    let database = dba.database("chat", &user, "").await;
    let url = dba.url(&user, &database);
    let role = format!("\"parlance_reader_{database}\"");
    dba.mends(
        &url,
        &database,
        &[&format!("CREATE ROLE {role} NOLOGIN"), &format!("GRANT {role} TO"), "storage.reader_role"],
    )
    .await;
    works(&url).await;
}

#[actix_rt::test]
async fn whoever_may_create_roles_needs_nobody() {
    let dba = Dba::new();
    let user = dba.user("maker", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    works(&dba.url(&user, &database)).await;
}

#[actix_rt::test]
async fn two_installations_on_one_server_do_not_meet() {
    let dba = Dba::new();
    let (one, other) = (dba.user("one", "CREATEROLE").await, dba.user("other", "CREATEROLE").await);
    let first = dba.database("first", &one, "").await;
    let second = dba.database("second", &other, "").await;
    works(&dba.url(&one, &first)).await;
    works(&dba.url(&other, &second)).await;
}

#[actix_rt::test]
async fn a_role_that_another_installation_made_has_to_be_granted() {
    let dba = Dba::new();
    let (one, other) = (dba.user("one", "CREATEROLE").await, dba.user("other", "").await);
    let first = dba.database("first", &one, "").await;
    let second = dba.database("second", &other, "").await;
    let shared = dba.name("readers");
    let role = shared.clone();
    dba.open_with(&dba.url(&one, &first), |config| config.storage.reader_role = Some(role)).await.unwrap();
    let url = dba.url(&other, &second);
    let role = shared.clone();
    let refused = dba.open_with(&url, |config| config.storage.reader_role = Some(role)).await.unwrap_err().to_string();
    assert!(refused.contains("may not become the role"), "{refused}");
    dba.psql(&second, refused.rsplit_once("administrator: ").unwrap().1).await;
    dba.open_with(&url, |config| config.storage.reader_role = Some(shared)).await.unwrap();
}

#[actix_rt::test]
async fn a_role_that_no_policy_binds_is_refused() {
    let dba = Dba::new();
    let user = dba.user("owner", "").await;
    let database = dba.database("chat", &user, "").await;
    let role = format!("\"parlance_reader_{database}\"");
    dba.sql(&database, &format!("CREATE ROLE {role} BYPASSRLS; GRANT {role} TO {user}")).await;
    let url = dba.url(&user, &database);
    dba.mends(&url, &database, &["row level security does not bind", "NOBYPASSRLS"]).await;
    // Nor one that has the rights of the owner.
    dba.sql(&database, &format!("REVOKE {role} FROM {user}; GRANT {user} TO {role}")).await;
    dba.mends(&url, &database, &["has the rights of", "REVOKE"]).await;
    let own = user.clone();
    let refused = dba.open_with(&url, |config| config.storage.reader_role = Some(own)).await.unwrap_err().to_string();
    assert!(refused.contains("names") && refused.contains("itself"), "{refused}");
}

#[actix_rt::test]
async fn whoever_does_not_own_the_tables_is_told_how_to() {
    let dba = Dba::new();
    let (old, new) = (dba.user("old", "CREATEROLE").await, dba.user("new", "").await);
    let database = dba.database("chat", &old, "").await;
    dba.open(&dba.url(&old, &database)).await.unwrap();
    dba.sql(
        &database,
        &format!("ALTER DATABASE {database} OWNER TO {new}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {new}"),
    )
    .await;
    let url = dba.url(&new, &database);
    dba.mends(&url, &database, &["does not own", "ALTER TABLE public.rooms OWNER TO", "ALTER FUNCTION"]).await;
    works(&url).await;
}

#[actix_rt::test]
async fn functions_that_are_nobodys_by_default_are_granted() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    dba.sql(&database, &format!("ALTER DEFAULT PRIVILEGES FOR ROLE {user} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"))
        .await;
    works(&dba.url(&user, &database)).await;
    dba.sql(&database, &format!("ALTER DEFAULT PRIVILEGES FOR ROLE {user} GRANT EXECUTE ON FUNCTIONS TO PUBLIC")).await;
}
