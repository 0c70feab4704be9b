//! What the changes that the core reads itself write beside their event: members, and what the room is called.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::order::{CoreChange, Effect, EffectWriter, Placed, Role, Written};

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
    /// In the order of rooms and people, so that two shards never wait for each other.
    members: BTreeMap<(Uuid, Uuid), MemberFolded>,
    described: HashMap<Uuid, Described<'a>>,
    /// Of the events that tell of a departure.
    told: Vec<Uuid>,
}

#[derive(Debug, Default)]
struct MemberFolded {
    /// Was taken out, perhaps to come back.
    goes: bool,
    joins: Option<Joins>,
    /// Of somebody who was there before.
    role: Option<Role>,
}

#[derive(Clone, Copy, Debug)]
struct Joins {
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
                Some(CoreChange::MemberAdded { user_id, role }) => {
                    let joins = Joins { role: *role, seq: row.seq, at: row.at };
                    folded.members.entry((room, user_id.0)).or_default().joins = Some(joins);
                }
                Some(CoreChange::MemberRemoved { is_out: true, .. }) => folded.told.push(row.id()),
                Some(CoreChange::MemberRemoved { user_id, is_out: false }) => {
                    let gone = MemberFolded { goes: true, joins: None, role: None };
                    folded.members.insert((room, user_id.0), gone);
                }
                Some(CoreChange::RoleChanged { user_id, role }) => {
                    let member = folded.members.entry((room, user_id.0)).or_default();
                    match &mut member.joins {
                        Some(joins) => joins.role = *role,
                        None => member.role = Some(*role),
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
    let (rooms, users): (Vec<Uuid>, Vec<Uuid>) = gone.map(|(key, _)| *key).unzip();
    if rooms.is_empty() {
        return Ok(());
    }
    // Whoever left the space a moment ago, before the room heard of it, is told of once: by this.
    sqlx::query!(
        "WITH gone AS (
             SELECT room_id, user_id FROM UNNEST($1::uuid[], $2::uuid[]) AS given (room_id, user_id)
         ), told AS (
             DELETE FROM departures USING gone
             WHERE departures.room_id = gone.room_id AND departures.user_id = gone.user_id
         )
         DELETE FROM room_members USING gone
         WHERE room_members.room_id = gone.room_id AND room_members.user_id = gone.user_id",
        &rooms,
        &users
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// In a channel of a space, only those who are in the space: they may be leaving it at this moment. The lock has their
/// leaving wait, and then it finds this; or this waits for their leaving, and finds that they are out.
async fn add_members(connection: &mut PgConnection, folded: &Folded<'_>) -> Result<(), sqlx::Error> {
    let joining = folded.members.iter().filter_map(|(key, member)| Some((key, member.joins?)));
    let joining: Vec<_> = joining.map(|((room, user), joins)| (*room, *user, joins)).collect();
    if joining.is_empty() {
        return Ok(());
    }
    // A member starts with everything before the joining read: nobody owes the past.
    let added = sqlx::query!(
        "WITH given AS (
             SELECT given.*, rooms.space_id
             FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
                  AS given (room_id, user_id, role, seq, at)
             JOIN rooms ON rooms.id = given.room_id
         ), in_space AS (
             SELECT own.space_id, own.user_id FROM space_members AS own
             WHERE (own.space_id, own.user_id) IN (SELECT space_id, user_id FROM given WHERE space_id IS NOT NULL)
             FOR KEY SHARE
         )
         INSERT INTO room_members (room_id, user_id, role, delivered_seq, read_seq, joined_at)
         SELECT room_id, user_id, role, seq, seq, at FROM given
         WHERE space_id IS NULL OR (space_id, user_id) IN (SELECT space_id, user_id FROM in_space)",
        &joining.iter().map(|(room, ..)| *room).collect::<Vec<_>>(),
        &joining.iter().map(|(_, user, _)| *user).collect::<Vec<_>>(),
        &joining.iter().map(|(.., joins)| joins.role.as_str()).collect::<Vec<_>>() as &[&str],
        &joining.iter().map(|(.., joins)| joins.seq).collect::<Vec<_>>(),
        &joining.iter().map(|(.., joins)| joins.at).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    let all = u64::try_from(joining.len()).unwrap_or(u64::MAX);
    if added.rows_affected() == all { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

async fn set_roles(connection: &mut PgConnection, folded: &Folded<'_>) -> Result<(), sqlx::Error> {
    let changed = folded.members.iter().filter_map(|(key, member)| Some((key, member.role?)));
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE room_members SET role = given.role
         FROM UNNEST($1::uuid[], $2::uuid[], $3::text[]) AS given (room_id, user_id, role)
         WHERE room_members.room_id = given.room_id AND room_members.user_id = given.user_id",
        &changed.iter().map(|((room, _), _)| *room).collect::<Vec<_>>(),
        &changed.iter().map(|((_, user), _)| *user).collect::<Vec<_>>(),
        &changed.iter().map(|(_, role)| role.as_str()).collect::<Vec<_>>() as &[&str],
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
