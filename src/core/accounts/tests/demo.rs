//! The demo accounts.

use std::os::unix::fs::PermissionsExt;

use super::bench::Bench;
use crate::accounts::DemoPerson;

const PEOPLE: &[DemoPerson] = &[
    DemoPerson { username: "demo-ada", full_name: "Ada Demo" },
    DemoPerson { username: "demo-ben", full_name: "Ben Demo" },
];

#[actix_web::test]
async fn an_empty_database_gets_demo_accounts_and_the_same_login_at_every_start() {
    let bench = Bench::new().await;
    let folder = bench.folder.path();
    let logins = bench.auth.ensure_demo_accounts(folder, PEOPLE).await.unwrap().unwrap();
    assert_eq!(logins.iter().map(|login| login.username.as_str()).collect::<Vec<_>>(), ["demo-ada", "demo-ben"]);
    for login in &logins {
        bench.login(&login.username, &login.password).await.unwrap();
    }
    let mode = std::fs::metadata(folder.join("demo-login.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(bench.restarted().await.ensure_demo_accounts(folder, PEOPLE).await.unwrap().unwrap(), logins);
    assert_eq!(bench.count("SELECT count(*) FROM users").await, 2);
    std::fs::remove_file(folder.join("demo-login.json")).unwrap();
    assert_eq!(
        bench.auth.ensure_demo_accounts(folder, PEOPLE).await.unwrap(),
        None,
        "nobody knows the password any more"
    );
}

#[actix_web::test]
async fn real_accounts_are_never_joined_by_demo_ones() {
    let bench = Bench::new().await;
    bench.register("ada").await;
    assert_eq!(bench.auth.ensure_demo_accounts(bench.folder.path(), PEOPLE).await.unwrap(), None);
    assert_eq!(bench.count("SELECT count(*) FROM users").await, 1);
}

#[actix_web::test]
async fn the_password_of_another_database_is_not_shown() {
    let (first, second) = (Bench::new().await, Bench::new().await);
    first.auth.ensure_demo_accounts(first.folder.path(), PEOPLE).await.unwrap().unwrap();
    second.auth.ensure_demo_accounts(second.folder.path(), PEOPLE).await.unwrap().unwrap();
    assert_eq!(first.auth.ensure_demo_accounts(second.folder.path(), PEOPLE).await.unwrap(), None);
}
