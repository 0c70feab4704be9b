//! Postgres goes away for a while, or the network loses one answer: nothing is lost, repeated or reordered.

use reqwest::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::testing::process::until;
use crate::testing::{Person, Proxy, TestApp, TestDatabase, WsClient, contents, seqs};

struct Rig {
    app: TestApp,
    proxy: Proxy,
    ada: Person,
    room: String,
}

impl Rig {
    /// An engine behind a proxy, with a person in a room.
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create().await;
        let proxy = Proxy::before(&database.url()).await;
        let through = proxy.url().to_owned();
        let app = TestApp::on(database, tempfile::tempdir().unwrap(), |config| {
            config.storage.database_url = Some(through);
            config.storage.acquire_timeout_ms = 500;
            config.persistence.retry_pause_ms = 10;
            change(config);
        })
        .await;
        let ada = app.sign_up("ada").await;
        let room = app.group(&[&ada]).await;
        Self { app, proxy, ada, room }
    }

    async fn readyz(&self) -> u16 {
        self.app.page("/readyz").await.0
    }

    /// Waits until the engine is ready again; how long that takes is no matter here.
    async fn until_ready(&self) {
        while self.readyz().await != 200 {
            tokio::task::yield_now().await;
        }
    }

    /// Sends until it is taken, as a client does.
    async fn post_until_taken(&self, socket: &mut WsClient, client_id: &str) -> Value {
        loop {
            let answer = socket.post(&self.room, client_id, client_id).await;
            if answer["type"] == "ok" {
                return answer;
            }
            assert_ne!(answer["retry"], "never", "{answer}");
        }
    }

    /// Every message is there once, in an order without a hole.
    async fn holds(&self, messages: &[&str]) {
        let mut socket = self.app.connect(&self.ada).await;
        let events = socket.catch_up(&self.room, 0, 200).await;
        assert_eq!(seqs(&events), (1..=events.len() as i64).collect::<Vec<_>>());
        let mut found = contents(&events);
        found.sort();
        assert_eq!(found, messages);
    }
}

#[actix_rt::test]
async fn sends_wait_for_a_postgres_that_comes_back_soon() {
    let rig = Rig::start(|config| config.persistence.write_timeout_ms = 60_000).await;
    let mut socket = rig.app.connect(&rig.ada).await;
    socket.post(&rig.room, "m0", "m0").await;
    rig.proxy.cut();
    let mut waiting = Vec::new();
    for n in 1..=3 {
        let text = format!("m{n}");
        let command = json!({ "type": "message.post", "room_id": rig.room, "client_id": text, "content": text });
        waiting.push(socket.send(command).await);
    }
    assert_eq!(rig.readyz().await, 503);
    assert_eq!(rig.app.page("/healthz").await.0, 200);
    // The room still answers from memory.
    let page = socket.ask(json!({ "type": "room.catch_up", "room_id": rig.room, "after": 0 })).await;
    assert_eq!(page["last_seq"], 1);
    rig.proxy.mend();
    for (n, id) in waiting.into_iter().enumerate() {
        assert_eq!(socket.answer(id).await["seq"], json!(n + 2));
    }
    assert_eq!(seqs(&socket.events_of_room(&rig.room, 4).await), [1, 2, 3, 4]);
    rig.until_ready().await;
    rig.holds(&["m0", "m1", "m2", "m3"]).await;
}

#[actix_rt::test]
async fn sends_that_waited_long_enough_are_told_to_come_again_and_then_are_one_message_each() {
    let rig = Rig::start(|config| config.persistence.write_timeout_ms = 200).await;
    let mut socket = rig.app.connect(&rig.ada).await;
    socket.post(&rig.room, "m0", "m0").await;
    rig.proxy.cut();
    let answers = socket.post_all(&rig.room, (1..=3).map(|n| format!("m{n}"))).await;
    for answer in &answers {
        assert_eq!((&answer["code"], &answer["retry"]), (&json!("engine.unavailable"), &json!("later")), "{answer}");
        assert!(answer["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0));
    }
    let body = json!({ "client_id": "m4", "content": "m4" });
    let path = format!("/rooms/{}/messages", rig.room);
    let (status, answer) = rig.app.call(Method::POST, &path, Some(&rig.ada), Some(body)).await;
    assert_eq!((status, &answer["code"]), (503, &json!("engine.unavailable")));
    let (status, answer) = rig.app.call(Method::GET, &path, Some(&rig.ada), None).await;
    assert_eq!((status, &answer["code"]), (503, &json!("engine.unavailable")));
    assert_eq!(rig.readyz().await, 503);
    rig.proxy.mend();
    rig.until_ready().await;
    let mut taken = Vec::new();
    for n in 1..=4 {
        taken.push(rig.post_until_taken(&mut socket, &format!("m{n}")).await["seq"].as_i64().unwrap());
    }
    assert_eq!(taken, [2, 3, 4, 5]);
    assert_eq!(seqs(&socket.events_of_room(&rig.room, 5).await), [1, 2, 3, 4, 5]);
    rig.holds(&["m0", "m1", "m2", "m3", "m4"]).await;
}

#[actix_rt::test]
async fn a_network_that_swallows_everything_is_an_outage_as_well() {
    let rig = Rig::start(|config| config.persistence.write_timeout_ms = 500).await;
    let mut socket = rig.app.connect(&rig.ada).await;
    socket.post(&rig.room, "m0", "m0").await;
    rig.proxy.stall();
    let answer = socket.post(&rig.room, "m1", "m1").await;
    assert_eq!((&answer["code"], &answer["retry"]), (&json!("engine.unavailable"), &json!("later")));
    assert_eq!(rig.readyz().await, 503);
    rig.proxy.mend();
    let answer = rig.post_until_taken(&mut socket, "m1").await;
    assert_eq!(answer["seq"], 2);
    assert_eq!(seqs(&socket.events_of_room(&rig.room, 2).await), [1, 2]);
    rig.holds(&["m0", "m1"]).await;
}

/// The connection is lost at the statement that carries `m2`: its sender notices nothing.
async fn one_lost_statement_is_neither_lost_nor_repeated(heard: bool) {
    let rig = Rig::start(|_| {}).await;
    let mut socket = rig.app.connect(&rig.ada).await;
    socket.post(&rig.room, "m1", "m1").await;
    rig.proxy.trap("lose-this-one", "lose-this-one", heard);
    assert_eq!(socket.post(&rig.room, "lose-this-one", "lose-this-one").await["seq"], 2);
    assert!(rig.proxy.sprung());
    assert_eq!(socket.post(&rig.room, "m3", "m3").await["seq"], 3);
    assert_eq!(socket.post(&rig.room, "lose-this-one", "again").await["seq"], 2);
    assert_eq!(seqs(&socket.events_of_room(&rig.room, 3).await), [1, 2, 3]);
    rig.holds(&["lose-this-one", "m1", "m3"]).await;
}

#[actix_rt::test]
async fn a_commit_whose_answer_was_lost_is_recognised() {
    one_lost_statement_is_neither_lost_nor_repeated(true).await;
}

#[actix_rt::test]
async fn a_commit_that_postgres_never_heard_of_is_made_again() {
    one_lost_statement_is_neither_lost_nor_repeated(false).await;
}

#[actix_rt::test]
async fn a_change_of_the_room_whose_commit_was_lost_is_made_once() {
    for heard in [true, false] {
        let rig = Rig::start(|_| {}).await;
        let mut socket = rig.app.connect(&rig.ada).await;
        rig.proxy.trap("Harbour", "COMMIT", heard);
        let body = Some(json!({ "name": "Harbour" }));
        let room = rig.app.ok(Method::PATCH, &format!("/rooms/{}", rig.room), &rig.ada, body).await;
        assert!(rig.proxy.sprung());
        assert_eq!((&room["name"], &room["last_seq"]), (&json!("Harbour"), &json!(1)));
        assert_eq!(socket.post(&rig.room, "m2", "m2").await["seq"], 2);
        let events = socket.events_of_room(&rig.room, 2).await;
        assert_eq!((seqs(&events), &events[0]["name"]), (vec![1, 2], &json!("Harbour")));
    }
}

#[actix_rt::test]
async fn a_new_room_whose_commit_was_lost_is_heard_by_its_people() {
    let rig = Rig::start(|_| {}).await;
    let ben = rig.app.sign_up("ben").await;
    let (mut hers, mut his) = (rig.app.connect(&rig.ada).await, rig.app.connect(&ben).await);
    rig.proxy.trap("Lighthouse", "COMMIT", true);
    let body = json!({ "client_id": "c", "kind": "group", "name": "Lighthouse", "member_ids": [ben.id] });
    let (status, _) = rig.app.call(Method::POST, "/rooms", Some(&rig.ada), Some(body.clone())).await;
    assert!(status == 503 && rig.proxy.sprung(), "{status}");
    for socket in [&mut hers, &mut his] {
        assert_eq!(socket.event_of("room.joined").await["room"]["name"], "Lighthouse");
    }
    let (status, room) = rig.app.call(Method::POST, "/rooms", Some(&rig.ada), Some(body)).await;
    assert_eq!(status, 200, "it is the one that was made");
    let room = room["id"].as_str().unwrap();
    assert_eq!(hers.post(room, "m1", "hello").await["seq"], 1);
    assert_eq!(seqs(&his.events_of_room(room, 1).await), [1]);
}

#[actix_rt::test]
async fn a_device_that_resumes_during_an_outage_gets_everything_afterwards() {
    let rig = Rig::start(|config| {
        config.chat.window_events_max = 2;
        config.persistence.write_timeout_ms = 200;
    })
    .await;
    let mut socket = rig.app.connect(&rig.ada).await;
    for n in 1..=10 {
        socket.post(&rig.room, &format!("m{n}"), "x").await;
    }
    let (mut returning, _) = rig.app.resume(&rig.ada, json!({ &rig.room: 10 })).await;
    rig.proxy.cut();
    rig.app.until_listening(false).await;
    // Nobody can be greeted now, because nobody knows what has changed, and is told to come back rather than to sign in again.
    let mut refused = WsClient::open(&rig.app.base).await;
    refused.hello(&rig.ada.token, json!({ &rig.room: 0 })).await;
    assert_eq!(refused.closed().await, 4000);
    let answer = socket.post(&rig.room, "m11", "x").await;
    assert_eq!(answer["code"], "engine.unavailable");
    rig.proxy.mend();
    rig.until_ready().await;
    rig.post_until_taken(&mut socket, "m11").await;
    assert_eq!(seqs(&returning.events_of_room(&rig.room, 1).await), [11]);
    let (mut late, _) = rig.app.resume(&rig.ada, json!({ &rig.room: 0 })).await;
    assert_eq!(seqs(&late.events_of_room(&rig.room, 11).await), (1..=11).collect::<Vec<_>>());
}

/// What Postgres says on a full disk: to whoever makes a table or a message larger.
const DISK_IS_FULL: &str = "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
     CREATE FUNCTION disk_is_full_too() RETURNS event_trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
     CREATE TRIGGER disk_is_full BEFORE INSERT ON messages EXECUTE FUNCTION disk_is_full();
     CREATE EVENT TRIGGER disk_is_full_too ON ddl_command_start EXECUTE FUNCTION disk_is_full_too()";
const DISK_HAS_ROOM: &str = "DROP EVENT TRIGGER disk_is_full_too; DROP TRIGGER disk_is_full ON messages";

#[actix_rt::test]
async fn a_full_disk_is_not_ready_until_it_has_room_again_though_nobody_writes() {
    let rig = Rig::start(|config| config.persistence.write_timeout_ms = 200).await;
    let owner = rig.app.database.storage.engine();
    sqlx::raw_sql(DISK_IS_FULL).execute(owner).await.unwrap();
    let mut socket = rig.app.connect(&rig.ada).await;
    let answer = socket.post(&rig.room, "m1", "m1").await;
    assert_eq!(answer["code"], "engine.unavailable", "{answer}");
    // It reads, and nothing is amiss but that.
    for _ in 0..3 {
        let (status, said) = rig.app.page("/readyz").await;
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((status, &said["ready"], &said["checks"]["database"]), (503, &json!(false), &json!("ok")), "{said}");
        assert!(said["checks"]["writes"].as_str().unwrap().contains("disk"), "{said}");
    }
    sqlx::raw_sql(DISK_HAS_ROOM).execute(owner).await.unwrap();
    rig.until_ready().await;
    rig.post_until_taken(&mut socket, "m1").await;
    rig.holds(&["m1"]).await;
}

#[actix_rt::test]
async fn a_database_that_takes_no_writes_or_lacks_what_a_restore_may_leave_out_is_not_ready() {
    let rig = Rig::start(|_| {}).await;
    let owner = rig.app.database.storage.engine();
    let not_ready = async |check: &str| {
        until(check, async || {
            let (status, said) = rig.app.page("/readyz").await;
            let said: Value = serde_json::from_str(&said).unwrap();
            status == 503 && said["checks"][check] != "ok" && said["checks"]["actors"] == "ok"
        })
        .await;
    };
    sqlx::raw_sql("ALTER TABLE messages DISABLE ROW LEVEL SECURITY").execute(owner).await.unwrap();
    not_ready("policies").await;
    sqlx::raw_sql("ALTER TABLE messages ENABLE ROW LEVEL SECURITY").execute(owner).await.unwrap();
    rig.until_ready().await;
    let database: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(owner).await.unwrap();
    let set =
        |to: &str| sqlx::AssertSqlSafe(format!("ALTER DATABASE {database} SET default_transaction_read_only = {to}"));
    sqlx::raw_sql(set("on")).execute(owner).await.unwrap();
    // It holds for new connections.
    rig.proxy.cut();
    not_ready("database").await;
    rig.proxy.mend();
    until("it says which", async || {
        let (status, said) = rig.app.page("/readyz").await;
        let said: Value = serde_json::from_str(&said).unwrap();
        status == 503 && said["checks"]["database"] == "ok" && said["checks"]["writable"] != "ok"
    })
    .await;
    sqlx::raw_sql(set("off")).execute(owner).await.unwrap();
    rig.proxy.cut();
    not_ready("database").await;
    rig.proxy.mend();
    rig.until_ready().await;
}
