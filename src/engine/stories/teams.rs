//! Teams come into rooms with their people, and rooms follow them, whoever changes them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::process::until;
use crate::testing::{Person, TestApp, WsClient, seqs};

async fn call(app: &TestApp, method: Method, path: String, by: &Person, body: Value) -> (u16, Value) {
    app.call(method, &path, Some(by), Some(body).filter(|body| !body.is_null())).await
}

fn outcome((status, answer): &(u16, Value)) -> (u16, &str) {
    (*status, answer["code"].as_str().unwrap_or_default())
}

/// A team of these people, made by the first; its id.
async fn team(app: &TestApp, name: &str, people: &[&Person]) -> String {
    let made = app.ok(Method::POST, "/teams", people[0], Some(json!({ "name": name }))).await;
    let id = made["id"].as_str().unwrap().to_owned();
    for person in &people[1..] {
        join_team(app, &id, people[0], person).await;
    }
    id
}

async fn join_team(app: &TestApp, team: &str, by: &Person, person: &Person) {
    app.ok(Method::POST, &format!("/teams/{team}/members"), by, Some(json!({ "user_id": person.id }))).await;
}

async fn leave_team(app: &TestApp, team: &str, by: &Person, person: &Person) {
    app.ok(Method::DELETE, &format!("/teams/{team}/members/{}", person.id), by, None).await;
}

async fn add_team(app: &TestApp, room: &str, by: &Person, team: &str) -> (u16, Value) {
    let body = json!({ "party": { "type": "team", "id": team } });
    call(app, Method::POST, format!("/rooms/{room}/members"), by, body).await
}

async fn remove(app: &TestApp, room: &str, by: &Person, party: &str) -> (u16, Value) {
    call(app, Method::DELETE, format!("/rooms/{room}/members/{party}"), by, Value::Null).await
}

/// The usernames of a room's people and the names of its teams, each with its role and the team with which it is there.
async fn members(app: &TestApp, room: &str, by: &Person) -> Vec<(String, String, Option<String>)> {
    let page = app.ok(Method::GET, &format!("/rooms/{room}/members?limit=200"), by, None).await;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut all: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let name = text(&one["user"]["username"]).or(text(&one["profile"]["name"])).unwrap();
            (name, text(&one["role"]).unwrap(), text(&one["via_team_id"]))
        })
        .collect();
    all.sort();
    all
}

async fn names(app: &TestApp, room: &str, by: &Person) -> Vec<String> {
    members(app, room, by).await.into_iter().map(|(name, ..)| name).collect()
}

/// Waits until no room has to look at its teams any more.
async fn followed(app: &TestApp) {
    until("rooms have followed their teams", async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE kind = 'team.follow' AND dead_at IS NULL")
            .fetch_one(app.database.storage.engine())
            .await
            .unwrap();
        left == 0
    })
    .await;
}

fn ids(value: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    ids.sort_unstable();
    ids
}

fn of(people: &[&Person]) -> Vec<String> {
    let mut ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
    ids.sort_unstable();
    ids
}

/// The room in somebody's list, and in their `ready`: the two agree.
async fn listed(app: &TestApp, room: &str, person: &Person) -> Option<Value> {
    let page = app.ok(Method::GET, "/rooms", person, None).await;
    let (_, ready) = app.resume(person, json!({})).await;
    let find = |list: &Value| list.as_array().unwrap().iter().find(|one| one["id"] == room).cloned();
    let (in_list, in_ready) = (find(&page["items"]), find(&ready["rooms"]));
    assert_eq!(in_list, in_ready, "of {}", person.username);
    in_list
}

struct Four {
    app: TestApp,
    ada: Person,
    ben: Person,
    cleo: Person,
    dan: Person,
}

async fn four() -> Four {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben, cleo, dan) =
        (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await, app.sign_up("dan").await);
    Four { app, ada, ben, cleo, dan }
}

#[actix_rt::test]
async fn a_team_comes_into_a_group_in_one_event_and_everybody_hears_it_once() {
    let Four { app, ada, ben, cleo, dan } = four().await;
    let support = team(&app, "Support", &[&ada, &ben, &cleo]).await;
    let room = app.group(&[&ada, &dan]).await;
    app.post(&ada, &room, "m1", "before").await;
    let (mut dans, mut bens, mut cleos) = (app.connect(&dan).await, app.connect(&ben).await, app.connect(&cleo).await);
    let all = [&ada, &ben, &cleo, &dan];
    assert_eq!(app.verify(&all, add_team(&app, &room, &ada, &support)).await.0, 201);
    app.verify(&all, app.post(&ada, &room, "m2", "after")).await;

    let told = dans.events_of_room(&room, 2).await;
    assert_eq!((&told[0]["type"], seqs(&told)), (&json!("member.added"), vec![2, 3]));
    assert_eq!(told[0]["member"], json!({ "party": { "type": "team", "id": support }, "role": "member" }));
    assert_eq!(ids(&told[0]["people"]), of(&[&ben, &cleo]), "who was there is there for themselves");
    for socket in [&mut bens, &mut cleos] {
        let joined = socket.event_of("room.joined").await["room"].clone();
        assert_eq!((&joined["id"], &joined["unread"], &joined["member_count"]), (&json!(room), &json!(0), &json!(4)));
        assert_eq!((joined["last_seq"].clone(), seqs(&socket.events_of_room(&room, 1).await)), (json!(2), vec![3]));
    }
    for person in [&ada, &ben, &cleo, &dan] {
        let unread = i64::from(person.id != ada.id) + i64::from(person.id == dan.id);
        let seen = listed(&app, &room, person).await.unwrap();
        assert_eq!((&seen["unread"], &seen["member_count"]), (&json!(unread), &json!(4)), "{}", person.username);
    }
    let via = Some(support.clone());
    let member = |name: &str, role: &str, via: Option<String>| (name.to_owned(), role.to_owned(), via);
    let wanted = [
        member("Support", "member", None),
        member("ada", "owner", None),
        member("ben", "member", via.clone()),
        member("cleo", "member", via),
        member("dan", "member", None),
    ];
    assert_eq!(members(&app, &room, &dan).await, wanted);
    assert_eq!(add_team(&app, &room, &ada, &support).await.0, 200, "it is there already");
    followed(&app).await;
    assert_eq!(dans.catch_up(&room, 0, 200).await.len(), 3, "nothing more was told");
}

#[actix_rt::test]
async fn who_comes_into_a_team_comes_into_its_rooms_and_who_leaves_it_leaves_them() {
    let Four { app, ada, ben, cleo, dan } = four().await;
    let support = team(&app, "Support", &[&ada, &ben]).await;
    let rooms = [app.group(&[&ada]).await, app.group(&[&ada]).await];
    for room in &rooms {
        assert_eq!(add_team(&app, room, &ada, &support).await.0, 201);
    }
    let own = app.group(&[&cleo, &dan]).await;
    let (mut cleos, mut bens) = (app.connect(&cleo).await, app.connect(&ben).await);
    app.verify(&[&ada, &ben, &cleo, &dan], join_team(&app, &support, &ada, &cleo)).await;
    let mut joined = [cleos.event_of("room.joined").await, cleos.event_of("room.joined").await]
        .map(|event| event["room"]["id"].as_str().unwrap().to_owned());
    joined.sort();
    let mut wanted = rooms.clone();
    wanted.sort();
    assert_eq!(joined, wanted);
    // Each room follows by itself: which is first is not said.
    for _ in &rooms {
        let added = bens.event_of("member.added").await;
        assert_eq!((&added["by"], &added["people"]), (&json!(ada.id), &json!([cleo.id])));
        assert_eq!(added["member"]["party"]["id"], json!(support));
    }
    app.verify(&[&ada, &ben, &cleo, &dan], leave_team(&app, &support, &cleo, &cleo)).await;
    for _ in &rooms {
        for socket in [&mut bens, &mut cleos] {
            let left = socket.event_of("member.removed").await;
            assert_eq!((&left["user_id"], &left["by"]), (&json!(cleo.id), &json!(cleo.id)));
        }
    }
    for room in &rooms {
        assert_eq!(names(&app, room, &ben).await, ["Support", "ada", "ben"]);
    }
    assert!(listed(&app, &own, &cleo).await.is_some(), "her own rooms are her own");
    assert!(listed(&app, &rooms[0], &cleo).await.is_none());
}

#[actix_rt::test]
async fn who_is_in_two_teams_stays_as_long_as_one_of_them_does() {
    let Four { app, ada, ben, cleo, dan } = four().await;
    let (one, two) = (team(&app, "One", &[&ada, &ben, &cleo]).await, team(&app, "Two", &[&ada, &ben]).await);
    let room = app.group(&[&ada, &dan]).await;
    let all = [&ada, &ben, &cleo, &dan];
    for (team, role) in [(&one, "admin"), (&two, "guest")] {
        let body = json!({ "party": { "type": "team", "id": team }, "role": role });
        let path = format!("/rooms/{room}/members");
        assert_eq!(app.verify(&all, call(&app, Method::POST, path, &ada, body)).await.0, 201);
    }
    let bens = async || members(&app, &room, &dan).await.into_iter().find(|(name, ..)| name == "ben").unwrap();
    let bens_role = async || (listed(&app, &room, &ben).await.unwrap()["role"].clone(), bens().await.1, bens().await.2);
    let is = |role: &str, team: &str| (json!(role), role.to_owned(), Some(team.to_owned()));
    assert_eq!(bens_role().await, is("admin", &one));
    let mut dans = app.connect(&dan).await;
    assert_eq!(app.verify(&all, remove(&app, &room, &ada, &format!("team:{one}"))).await.0, 204);
    let left = dans.events_of_room(&room, 1).await.remove(0);
    assert_eq!((&left["party"]["id"], &left["people"]), (&json!(one), &json!([cleo.id])));
    assert_eq!(left["stay"], json!([{ "user_id": ben.id, "via_team_id": two, "role": "guest" }]));
    assert_eq!(bens_role().await, is("guest", &two), "he is what the other team is");
    // And by leaving a team instead.
    assert_eq!(app.verify(&all, add_team(&app, &room, &ada, &one)).await.0, 201);
    app.verify(&all, leave_team(&app, &two, &ada, &ben)).await;
    followed(&app).await;
    assert_eq!(bens_role().await, is("member", &one), "he is here with the other one now");
    let moved = dans.events_of_room(&room, 2).await.remove(1);
    assert_eq!((&moved["type"], &moved["user_id"]), (&json!("member.role_changed"), &json!(ben.id)));
    assert_eq!((&moved["role"], &moved["via_team_id"]), (&json!("member"), &json!(one)));
    // From the log, and from Postgres, the room is the same.
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    let mut dans = app.connect(&dan).await;
    app.verify(&all, leave_team(&app, &one, &ada, &ben)).await;
    let gone = dans.events_of_room(&room, 1).await.remove(0);
    assert_eq!((&gone["type"], &gone["user_id"]), (&json!("member.removed"), &json!(ben.id)));
}

#[actix_rt::test]
async fn nobody_who_is_here_with_a_team_leaves_or_is_taken_out_alone() {
    let Four { app, ada, ben, cleo, dan } = four().await;
    let support = team(&app, "Support", &[&ben, &cleo]).await;
    let room = app.group(&[&ada, &ben]).await;
    assert_eq!(outcome(&add_team(&app, &room, &ada, &support).await), (422, "chat.party_not_found"), "not hers");
    assert_eq!(add_team(&app, &room, &ben, &support).await.0, 201);
    for by in [&ada, &cleo] {
        let refused = remove(&app, &room, by, &cleo.id).await;
        assert_eq!(outcome(&refused), (409, "chat.of_team"));
        assert!(refused.1["detail"].as_str().unwrap().contains("Support"), "{refused:?}");
    }
    assert_eq!(
        outcome(&remove(&app, &room, &dan, &cleo.id).await),
        (404, "chat.room_not_found"),
        "nothing to a stranger"
    );
    let party = format!("team:{support}");
    assert_eq!(outcome(&remove(&app, &room, &cleo, &party).await), (403, "chat.not_allowed"));
    // A role of her own makes her a member in her own right.
    let path = format!("/rooms/{room}/members/{}", cleo.id);
    let all = [&ada, &ben, &cleo];
    app.verify(&all, app.ok(Method::PATCH, &path, &ada, Some(json!({ "role": "admin" })))).await;
    assert_eq!(app.verify(&all, remove(&app, &room, &ben, &party)).await.0, 204, "an owner of the team takes it out");
    assert_eq!(names(&app, &room, &ada).await, ["ada", "ben", "cleo"]);
    assert_eq!(remove(&app, &room, &cleo, &cleo.id).await.0, 204);
}

#[actix_rt::test]
async fn the_role_of_a_team_is_that_of_its_people() {
    let Four { app, ada, ben, cleo, dan } = four().await;
    let support = team(&app, "Support", &[&ada, &ben]).await;
    let room = app.group(&[&ada, &dan]).await;
    let party = json!({ "type": "team", "id": support });
    let path = format!("/rooms/{room}/members");
    let owner = call(&app, Method::POST, path.clone(), &ada, json!({ "party": party, "role": "owner" })).await;
    assert_eq!(outcome(&owner), (422, "chat.invalid"));
    assert_eq!(call(&app, Method::POST, path.clone(), &ada, json!({ "party": party, "role": "guest" })).await.0, 201);
    let mut dans = app.connect(&dan).await;
    let path = format!("{path}/team:{support}");
    let admin = json!({ "role": "admin" });
    let set = app.verify(&[&ada, &ben, &dan], call(&app, Method::PATCH, path.clone(), &ada, admin)).await;
    assert_eq!(set, (200, json!({ "party": party, "role": "admin" })));
    let told = dans.events_of_room(&room, 1).await.remove(0);
    assert_eq!(
        (&told["type"], &told["party"], &told["people"]),
        (&json!("member.role_changed"), &party, &json!([ben.id]))
    );
    app.ok(Method::PATCH, &format!("/rooms/{room}"), &ben, Some(json!({ "name": "by an admin" }))).await;
    app.verify(&[&ada, &ben, &cleo], join_team(&app, &support, &ada, &cleo)).await;
    followed(&app).await;
    let cleos = members(&app, &room, &dan).await.into_iter().find(|(name, ..)| name == "cleo").unwrap();
    assert_eq!(cleos.1, "admin", "who comes later is what the team is");
    assert_eq!(
        outcome(&call(&app, Method::PATCH, path, &dan, json!({ "role": "guest" })).await),
        (403, "chat.not_allowed")
    );
}

#[actix_rt::test]
async fn a_deleted_team_is_told_in_the_order_of_its_rooms_also_when_the_engine_ends_in_between() {
    let Four { app, ada, ben, cleo, dan } = four().await;
    let support = team(&app, "Support", &[&ada, &ben, &cleo]).await;
    let room = app.group(&[&ada, &dan, &cleo]).await;
    assert_eq!(add_team(&app, &room, &ada, &support).await.0, 201);
    followed(&app).await;
    let (database, folder) = app.stop().await;
    // Nobody runs what this enqueues.
    let statement = format!(
        "BEGIN; SELECT set_config('parlance.by', '{}', true); UPDATE teams SET deleted_at = now() WHERE id = '{support}'; COMMIT",
        ada.id
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(database.storage.engine()).await.unwrap();
    let app = TestApp::on(database, folder, |_| {}).await;
    followed(&app).await;
    let told = app.connect(&dan).await.catch_up(&room, 0, 200).await;
    let last = told.last().unwrap();
    assert_eq!(
        (&last["type"], &last["party"]["id"], &last["by"]),
        (&json!("member.removed"), &json!(support), &json!(ada.id))
    );
    assert_eq!(last["people"], json!([ben.id]), "cleo was there before");
    assert_eq!(names(&app, &room, &dan).await, ["ada", "cleo", "dan"]);
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM teams").fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(left, 0);
    assert_eq!(listed(&app, &room, &ben).await, None);
    assert_eq!(listed(&app, &room, &dan).await.unwrap()["member_count"], json!(3));
}

#[actix_rt::test]
async fn teams_that_another_hand_changes_are_followed_all_the_same() {
    let Four { app, ada, ben, cleo, dan } = four().await;
    let (one, two) = (team(&app, "One", &[&ada, &ben, &cleo]).await, team(&app, "Two", &[&ada, &cleo]).await);
    let room = app.group(&[&ada]).await;
    for team in [&one, &two] {
        assert_eq!(add_team(&app, &room, &ada, team).await.0, 201);
    }
    let mut bens = app.connect(&ben).await;
    let insert = format!("INSERT INTO team_members VALUES ('{one}', '{}', 'member', now())", dan.id);
    app.verify(&[&ada, &ben, &cleo, &dan], app.sql(&insert)).await;
    let added = bens.events_of_room(&room, 1).await.remove(0);
    assert_eq!((&added["people"], &added["by"]), (&json!([dan.id]), &json!({ "type": "team", "id": one })));
    let delete = format!("DELETE FROM team_members WHERE user_id = '{}'", dan.id);
    app.verify(&[&ada, &ben, &cleo, &dan], app.sql(&delete)).await;
    let removed = bens.events_of_room(&room, 1).await.remove(0);
    assert_eq!((&removed["user_id"], &removed["by"]), (&json!(dan.id), &json!({ "type": "team", "id": one })));
    // A team whose row is deleted leaves as any other: in the order of the room. Who is in another one stays with that.
    let mut cleos = app.connect(&cleo).await;
    app.sql(&format!("DELETE FROM teams WHERE id = '{one}'")).await;
    let left = cleos.events_of_room(&room, 1).await.remove(0);
    let party = json!({ "type": "team", "id": one });
    assert_eq!((&left["type"], &left["party"], &left["by"]), (&json!("member.removed"), &party, &party));
    assert_eq!((&left["people"], &left["stay"][0]["user_id"]), (&json!([ben.id]), &json!(cleo.id)));
    followed(&app).await;
    assert_eq!(names(&app, &room, &ada).await, ["Two", "ada", "cleo"]);
    let teams: i64 =
        sqlx::query_scalar("SELECT count(*) FROM teams").fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(teams, 1, "its row is gone");
    assert_eq!(listed(&app, &room, &cleo).await.unwrap()["member_count"], json!(2));
    // The owner's account: the team is inherited, the room as well, and both stay in step.
    app.sql(&format!("DELETE FROM users WHERE id = '{}'", ada.id)).await;
    until("cleo owns what ada did", async || {
        let roles: Vec<_> = members(&app, &room, &cleo).await;
        let team = app.ok(Method::GET, &format!("/teams/{two}"), &cleo, None).await;
        team["role"] == "owner" && roles.iter().any(|(name, role, _)| name == "cleo" && role == "owner")
    })
    .await;
}

#[actix_rt::test]
async fn in_a_channel_of_a_space_come_those_who_are_in_the_space() {
    let Four { app, ada, ben, cleo, .. } = four().await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await["id"].clone();
    let path = format!("/spaces/{}/members", space.as_str().unwrap());
    app.ok(Method::POST, &path, &ada, Some(json!({ "user_id": ben.id }))).await;
    let body = json!({ "kind": "channel", "name": "boats", "space_id": space });
    let room = app.ok(Method::POST, "/rooms", &ada, Some(body)).await["id"].as_str().unwrap().to_owned();
    let support = team(&app, "Support", &[&ada, &ben, &cleo]).await;
    assert_eq!(add_team(&app, &room, &ada, &support).await.0, 201);
    assert_eq!(names(&app, &room, &ada).await, ["Support", "ada", "ben"]);
    let mut cleos = app.connect(&cleo).await;
    app.ok(Method::POST, &path, &ada, Some(json!({ "user_id": cleo.id }))).await;
    assert_eq!(cleos.event_of("room.joined").await["room"]["id"], json!(room), "she comes when she is");
    app.ok(Method::DELETE, &format!("{path}/{}", ben.id), &ben, None).await;
    followed(&app).await;
    assert_eq!(names(&app, &room, &ada).await, ["Support", "ada", "cleo"], "he has left the space");
}

#[actix_rt::test]
async fn what_cannot_be_is_refused_with_what_would_be_right() {
    let app = TestApp::with(|config| {
        config.chat.strangers = crate::rooms::config::Strangers::Invite;
        config.chat.rooms_per_user_max = 2;
    })
    .await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let support = team(&app, "Support", &[&ada]).await;
    let path = format!("/teams/{support}/members");
    let refused = call(&app, Method::POST, path.clone(), &ada, json!({ "user_id": ben.id })).await;
    assert_eq!(outcome(&refused), (403, "team.stranger"));
    assert_eq!(outcome(&call(&app, Method::GET, path.clone(), &ben, Value::Null).await), (404, "team.not_found"));
    assert_eq!(
        outcome(&call(&app, Method::POST, path, &ben, json!({ "user_id": cleo.id })).await),
        (404, "team.not_found")
    );
    let room = app.group(&[&ada]).await;
    let members = format!("/rooms/{room}/members");
    let stranger = json!({ "type": "agent", "id": ben.id });
    for (body, wanted) in [
        (json!({ "party": stranger }), (422, "chat.party_not_found")),
        (json!({}), (422, "chat.invalid")),
        (json!({ "user_id": ben.id, "party": { "type": "team", "id": support } }), (422, "chat.invalid")),
        (json!({ "party": { "type": "robot", "id": ben.id } }), (422, "request.invalid_body")),
        (json!({ "party": { "type": "team", "id": ben.id } }), (422, "chat.party_not_found")),
    ] {
        assert_eq!(outcome(&call(&app, Method::POST, members.clone(), &ada, body.clone()).await), wanted, "{body}");
    }
    let direct = app.ok(Method::POST, "/rooms", &ada, Some(json!({ "kind": "direct", "member_ids": [ben.id] }))).await;
    let direct = direct["id"].as_str().unwrap().to_owned();
    assert_eq!(outcome(&add_team(&app, &direct, &ada, &support).await), (422, "chat.direct_room"));
    assert_eq!(outcome(&remove(&app, &room, &ada, "robot:7").await), (404, "request.invalid_path"));
    // Each of a team's people has room for one more, or the team does not come.
    app.sql(&format!("INSERT INTO team_members VALUES ('{support}', '{}', 'member', now())", cleo.id)).await;
    for _ in 0..2 {
        app.group(&[&cleo]).await;
    }
    let refused = add_team(&app, &room, &ada, &support).await;
    assert_eq!(outcome(&refused), (409, "chat.too_many_rooms"));
    assert!(refused.1["detail"].as_str().unwrap().contains(&cleo.id), "{refused:?}");
}

#[actix_rt::test]
async fn parties_of_every_kind_are_named_to_those_who_may_see_them() {
    let Four { app, ada, ben, .. } = four().await;
    let support = team(&app, "Support", &[&ada]).await;
    let ask =
        async |by: &Person, ids: String| call(&app, Method::GET, format!("/parties?ids={ids}"), by, Value::Null).await;
    let all = format!("team:{support},{},user:{},contact:{}", ben.id, ada.id, ben.id);
    let (status, answer) = ask(&ada, all.clone()).await;
    let shown: Vec<_> = answer["parties"].as_array().unwrap().iter().map(|one| (&one["type"], &one["name"])).collect();
    let (user, team) = (json!("user"), json!("team"));
    assert_eq!(status, 200);
    assert_eq!(shown, [(&team, &json!("Support")), (&user, &json!("ben")), (&user, &json!("ada"))]);
    assert_eq!(ask(&ben, all).await.1["parties"].as_array().unwrap().len(), 2, "the team is not his to see");
    for ids in ["", "robot:1", "team:x", &[ben.id.as_str(); 101].join(",")] {
        assert_eq!(outcome(&ask(&ada, ids.to_owned()).await), (422, "parties.invalid_ids"), "{ids}");
    }
}

#[actix_rt::test]
async fn the_engine_speaks_for_itself_and_everybody_has_it_unread() {
    let Four { app, ada, ben, cleo, .. } = four().await;
    app.sql(&format!("UPDATE accounts SET role = 'admin' WHERE user_id = '{}'", cleo.id)).await;
    let room = app.group(&[&ada, &ben]).await;
    let path = format!("/admin/rooms/{room}/notices");
    let notice = json!({ "client_id": "n1", "content": "The lock is serviced at noon." });
    assert_eq!(
        outcome(&call(&app, Method::POST, path.clone(), &ada, notice.clone()).await),
        (403, "auth.not_an_admin")
    );
    let (mut adas, mut bens) = (app.connect(&ada).await, app.connect(&ben).await);
    let post = call(&app, Method::POST, path.clone(), &cleo, notice.clone());
    let (status, posted) = app.verify(&[&ada, &ben], post).await;
    assert_eq!((status, &posted["kind"], &posted["sender"]), (201, &json!("system"), &json!({ "type": "system" })));
    let (status, again) = call(&app, Method::POST, path.clone(), &cleo, notice).await;
    assert_eq!((status, &again), (200, &posted), "the first one");
    for socket in [&mut adas, &mut bens] {
        let told = socket.events_of_room(&room, 1).await.remove(0);
        assert_eq!((&told["type"], &told["message"]), (&json!("message.posted"), &posted));
    }
    for person in [&ada, &ben] {
        assert_eq!(listed(&app, &room, person).await.unwrap()["unread"], json!(1));
    }
    let reply = json!({ "type": "message.post", "room_id": room, "client_id": "r1", "content": "thanks", "reply_to": posted["id"] });
    assert_eq!(app.verify(&[&ada, &ben], bens.ask(reply)).await["type"], json!("ok"));
    assert_eq!(adas.events_of_room(&room, 1).await[0]["message"]["reply_to"], posted["id"]);
    let mark = json!({ "type": "receipt.mark", "room_id": room, "read_seq": 2 });
    app.verify(&[&ada, &ben], bens.ask(mark)).await;
    for (what, body, wanted) in [
        ("", json!({ "client_id": "n2", "content": " " }), (422, "chat.invalid")),
        ("", json!({ "client_id": "", "content": "x" }), (422, "chat.invalid")),
        ("", json!({ "client_id": "n2", "content": "x".repeat(32_769) }), (413, "chat.content_too_large")),
        ("none", json!({ "client_id": "n2", "content": "x" }), (404, "chat.room_not_found")),
    ] {
        let path = if what.is_empty() { path.clone() } else { format!("/admin/rooms/{}/notices", ada.id) };
        assert_eq!(outcome(&call(&app, Method::POST, path, &cleo, body).await), wanted);
    }
    // From memory and, after a restart, from Postgres: the same.
    let history = app.ok(Method::GET, &format!("/rooms/{room}/messages"), &ada, None).await;
    assert_eq!(history["items"][1], posted);
    let before = adas.catch_up(&room, 0, 200).await;
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    let (mut socket, ready) = app.resume(&ada, json!({ &room: 0 })).await;
    assert_eq!(socket.events_of_room(&room, 2).await, before);
    assert_eq!(ready["rooms"][0]["unread"], json!(2));
    assert_eq!(WsClient::catch_up(&mut socket, &room, 0, 1).await, before);
}
