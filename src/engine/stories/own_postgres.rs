//! A Postgres of one's own, as its administrator meets it: it works, or is refused in words that can be acted on, and
//! what the words say to copy into psql makes it work.

mod connections;
mod pooler;
mod refused;
mod restored;
mod rights;
mod schemas;

use reqwest::Method;
use serde_json::json;

use crate::testing::{TestApp, TestDatabase};

/// An engine on `url` does everything: accounts, rooms, messages, search, and reads for somebody else show nothing.
async fn works(url: &str) -> TestApp {
    let through = url.to_owned();
    let spare = TestDatabase::create().await;
    let change = |config: &mut crate::config::Config| {
        config.storage.database_url = Some(through);
        config.storage.reader_role = None;
    };
    let app = TestApp::on(spare, tempfile::tempdir().unwrap(), change).await;
    app.until_listening(true).await;
    let mark = format!("{:08x}", rand::random::<u32>());
    let (ada, eve) = (app.sign_up(&format!("mada{mark}")).await, app.sign_up(&format!("eve{mark}")).await);
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "m1", "between us").await;
    let path = format!("/rooms/{room}/messages");
    assert_eq!(app.ok(Method::GET, &path, &ada, None).await["items"][0]["content"], "between us");
    assert_eq!(app.call(Method::GET, &path, Some(&eve), None).await.0, 404);
    let found = app.ok(Method::GET, &format!("/users?query=ADA{mark}"), &eve, None).await;
    assert_eq!(found["items"][0]["username"], json!(ada.username), "{found}");
    assert_eq!(app.engine().storage.missing_rights().await.unwrap(), [""; 0]);
    app
}
