//! The rows of each table, in the order in which they go in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::dice::Dice;
use super::people::{Family, Somebody, email, subject};
use super::room::{Entry, Kind, Room, uuid_at};
use super::shape::Shape;
use super::store::copy;
use super::text::{self, Texts};
use crate::measure::Progress;

/// Lives of tokens, in microseconds: what the engine gives by default.
const ACCESS_LIFE: i64 = 900_000_000;
const REFRESH_LIFE: i64 = 30 * 86_400_000_000;

/// What is loaded.
pub struct Loading<'a> {
    pub shape: &'a Shape,
    pub dice: Dice,
    pub name: &'a str,
    pub issuer: &'a str,
    pub password_hash: String,
}

mod places {
    pub const PERSON: u64 = 101;
    pub const SPACE: u64 = 102;
    pub const TEXTS: u64 = 103;
}

impl Loading<'_> {
    fn somebody(&self, index: u64) -> Somebody {
        Somebody::of(self.dice.at(places::PERSON), index, self.shape.users, self.shape.begun)
    }

    fn user_id(&self, index: u32) -> Uuid {
        self.somebody(u64::from(index)).id
    }

    fn everybody(&self) -> impl Iterator<Item = (u64, Somebody)> {
        (0..self.shape.users).map(|index| (index, self.somebody(index)))
    }

    fn space_id(&self, space: usize) -> Uuid {
        uuid_at(self.shape.begun + 86_400_000_000, self.dice.at(places::SPACE).at(space as u64))
    }

    /// People, who they are to the issuer, and where they are signed in.
    pub async fn people(&self, connection: &mut PgConnection) -> anyhow::Result<u64> {
        let progress = Progress::of("people", self.shape.users * 3);
        let columns = ["id", "username", "full_name", "created_at", "updated_at"];
        let mut rows = copy(
            connection,
            "users",
            &columns,
            self.everybody(),
            |row, (index, who)| {
                let (username, full_name) = (who.username(index), who.full_name());
                row.uuid(who.id).text(&username).text(&full_name).time(who.came).time(who.came);
            },
            &progress,
        )
        .await?;
        let columns = ["user_id", "email", "password_hash", "preferences"];
        rows += copy(
            connection,
            "accounts",
            &columns,
            self.everybody(),
            |row, (index, who)| {
                // The first person keeps what the harness needs to know of the others.
                let preferences =
                    if index == 0 { json!({ "installation": { "users": self.shape.users } }) } else { json!({}) };
                row.uuid(who.id).text(&email(self.name, index)).text(&self.password_hash).json(&preferences);
            },
            &progress,
        )
        .await?;
        let columns = ["issuer", "subject", "user_id", "created_at"];
        rows += copy(
            connection,
            "external_identities",
            &columns,
            self.everybody(),
            |row, (index, who)| {
                row.text(self.issuer).text(&subject(self.name, index)).uuid(who.id).time(who.came);
            },
            &progress,
        )
        .await?;
        Ok(rows + self.sign_ins(connection).await?)
    }

    async fn sign_ins(&self, connection: &mut PgConnection) -> anyhow::Result<u64> {
        let families: Vec<Family> = self.everybody().flat_map(|(_, who)| who.families(self.shape.ended)).collect();
        let tokens: u64 = families.iter().map(|family| family.tokens.len() as u64).sum();
        let progress = Progress::of("sign-ins", families.len() as u64 + tokens);
        let columns = ["id", "user_id", "created_at", "last_used_at", "access_expires_at", "expires_at"];
        let mut rows = copy(
            connection,
            "token_families",
            &columns,
            families.iter(),
            |row, family| {
                row.uuid(family.id).uuid(family.user).time(family.created).time(family.used);
                row.time(family.used + ACCESS_LIFE).time(family.used + REFRESH_LIFE);
            },
            &progress,
        )
        .await?;
        let columns = ["hash", "family_id", "issued_at", "expires_at", "used_at"];
        let tokens = families.iter().flat_map(|family| family.tokens.iter().map(move |token| (family, token)));
        rows += copy(
            connection,
            "refresh_tokens",
            &columns,
            tokens,
            |row, (family, token)| {
                let used = (family.tokens.last() != Some(token)).then_some(family.used);
                row.bytes(token)
                    .uuid(family.id)
                    .time(family.created)
                    .time(family.created + REFRESH_LIFE)
                    .time_or_null(used);
            },
            &progress,
        )
        .await?;
        Ok(rows)
    }

    /// Spaces, rooms, and who is in them.
    pub async fn rooms(&self, connection: &mut PgConnection) -> anyhow::Result<u64> {
        let shape = self.shape;
        let progress = Progress::of("rooms", shape.rooms.len() as u64 + shape.memberships());
        let (first, begun) = (self.user_id(0), shape.begun + 86_400_000_000);
        let columns = ["id", "name", "created_by", "created_at", "updated_at"];
        let mut rows = copy(
            connection,
            "spaces",
            &columns,
            0..shape.spaces,
            |row, space| {
                let name = text::name(self.dice.at(places::SPACE).at(space as u64));
                row.uuid(self.space_id(space)).text(&name).uuid(first).time(begun).time(begun);
            },
            &progress,
        )
        .await?;
        let columns = ["space_id", "user_id", "role", "joined_at"];
        let members =
            self.everybody().flat_map(|(index, who)| shape.spaces_of(index).map(|space| (index, who.id, space)));
        rows += copy(
            connection,
            "space_members",
            &columns,
            members,
            |row, (index, user, space)| {
                let role = if index < shape.spaces as u64 { "owner" } else { "member" };
                row.uuid(self.space_id(space)).uuid(user).text(role).time(begun);
            },
            &progress,
        )
        .await?;
        rows += self.rooms_themselves(connection, &progress).await?;
        Ok(rows + self.members(connection, &progress).await?)
    }

    async fn rooms_themselves(&self, connection: &mut PgConnection, progress: &Progress) -> anyhow::Result<u64> {
        let columns = [
            "id",
            "kind",
            "name",
            "space_id",
            "direct_low",
            "direct_high",
            "created_by",
            "last_seq",
            "last_event_at",
            "created_at",
            "updated_at",
        ];
        copy(
            connection,
            "rooms",
            &columns,
            self.shape.rooms.iter(),
            |row, room| {
                let people: Vec<Uuid> = room.members.iter().take(2).map(|user| self.user_id(*user)).collect();
                let pair = (room.kind == Kind::Direct).then_some(&people);
                let last_seq = room.last_seq();
                let last_at = (last_seq > 0).then(|| room.time(last_seq));
                row.uuid(room.id()).text(room.kind.as_str()).text_or_null(room.name(room.renamings()).as_deref());
                row.uuid_or_null(room.space.map(|space| self.space_id(space)));
                row.uuid_or_null(pair.and_then(|pair| pair.iter().min().copied()));
                row.uuid_or_null(pair.and_then(|pair| pair.iter().max().copied()));
                row.uuid_or_null(people.first().copied()).bigint(last_seq).time_or_null(last_at);
                row.time(room.begun).time(room.begun);
            },
            progress,
        )
        .await
    }

    async fn members(&self, connection: &mut PgConnection, progress: &Progress) -> anyhow::Result<u64> {
        let columns = ["room_id", "user_id", "role", "delivered_seq", "read_seq", "joined_at"];
        let members =
            self.shape.rooms.iter().flat_map(|room| (0..).zip(&room.members).map(move |member| (room, member)));
        copy(
            connection,
            "room_members",
            &columns,
            members,
            |row, (room, (place, user))| {
                let role = if place == 0 && room.kind != Kind::Direct { "owner" } else { "member" };
                let mark = room.mark(place);
                row.uuid(room.id()).uuid(self.user_id(*user)).text(role);
                row.bigint(mark.delivered_seq).bigint(mark.read_seq).time(mark.joined_at);
            },
            progress,
        )
        .await
    }

    /// All messages of all rooms, oldest first.
    pub async fn messages(&self, connection: &mut PgConnection) -> anyhow::Result<u64> {
        let texts = Texts::new(self.dice.at(places::TEXTS));
        let columns =
            ["room_id", "seq", "id", "sender_user_id", "client_id", "kind", "content", "reply_to", "created_at"];
        let whole = self.shape.rooms.iter().map(|room| room.messages).sum();
        let progress = Progress::of("messages", whole);
        let ids: Vec<Uuid> = self.everybody().map(|(_, who)| who.id).collect();
        copy(
            connection,
            "messages",
            &columns,
            Merged::of(&self.shape.rooms),
            |row, (room, seq)| {
                let message = room.message(seq);
                let sender = room.members.get(message.sender).and_then(|user| ids.get(usize::try_from(*user).ok()?));
                row.uuid(room.id()).bigint(seq).uuid(message.id).uuid_or_null(sender.copied());
                row.text(message.client_id.hyphenated().encode_lower(&mut Uuid::encode_buffer())).text("text");
                row.text(room.text(seq, &texts)).uuid_or_null(message.reply_to).time(message.at);
            },
            &progress,
        )
        .await
    }

    /// Joinings and renamings, oldest first.
    pub async fn events(&self, connection: &mut PgConnection) -> anyhow::Result<u64> {
        let mut events: Vec<(i64, &Room, u64)> = (self.shape.rooms.iter())
            .flat_map(|room| room.event_seqs().map(move |seq| (room.time(seq), room, seq)))
            .collect();
        events.sort_unstable_by_key(|(at, room, seq)| (*at, room.begun, *seq));
        let progress = Progress::of("events", events.len() as u64);
        let columns = ["room_id", "seq", "id", "kind", "actor_id", "actor_kind", "payload", "created_at"];
        copy(
            connection,
            "room_events",
            &columns,
            events.into_iter(),
            |row, (at, room, seq)| {
                let (kind, actor, payload) = self.event(room, seq);
                row.uuid(room.id()).bigint(seq).uuid(room.row_id(seq)).text(kind).uuid_or_null(actor);
                row.text_or_null(actor.map(|_| "user")).text(&payload.to_string()).time(at);
            },
            &progress,
        )
        .await
    }

    fn event(&self, room: &Room, seq: u64) -> (&'static str, Option<Uuid>, serde_json::Value) {
        let member = |place: usize| room.members.get(place).map(|user| self.user_id(*user));
        match room.entry(seq) {
            Entry::Joined(place) => {
                // People of a space join its channels themselves; into a group one is asked.
                let by = if room.space.is_some() { place } else { 0 };
                ("member.added", member(by), json!({ "member": { "user_id": member(place), "role": "member" } }))
            }
            Entry::Renamed(times) => ("room.updated", member(0), json!({ "name": room.name(times), "topic": null })),
            Entry::Message => ("", None, json!(null)),
        }
    }
}

/// The messages of many rooms, merged by their times.
struct Merged<'a> {
    rooms: &'a [Room],
    /// The next message of each room.
    next: BinaryHeap<Reverse<(i64, usize, u64)>>,
}

impl<'a> Merged<'a> {
    fn of(rooms: &'a [Room]) -> Self {
        let firsts = rooms.iter().enumerate().filter_map(|(index, room)| Some(Reverse(next_message(room, index, 1)?)));
        Self { rooms, next: firsts.collect() }
    }
}

fn next_message(room: &Room, index: usize, from: u64) -> Option<(i64, usize, u64)> {
    let seq = (from..=room.last_seq()).find(|seq| room.entry(*seq) == Entry::Message)?;
    Some((room.time(seq), index, seq))
}

impl<'a> Iterator for Merged<'a> {
    type Item = (&'a Room, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, index, seq)) = self.next.pop()?;
        let room = self.rooms.get(index)?;
        if let Some(following) = next_message(room, index, seq + 1) {
            self.next.push(Reverse(following));
        }
        Some((room, seq))
    }
}
