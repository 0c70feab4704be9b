//! What row level security lets nobody see of rooms, whatever a query asks for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::ids::{RoomId, UserId};
use crate::testing::TestApp;

/// Tables in which nobody's read for a user finds a row, so that they have no policy and no grant.
const NOBODYS: &[(&str, &str)] = &[
    ("demo_made", "what of the database is a demo"),
    ("demo_parts", "what of the demo is whole"),
    ("departures", "who is to be told of, until a room's order tells it"),
    ("external_identities", "who a subject of an outside issuer is here"),
    ("job_schedules", "when the engine does what"),
    ("jobs", "payloads may hold what is private"),
    ("password_resets", "hashes of links that set a password"),
    ("refresh_tokens", "hashes of what signs in"),
    ("vault_audit", "for admins, who ask the vault's own door"),
    ("vault_secrets", "secrets"),
];
/// Tables without rows of anybody, which need no row level security: no grant either.
const OF_THE_SCHEMA: &[(&str, &str)] = &[
    ("_sqlx_migrations", "which migrations ran"),
    ("log_epoch", "which life of the log this is"),
    ("room_kinds", "what kinds of rooms there are"),
    ("reader_rights", "the policies and grants themselves"),
];
/// Policies of tables with a room_id that do not ask who may read the room.
const OWN_RULE: &[(&str, &str)] = &[
    ("invitations", "whoever is invited reads it before the room is theirs, and nobody else does"),
    ("message_versions", "what was said before is for those who moderate the room"),
];
/// The one function, as Postgres prints the policies that ask it.
const READABLE: &str = "IN ( SELECT parlance_readable_rooms() AS parlance_readable_rooms)";

#[derive(sqlx::FromRow)]
struct Table {
    name: String,
    is_guarded: bool,
    /// Keyed by a room.
    of_room: bool,
    may_be_read: bool,
    may_be_written: bool,
    /// What each policy lets be read; one that lets anything be written is told by its command.
    policies: Vec<String>,
}

const TABLES: &str = "
    SELECT c.relname::text AS name, c.relrowsecurity AS is_guarded,
           c.relname = 'rooms' OR EXISTS (
               SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'room_id' AND NOT a.attisdropped) AS of_room,
           has_any_column_privilege($1, c.oid, 'SELECT') AS may_be_read,
           has_any_column_privilege($1, c.oid, 'INSERT, UPDATE') OR has_table_privilege($1, c.oid, 'DELETE, TRUNCATE')
               AS may_be_written,
           ARRAY(SELECT CASE WHEN p.polcmd = 'r' THEN pg_get_expr(p.polqual, p.polrelid) ELSE 'writes: ' || p.polname END
                 FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    ORDER BY c.relname";

async fn tables(app: &TestApp) -> Vec<Table> {
    let mut reading = app.database.storage.read_as(UserId(Uuid::nil())).await.unwrap();
    let role: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut *reading).await.unwrap();
    let engine = app.database.storage.engine();
    sqlx::query_as(TABLES).bind(role).fetch_all(engine).await.unwrap()
}

/// Every table but those of the lists is guarded by a policy, and nothing stands in a list that is no such table.
#[actix_rt::test]
async fn every_table_is_guarded_and_who_may_read_a_room_is_asked_of_one_function() {
    let app = TestApp::start().await;
    let tables = tables(&app).await;
    let listed =
        |list: &[(&str, &str)], name: &str| list.iter().any(|(listed, why)| *listed == name && !why.is_empty());
    let mut problems = Vec::new();
    for Table { name, is_guarded, of_room, may_be_read, may_be_written, policies } in &tables {
        let mut complain = |wrong: bool, what: &str| wrong.then(|| problems.push(format!("{name}: {what}")));
        let (nobodys, of_the_schema) = (listed(NOBODYS, name), listed(OF_THE_SCHEMA, name));
        complain(!of_the_schema && !is_guarded, "ENABLE ROW LEVEL SECURITY, or list it with the reason");
        complain(*may_be_written, "the reader role may write it");
        complain((nobodys || of_the_schema) && (*may_be_read || !policies.is_empty()), "is nobody's, yet can be read");
        complain(
            !nobodys && !of_the_schema && policies.is_empty(),
            "has no policy: make one, or list it with the reason",
        );
        complain(policies.iter().any(|policy| policy.starts_with("writes: ")), "a policy lets it be written");
        let asks = |policy: &String| policy.contains(READABLE);
        let by_rule = *of_room && !listed(OWN_RULE, name);
        complain(by_rule && !policies.iter().all(asks), "a policy must ask parlance_readable_rooms(), or be listed");
        complain(listed(OWN_RULE, name) && policies.iter().all(asks), "asks the function: take it out of the list");
    }
    let names: BTreeSet<_> = tables.iter().map(|table| table.name.as_str()).collect();
    let listed = [NOBODYS, OF_THE_SCHEMA, OWN_RULE].concat();
    problems.extend(
        listed.iter().filter(|(name, _)| !names.contains(name)).map(|(name, _)| format!("{name}: is no table")),
    );
    assert!(problems.is_empty(), "{problems:#?}");
}

async fn count(reading: &mut PgConnection, query: &str, room: Uuid) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).bind(room).fetch_one(reading).await.unwrap()
}

/// What `user` sees of a room in each table that is keyed by one, when the query asks for everything.
async fn rows_seen(app: &TestApp, user: UserId, room: Uuid) -> BTreeMap<String, i64> {
    let mut seen = BTreeMap::new();
    for table in tables(app).await.into_iter().filter(|table| table.of_room && table.may_be_read) {
        let key = if table.name == "rooms" { "id" } else { "room_id" };
        let query = format!("SELECT count(*) FROM {} WHERE {key} = $1", table.name);
        let mut all = app.database.storage.read_as(user).await.unwrap();
        let mut of_room = app.database.storage.read_in(user, RoomId(room)).await.unwrap();
        let of_all = count(&mut all, &query, room).await;
        assert_eq!(count(&mut of_room, &query, room).await, of_all, "{}: the same, read in the room", table.name);
        seen.insert(table.name, of_all);
    }
    // A page of members applies the rule by itself.
    let page = "SELECT count(*) FROM parlance_members_page($1, '00000000-0000-0000-0000-000000000000', 100)";
    let mut all = app.database.storage.read_as(user).await.unwrap();
    let mut of_room = app.database.storage.read_in(user, RoomId(room)).await.unwrap();
    let mut of_another = app.database.storage.read_in(user, RoomId(Uuid::nil())).await.unwrap();
    assert_eq!(count(&mut all, page, room).await, seen["room_members"]);
    assert_eq!(count(&mut of_room, page, room).await, seen["room_members"]);
    assert_eq!(count(&mut of_another, page, room).await, 0, "a read of one room sees no other");
    seen
}

#[actix_rt::test]
async fn a_stranger_reads_nothing_even_when_the_query_forgets_to_ask() {
    let app = TestApp::start().await;
    let (ada, ben, eve) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("eve").await);
    let room = app.group(&[&ada, &ben]).await;
    let elsewhere: Uuid = app.group(&[&eve]).await.parse().unwrap();
    app.post(&ada, &room, "c1", "secret").await;
    app.ok(reqwest::Method::PATCH, &format!("/rooms/{room}"), &ada, Some(json!({ "topic": "secret" }))).await;
    let room: Uuid = room.parse().unwrap();
    let id = |text: &str| UserId(text.parse().unwrap());
    let seen = rows_seen(&app, id(&ben.id), room).await;
    for (table, rows) in [("rooms", 1), ("room_members", 2), ("messages", 1), ("room_events", 1)] {
        assert_eq!(seen[table], rows, "{table}");
    }
    let nothing = |seen: BTreeMap<String, i64>| seen.values().all(|rows| *rows == 0);
    assert!(nothing(rows_seen(&app, id(&eve.id), room).await));
    assert!(nothing(rows_seen(&app, UserId(Uuid::nil()), room).await));
    app.ok(reqwest::Method::DELETE, &format!("/rooms/{room}/members/{}", ben.id), &ada, None).await;
    assert!(nothing(rows_seen(&app, id(&ben.id), room).await));
    // A read of one room sees nothing of another one, also where its reader may see both.
    let mut read = app.database.storage.read_in(id(&eve.id), RoomId(room)).await.unwrap();
    assert_eq!(count(&mut read, "SELECT count(*) FROM rooms WHERE id = $1", elsewhere).await, 0);
}

#[actix_rt::test]
async fn a_read_for_a_user_cannot_write() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room: Uuid = app.group(&[&ada]).await.parse().unwrap();
    for statement in [
        "DELETE FROM messages WHERE room_id = $1",
        "UPDATE rooms SET last_seq = 7 WHERE id = $1",
        "UPDATE room_members SET role = 'owner' WHERE room_id = $1",
    ] {
        let mut transaction = app.database.storage.read_as(UserId(ada.id.parse().unwrap())).await.unwrap();
        let refused = sqlx::query(statement).bind(room).execute(&mut *transaction).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied") || refused.to_string().contains("read-only"));
    }
}
