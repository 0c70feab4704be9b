//! What a restore may leave out.

use crate::storage::Storage;
use crate::testing::Dba;

#[actix_rt::test]
async fn a_dump_without_its_role_grants_and_owners_is_made_whole_at_the_next_start() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let (from, to) = (dba.database("from", &user, "").await, dba.database("to", &user, "").await);
    dba.open(&dba.url(&user, &from)).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    dba.copy("pg_dump", &user, &from, &["--format=custom", "--no-owner", "--no-privileges"], file.path()).await;
    dba.copy("pg_restore", &user, &to, &["--no-owner"], file.path()).await;
    let (before, after) = (dba.open(&dba.url(&user, &from)).await.unwrap(), super::works(&dba.url(&user, &to)).await);
    assert_ne!(before.epoch().current(), after.engine().storage.epoch().current(), "another database, another epoch");
}

async fn problems(storage: &Storage) -> Vec<&'static str> {
    let readiness = storage.readiness().await;
    readiness.checks.iter().filter(|check| check.problem.is_some()).map(|check| check.name).collect()
}

#[actix_rt::test]
async fn guards_that_somebody_took_away_are_told_and_made_again() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    let url = dba.url(&user, &database);
    let storage = dba.open(&url).await.unwrap();
    let role = format!("\"parlance_reader_{database}\"");
    let taken = format!(
        "REVOKE SELECT (email) ON accounts FROM {role}; REVOKE SELECT ON messages FROM {role};
         DROP POLICY own_account ON accounts; ALTER TABLE rooms DISABLE ROW LEVEL SECURITY"
    );
    dba.sql(&database, &taken).await;
    let missing = storage.missing_rights().await.unwrap();
    let told = [
        "SELECT (email) ON accounts",
        "SELECT ON messages",
        "policy own_account of accounts",
        "row level security of rooms",
    ];
    assert_eq!(missing, told);
    dba.open(&url).await.unwrap();
    assert_eq!(storage.missing_rights().await.unwrap(), [""; 0]);
    // Killed between its migrations and writing down what they made.
    dba.sql(&database, "DELETE FROM reader_rights WHERE what LIKE 'policy%'; UPDATE reader_rights SET as_of = 1").await;
    dba.open(&url).await.unwrap();
    assert_eq!(
        dba.ask(&database, "SELECT (count(*) > 0)::text FROM reader_rights WHERE what LIKE 'policy%'").await,
        "true"
    );
    // Not to be become any more.
    dba.sql(&database, &format!("SET ROLE {user}; REVOKE {role} FROM {user}; RESET ROLE")).await;
    assert_eq!(problems(&storage).await, ["reader_role"]);
    // Without the role at all.
    dba.sql(&database, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    assert!(!storage.missing_rights().await.unwrap().is_empty());
    super::works(&url).await;
}

#[actix_rt::test]
async fn a_role_of_another_name_gets_what_the_first_one_had() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    let url = dba.url(&user, &database);
    dba.open(&url).await.unwrap();
    let other = dba.name("other_readers");
    let storage = dba.open_with(&url, |config| config.storage.reader_role = Some(other)).await.unwrap();
    assert_eq!(storage.missing_rights().await.unwrap(), [""; 0]);
}

/// The way that the README names, as it stands there.
#[actix_rt::test]
async fn data_of_an_early_build_moves_into_a_new_database() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let (old, new) = (dba.database("old", &user, "").await, dba.database("new", &user, "").await);
    dba.early_build(&user, &old).await;
    let url = dba.url(&user, &new);
    dba.open(&url).await.unwrap();
    let readme = include_str!("../../../../README.md");
    let file = tempfile::NamedTempFile::new().unwrap();
    for program in ["pg_dump -Fc --data-only", "pg_restore --data-only"] {
        let line = readme.lines().map(str::trim).find(|line| line.starts_with(program)).expect("it is in the README");
        let words = line.replace("OLD", &old).replace("NEW", &new);
        let mut words = words.split([' ', '>']).filter(|word| !word.is_empty() && *word != "data.dump");
        let (program, mut arguments) = (words.next().unwrap(), words.collect::<Vec<_>>());
        // The database is named by the helper.
        arguments.truncate(arguments.len() - 2);
        let database = if program == "pg_dump" { &old } else { &new };
        dba.copy(program, dba.server().get_username(), database, &arguments, file.path()).await;
    }
    let line = readme.lines().map(str::trim).find(|line| line.starts_with("psql -c \"UPDATE")).expect("it is there");
    dba.sql(&new, "UPDATE accounts SET email = U&'jose\\0301@example.com' WHERE email = 'ada@example.com'").await;
    dba.psql(&new, line.split('"').nth(1).unwrap()).await;
    assert_eq!(
        dba.ask(&new, "SELECT email::text FROM accounts WHERE email LIKE 'jos%'").await,
        "jos\u{e9}@example.com"
    );
    let app = super::works(&url).await;
    let kept = "SELECT username::text || ' ' || content || ' ' || member_count FROM users
                JOIN messages ON sender_user_id = users.id JOIN rooms ON rooms.id = room_id WHERE rooms.name = 'Early'";
    assert_eq!(dba.ask(&new, kept).await, "ada said early 2");
    assert_eq!(app.engine().storage.missing_rights().await.unwrap(), [""; 0]);
}
