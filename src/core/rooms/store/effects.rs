//! What the changes that the core reads itself write beside their event: members, and what the room is called.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::order::{CoreChange, Effect, EffectWriter, Placed, Role, Written};
use parlance_foundation::ids::TeamId;
use parlance_foundation::party::Party;

/// Effect: what the event's [`CoreChange`] says.
#[derive(Debug)]
pub struct WriteChange;

impl Effect for WriteChange {
    fn writer(&self) -> &'static dyn EffectWriter {
        &Changes
    }
}

struct Changes;

impl EffectWriter for Changes {
    fn name(&self) -> &'static str {
        "rooms"
    }

    fn write<'a>(&'a self, connection: &'a mut PgConnection, effects: &'a [Placed<'a>]) -> Written<'a> {
        Box::pin(write(connection, Folded::of(effects)))
    }
}

/// What all changes of a flush come to.
#[derive(Debug, Default)]
struct Folded<'a> {
    /// In the order of rooms and parties, so that two shards never wait for each other.
    members: BTreeMap<(Uuid, Party), MemberFolded>,
    described: HashMap<Uuid, Described<'a>>,
    /// Of the events that tell of a departure.
    told: Vec<Uuid>,
}

#[derive(Debug, Default)]
struct MemberFolded {
    /// Was taken out, perhaps to come back.
    goes: bool,
    joins: Option<Joins>,
    /// Of somebody who was there before: their role and the team with which they are here, or none.
    becomes: Option<(Role, Option<TeamId>)>,
}

impl MemberFolded {
    fn is_now(&mut self, role: Role, via: Option<TeamId>) {
        match &mut self.joins {
            Some(joins) => (joins.role, joins.via) = (role, via),
            None => self.becomes = Some((role, via)),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Joins {
    via: Option<TeamId>,
    role: Role,
    seq: i64,
    at: DateTime<Utc>,
}

#[derive(Debug)]
struct Described<'a> {
    name: Option<&'a str>,
    topic: Option<&'a str>,
    at: DateTime<Utc>,
}

impl<'a> Folded<'a> {
    fn of(effects: &'a [Placed<'a>]) -> Self {
        let mut folded = Self::default();
        for placed in effects {
            let (room, row) = (placed.room_id.0, placed.row);
            match row.change() {
                Some(change @ CoreChange::MemberAdded { party, role, .. }) => {
                    for joining in change.parties() {
                        let via = party.team().filter(|_| joining != *party);
                        let joins = Joins { via, role: *role, seq: row.seq, at: row.at };
                        folded.members.entry((room, joining)).or_default().joins = Some(joins);
                    }
                }
                Some(CoreChange::MemberRemoved { is_out: true, .. }) => folded.told.push(row.id()),
                Some(change @ CoreChange::MemberRemoved { is_out: false, stay, .. }) => {
                    for party in change.parties() {
                        folded.members.insert((room, party), MemberFolded { goes: true, ..MemberFolded::default() });
                    }
                    for stays in stay {
                        let member = folded.members.entry((room, Party::User(stays.user))).or_default();
                        member.is_now(stays.role, Some(stays.via));
                    }
                }
                Some(change @ CoreChange::RoleChanged { party, role, via, .. }) => {
                    for one in change.parties() {
                        let member = folded.members.entry((room, one)).or_default();
                        if one.team().is_some() {
                            // It may have been there before, and get more people in this flush.
                            member.becomes = Some((*role, None));
                        }
                        member.is_now(*role, party.team().filter(|_| one != *party).or(*via));
                    }
                }
                Some(CoreChange::Described { name, topic }) => {
                    let (name, topic) = (name.as_deref(), topic.as_deref());
                    folded.described.insert(room, Described { name, topic, at: row.at });
                }
                None => {}
            }
        }
        folded
    }
}

async fn write(connection: &mut PgConnection, folded: Folded<'_>) -> Result<(), sqlx::Error> {
    if !folded.told.is_empty() {
        sqlx::query!("DELETE FROM departures WHERE id = ANY($1)", &folded.told).execute(&mut *connection).await?;
    }
    remove_members(connection, &folded).await?;
    add_members(connection, &folded).await?;
    set_roles(connection, &folded).await?;
    describe(connection, &folded).await
}

async fn remove_members(connection: &mut PgConnection, folded: &Folded<'_>) -> Result<(), sqlx::Error> {
    let gone = folded.members.iter().filter(|(_, member)| member.goes);
    let (rooms, parties): (Vec<Uuid>, Vec<Uuid>) = gone.map(|((room, party), _)| (*room, party.uuid())).unzip();
    if rooms.is_empty() {
        return Ok(());
    }
    // Whoever left the space a moment ago, before the room heard of it, is told of once: by this.
    sqlx::query!(
        "WITH gone AS (
             SELECT room_id, party_id FROM UNNEST($1::uuid[], $2::uuid[]) AS given (room_id, party_id)
         ), told AS (
             DELETE FROM departures USING gone
             WHERE departures.room_id = gone.room_id AND departures.user_id = gone.party_id
         )
         DELETE FROM room_members AS m USING gone
         WHERE m.room_id = gone.room_id AND COALESCE(m.user_id, m.agent_id, m.team_id, m.contact_id) = gone.party_id",
        &rooms,
        &parties
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// In a channel of a space, only those people who are in the space: they may be leaving it at this moment. The lock has
/// their leaving wait, and then it finds this; or this waits for their leaving, and finds that they are out.
async fn add_members(connection: &mut PgConnection, folded: &Folded<'_>) -> Result<(), sqlx::Error> {
    let joining = folded.members.iter().filter_map(|(key, member)| Some((key, member.joins?)));
    let joining: Vec<_> = joining.map(|((room, party), joins)| (*room, party.columns(), joins)).collect();
    if joining.is_empty() {
        return Ok(());
    }
    // A member starts with everything before the joining read: nobody owes the past. A team that gets more people has been
    // there before.
    let added = sqlx::query_scalar!(
        r#"WITH given AS (
             SELECT given.*, rooms.space_id
             FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::bigint[],
                         $9::timestamptz[])
                  AS given (room_id, user_id, agent_id, team_id, contact_id, via_team_id, role, seq, at)
             JOIN rooms ON rooms.id = given.room_id
         ), in_space AS (
             SELECT own.space_id, own.user_id FROM space_members AS own
             WHERE (own.space_id, own.user_id) IN (SELECT space_id, user_id FROM given WHERE space_id IS NOT NULL)
             FOR KEY SHARE
         ), added AS (
             INSERT INTO room_members (room_id, user_id, agent_id, team_id, contact_id, via_team_id, role, delivered_seq,
                                       read_seq, joined_at)
             SELECT room_id, user_id, agent_id, team_id, contact_id, via_team_id, role, seq, seq, at FROM given
             WHERE (space_id IS NULL OR user_id IS NULL OR (space_id, user_id) IN (SELECT space_id, user_id FROM in_space))
               AND (team_id IS NULL OR NOT EXISTS (SELECT FROM room_members there
                        WHERE there.room_id = given.room_id AND there.team_id = given.team_id))
             RETURNING user_id
         )
         SELECT count(*) AS "count!" FROM added WHERE user_id IS NOT NULL"#,
        &joining.iter().map(|(room, ..)| *room).collect::<Vec<_>>(),
        &joining.iter().map(|(_, party, _)| party.user_id).collect::<Vec<_>>() as &[Option<Uuid>],
        &joining.iter().map(|(_, party, _)| party.agent_id).collect::<Vec<_>>() as &[Option<Uuid>],
        &joining.iter().map(|(_, party, _)| party.team_id).collect::<Vec<_>>() as &[Option<Uuid>],
        &joining.iter().map(|(_, party, _)| party.contact_id).collect::<Vec<_>>() as &[Option<Uuid>],
        &joining.iter().map(|(.., joins)| joins.via.map(|team| team.0)).collect::<Vec<_>>() as &[Option<Uuid>],
        &joining.iter().map(|(.., joins)| joins.role.as_str()).collect::<Vec<_>>() as &[&str],
        &joining.iter().map(|(.., joins)| joins.seq).collect::<Vec<_>>(),
        &joining.iter().map(|(.., joins)| joins.at).collect::<Vec<_>>(),
    )
    .fetch_one(connection)
    .await?;
    let people = joining.iter().filter(|(_, party, _)| party.user_id.is_some()).count();
    if i64::try_from(people) == Ok(added) { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

async fn set_roles(connection: &mut PgConnection, folded: &Folded<'_>) -> Result<(), sqlx::Error> {
    let changed = folded.members.iter().filter_map(|((room, party), member)| Some((*room, *party, member.becomes?)));
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE room_members AS m
         SET role = given.role, via_team_id = given.via_team_id
         FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) AS given (room_id, party_id, role, via_team_id)
         WHERE m.room_id = given.room_id AND COALESCE(m.user_id, m.agent_id, m.team_id, m.contact_id) = given.party_id",
        &changed.iter().map(|(room, ..)| *room).collect::<Vec<_>>(),
        &changed.iter().map(|(_, party, _)| party.uuid()).collect::<Vec<_>>(),
        &changed.iter().map(|(.., (role, _))| role.as_str()).collect::<Vec<_>>() as &[&str],
        &changed.iter().map(|(.., (_, via))| via.map(|team| team.0)).collect::<Vec<_>>() as &[Option<Uuid>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn describe(connection: &mut PgConnection, folded: &Folded<'_>) -> Result<(), sqlx::Error> {
    if folded.described.is_empty() {
        return Ok(());
    }
    let described: Vec<_> = folded.described.iter().collect();
    sqlx::query!(
        "UPDATE rooms SET name = given.name, topic = given.topic, updated_at = given.at
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS given (room_id, name, topic, at)
         WHERE rooms.id = given.room_id",
        &described.iter().map(|(room, _)| **room).collect::<Vec<_>>(),
        &described.iter().map(|(_, as_is)| as_is.name).collect::<Vec<_>>() as &[Option<&str>],
        &described.iter().map(|(_, as_is)| as_is.topic).collect::<Vec<_>>() as &[Option<&str>],
        &described.iter().map(|(_, as_is)| as_is.at).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
