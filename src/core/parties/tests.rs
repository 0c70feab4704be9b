//! Teams on a real Postgres: limits, inheritance, and the jobs that triggers leave for rooms.

use std::sync::Arc;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::config::PartiesConfig;
use super::error::TeamError;
use super::store;
use super::teams::{Acquaintances, StrangersFuture, Teams};
use super::wire::{CreateTeam, Team, TeamRole, UpdateTeam};
use crate::jobs::JobsHandle;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::testing::{TestDatabase, defaults};

/// Everybody whose id is above this is a stranger to everybody.
const KNOWN_MAX: u128 = 0xffff;

struct ById;

impl Acquaintances for ById {
    fn strangers<'a>(&'a self, _: UserId, others: &'a [UserId]) -> StrangersFuture<'a> {
        let strangers = others.iter().copied().filter(|user| user.0.as_u128() > KNOWN_MAX).collect();
        Box::pin(async move { Ok(strangers) })
    }
}

struct Bench {
    database: TestDatabase,
    teams: Teams,
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

impl Bench {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let (clock, storage) = (Clock::system(), database.storage.clone());
        let mut config = defaults::<PartiesConfig>("parties");
        (config.team_people_max, config.teams_owned_max) = (4, 3);
        let jobs = JobsHandle::new(storage.clone(), clock.clone());
        let bench = Self { database, teams: Teams::new(Arc::new(config), clock, storage, jobs, Arc::new(ById)) };
        for n in (1..=6).chain([KNOWN_MAX + 1]) {
            bench
                .sql(&format!(
                    "INSERT INTO users (id, username, created_at, updated_at) VALUES ('{}', 'user{n}', now(), now())",
                    user(n)
                ))
                .await;
        }
        bench
    }

    async fn sql(&self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(self.database.storage.engine()).await.unwrap();
    }

    async fn text(&self, query: &str) -> String {
        let text: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(self.database.storage.engine()).await.unwrap();
        text.unwrap_or_default()
    }

    async fn team(&self, people: &[u128]) -> Team {
        let wanted = CreateTeam { client_id: None, name: "Support".into(), description: None };
        let (team, _) = self.teams.create(user(people[0]), &wanted).await.unwrap();
        for one in &people[1..] {
            self.add(&team, people[0], *one).await.unwrap();
        }
        team
    }

    async fn add(&self, team: &Team, by: u128, one: u128) -> Result<(TeamRole, bool), TeamError> {
        self.teams.add_member(user(by), team.id, user(one), TeamRole::Member).await
    }

    /// A group with the team in it, written by hand; its id.
    async fn room_with(&self, team: TeamId) -> Uuid {
        let room = Uuid::now_v7();
        self.sql(&format!(
            "INSERT INTO rooms (id, kind, created_at, updated_at) VALUES ('{room}', 'group', now(), now());
             INSERT INTO room_members (room_id, team_id, role, joined_at) VALUES ('{room}', '{team}', 'member', now());
             DELETE FROM jobs"
        ))
        .await;
        room
    }

    /// The rooms that are to look at their teams, each with whoever made that so.
    async fn follows(&self) -> String {
        self.text("SELECT string_agg(key || ' by ' || COALESCE(payload->>'by', 'nobody'), ', ' ORDER BY place) FROM jobs WHERE kind = 'team.follow'").await
    }

    async fn roles(&self, team: &Team) -> String {
        let query = format!(
            "SELECT string_agg(username::text || ' ' || role, ', ' ORDER BY username)
             FROM team_members JOIN users ON users.id = user_id WHERE team_id = '{}'",
            team.id
        );
        self.text(&query).await
    }
}

#[actix_rt::test]
async fn a_team_is_made_once_and_described_by_its_owners() {
    let bench = Bench::new().await;
    let wanted =
        |name: &str| CreateTeam { client_id: Some("c1".into()), name: name.into(), description: Some(" ".into()) };
    let (first, is_new) = bench.teams.create(user(1), &wanted(" Support\u{200b} ")).await.unwrap();
    assert_eq!(
        (first.name.as_str(), &first.description, first.role, is_new),
        ("Support", &None, Some(TeamRole::Owner), true)
    );
    let (again, is_new) = bench.teams.create(user(1), &wanted("Other")).await.unwrap();
    assert_eq!((&again, is_new), (&first, false));
    let (others, is_new) = bench.teams.create(user(2), &wanted("Support")).await.unwrap();
    assert!(is_new && others.id != first.id, "client ids are each one's own");

    let rename = UpdateTeam { name: Some("Help".into()), description: Some("Days and nights".into()) };
    assert!(matches!(bench.teams.describe(user(2), first.id, &rename).await, Err(TeamError::NotFound)));
    bench.add(&first, 1, 2).await.unwrap();
    assert!(matches!(bench.teams.describe(user(2), first.id, &rename).await, Err(TeamError::NotAnOwner)));
    let renamed = bench.teams.describe(user(1), first.id, &rename).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.description.as_deref()), ("Help", Some("Days and nights")));
    for name in ["", "\u{3164}", "a\nb", &"x".repeat(101)] {
        let wanted = UpdateTeam { name: Some(name.to_owned()), description: None };
        assert!(matches!(
            bench.teams.describe(user(1), first.id, &wanted).await,
            Err(TeamError::Invalid { field: "name", .. })
        ));
    }
    let page = store::teams_of(&bench.database.storage, user(2), None, 10).await.unwrap();
    assert_eq!(page.iter().map(|team| team.id).collect::<Vec<_>>(), [first.id, others.id]);
}

#[actix_rt::test]
async fn limits_hold_for_people_and_for_teams() {
    let bench = Bench::new().await;
    let team = bench.team(&[1, 2, 3, 4]).await;
    assert!(matches!(bench.add(&team, 1, 5).await, Err(TeamError::Full(4))));
    assert!(matches!(bench.add(&team, 1, 4).await, Ok((TeamRole::Member, false))), "who is in it stays");
    let other = bench.team(&[1]).await;
    bench.team(&[1]).await;
    let wanted = CreateTeam { client_id: None, name: "x".into(), description: None };
    assert!(matches!(bench.teams.create(user(1), &wanted).await, Err(TeamError::TooMany(3))));
    bench.teams.delete(user(1), other.id).await.unwrap();
    bench.teams.create(user(1), &wanted).await.unwrap();
    assert!(matches!(bench.add(&team, 1, 99).await, Err(TeamError::Full(4))));
    bench.teams.remove_member(user(4), team.id, user(4)).await.unwrap();
    assert!(matches!(bench.add(&team, 1, 99).await, Err(TeamError::UserNotFound)));
    assert!(matches!(bench.add(&team, 1, KNOWN_MAX + 1).await, Err(TeamError::Stranger)));
    assert!(matches!(bench.add(&team, 2, KNOWN_MAX + 1).await, Err(TeamError::NotAnOwner)), "who may not is told that");
    assert!(matches!(bench.add(&team, 6, KNOWN_MAX + 1).await, Err(TeamError::NotFound)));
}

#[actix_rt::test]
async fn whatever_changes_a_team_leaves_a_job_for_each_of_its_rooms() {
    let bench = Bench::new().await;
    let team = bench.team(&[1, 2]).await;
    assert_eq!(bench.follows().await, "", "it is in no room");
    let room = bench.room_with(team.id).await;
    let by = |by: &str| format!("{room} by {by}");
    bench.add(&team, 1, 3).await.unwrap();
    assert_eq!(bench.follows().await, by(&user(1).to_string()));
    bench.sql("DELETE FROM jobs").await;
    bench.teams.remove_member(user(3), team.id, user(3)).await.unwrap();
    assert_eq!(bench.follows().await, by(&user(3).to_string()));
    bench.sql("DELETE FROM jobs").await;
    bench
        .sql(&format!(
            "INSERT INTO team_members VALUES ('{0}', '{1}', 'member', now()), ('{0}', '{2}', 'member', now())",
            team.id,
            user(4),
            user(5)
        ))
        .await;
    assert_eq!(bench.follows().await, by("nobody"), "one job a room, however many come");
    bench.sql("DELETE FROM jobs").await;
    bench.teams.delete(user(1), team.id).await.unwrap();
    assert_eq!(bench.follows().await, by(&user(1).to_string()));
    assert!(matches!(store::team_of(&bench.database.storage, user(1), team.id).await, Err(TeamError::NotFound)));
    bench.teams.delete_ended().await.unwrap();
    assert_eq!(bench.text("SELECT count(*)::text FROM teams").await, "1", "a room still has it");
    bench.sql("DELETE FROM room_members").await;
    bench.teams.delete_ended().await.unwrap();
    assert_eq!(bench.text("SELECT count(*)::text FROM teams").await, "0");
}

#[actix_rt::test]
async fn a_team_that_another_hand_deletes_stays_until_no_room_has_it_or_anybody_who_came_with_it() {
    let bench = Bench::new().await;
    let team = bench.team(&[1, 2]).await;
    let room = bench.room_with(team.id).await;
    let delete = format!("DELETE FROM teams WHERE id = '{}'", team.id);
    let left = async || bench.text("SELECT string_agg((deleted_at IS NOT NULL)::text, ',') FROM teams").await;
    bench.sql(&delete).await;
    assert_eq!((left().await.as_str(), bench.follows().await), ("true", format!("{room} by nobody")));
    bench
        .sql(&format!(
            "DELETE FROM room_members;
             INSERT INTO room_members (room_id, user_id, via_team_id, role, joined_at)
             VALUES ('{room}', '{}', '{}', 'member', now()); DELETE FROM jobs; {delete}",
            user(2),
            team.id
        ))
        .await;
    bench.teams.delete_ended().await.unwrap();
    assert_eq!((left().await.as_str(), bench.follows().await), ("true", format!("{room} by nobody")), "once more");
    bench.sql(&format!("DELETE FROM room_members; {delete}")).await;
    assert_eq!(left().await, "");
}

#[actix_rt::test]
async fn a_team_whose_owner_is_deleted_is_inherited_by_the_longest_member_and_one_without_people_ends() {
    let bench = Bench::new().await;
    let team = bench.team(&[1, 3, 2]).await;
    let room = bench.room_with(team.id).await;
    let delete = async |n| bench.sql(&format!("DELETE FROM users WHERE id = '{}'", user(n))).await;
    delete(1).await;
    assert_eq!(bench.roles(&team).await, "user2 member, user3 owner");
    bench.teams.remove_member(user(2), team.id, user(2)).await.unwrap();
    let left = bench.teams.remove_member(user(3), team.id, user(3)).await;
    assert!(left.is_ok(), "the last one of all may leave");
    let ends = bench.text("SELECT (deleted_at IS NOT NULL)::text FROM teams").await;
    assert_eq!(ends, "true", "its room takes it out first");
    assert!(bench.follows().await.contains(&room.to_string()));

    let other = bench.team(&[4]).await;
    delete(4).await;
    let left = bench.text(&format!("SELECT count(*)::text FROM teams WHERE id = '{}'", other.id)).await;
    assert_eq!(left, "0", "in no room, it goes at once");
}

#[actix_rt::test]
async fn the_last_owner_stays_one_while_others_are_there() {
    let bench = Bench::new().await;
    let team = bench.team(&[1, 2]).await;
    assert!(matches!(bench.teams.remove_member(user(1), team.id, user(1)).await, Err(TeamError::LastOwner)));
    let set = |by, one, role| store::set_role(&bench.database.storage, team.id, user(by), user(one), role);
    assert!(matches!(set(1, 1, TeamRole::Member).await, Err(TeamError::LastOwner)));
    assert!(matches!(set(2, 2, TeamRole::Owner).await, Err(TeamError::NotAnOwner)));
    assert!(matches!(set(1, 5, TeamRole::Owner).await, Err(TeamError::NotAMember)));
    set(1, 2, TeamRole::Owner).await.unwrap();
    // Two owners who leave at once: one of them is the last.
    let (one, two) = (bench.teams.clone(), bench.teams.clone());
    bench.add(&team, 1, 3).await.unwrap();
    let both = futures_util::future::join(
        one.remove_member(user(1), team.id, user(1)),
        two.remove_member(user(2), team.id, user(2)),
    );
    let both = both.await;
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    assert!(bench.roles(&team).await.contains("owner"));
}
