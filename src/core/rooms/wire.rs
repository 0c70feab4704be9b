//! Chat on the wire: what clients receive, and the encoding of a committed row. What they send is in `commands`.
//!
//! Invariant: a place is told in its present form, and so in the same frame from the room's memory and from Postgres; the
//! event that changed a message says so at its own place.

mod invitation;
mod member;
mod space;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::permissions::{Role, RoomKind};
use crate::accounts::wire::PublicUser;
use crate::order::{CoreChange, EventPayload, MessageRow, Row, RowBody, Stays, Watermark};
use crate::parties::wire::PartyProfile;
use crate::wire::asyncapi::{FrameDoc, reference};
pub use crate::wire::encode;
pub use invitation::{Invitation, InvitationState, InvitationUpdated, Invited, InvitedTo};
pub use member::{EventMember, MemberAdded, MemberRemoved, MemberRoleChanged, StayingMember};
use member::{apart, together};
use parlance_foundation::ids::{MessageId, RoomId, SpaceId, TeamId, UserId};
use parlance_foundation::party::Party;
pub use space::{SpaceJoined, SpaceLeft, SpaceLeftBecause, SpaceUpdated};

/// What members and their devices hear of rooms.
pub const FRAMES: &[FrameDoc] = &[
    FrameDoc::of::<MessagePosted>("message.posted", "A message was posted"),
    event::<MemberAdded>("Someone was added or joined"),
    event::<MemberRemoved>("Someone was removed or left"),
    event::<MemberRoleChanged>("A member has another role"),
    event::<RoomUpdated>("The room has another name or topic"),
    FrameDoc::of::<RoomJoined>("room.joined", "You are in this room now: follow it from last_seq"),
    FrameDoc::of::<RoomLagged>(
        "room.lagged",
        "Your backlog was shed, or you left while you were behind: catch up from the last seq you have",
    ),
    FrameDoc::of::<InvitationUpdated>(
        "invitation.updated",
        "You were invited, or what became of that: GET /invitations has what waits for an answer",
    ),
    FrameDoc::of::<SpaceJoined>(
        "space.joined",
        "You are in this space now. Frames of spaces are not kept: ask GET /spaces after each ready",
    ),
    FrameDoc::of::<SpaceUpdated>(
        "space.updated",
        "A space of yours has another name or topic, or you another role in it. Not kept",
    ),
    FrameDoc::of::<SpaceLeft>(
        "space.left",
        "You are in this space no more: you left, were removed, or it is gone. Not kept",
    ),
    FrameDoc::of::<ReceiptUpdated>("receipt.updated", "How far a member has received and read"),
];

/// A durable event: its place, and what its kind says.
pub const fn event<P: EventPayload + ToSchema>(summary: &'static str) -> FrameDoc {
    let body = |schemas: &mut _| vec![reference::<EventPlace>(schemas), reference::<P>(schemas)];
    FrameDoc { kind: P::KIND, summary, body }
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Sender {
    #[serde(rename = "type")]
    pub kind: SenderKind,
    /// Absent where the type is `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
}

/// What kind of sender.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SenderKind {
    User,
    Agent,
    Contact,
    /// The engine itself.
    System,
}

impl Sender {
    /// `None`: the engine itself.
    pub fn of(party: Option<Party>) -> Self {
        let kind = match party {
            Some(Party::User(_)) => SenderKind::User,
            Some(Party::Agent(_)) => SenderKind::Agent,
            Some(Party::Contact(_)) => SenderKind::Contact,
            // A team's people speak for themselves.
            Some(Party::Team(_)) | None => SenderKind::System,
        };
        Self { kind, id: party.map(Party::uuid) }
    }
}

/// Who made a change: a user's id, or of others type and id.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Actor {
    User(UserId),
    Other(Party),
}

impl From<Party> for Actor {
    fn from(party: Party) -> Self {
        party.user().map_or(Self::Other(party), Self::User)
    }
}

/// A message as everyone sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message<'a> {
    pub id: MessageId,
    pub room_id: RoomId,
    /// Its place in the room's one order.
    pub seq: i64,
    pub sender: Sender,
    #[schema(example = "text")]
    pub kind: &'a str,
    pub content: &'a str,
    /// Structured content, an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub parts: Option<&'a RawValue>,
    /// The message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The sender's own id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a str>,
    pub created_at: DateTime<Utc>,
    /// It has been changed since; what is here is its present form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<DateTime<Utc>>,
    /// It has been deleted, and has no content any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What every durable event carries beside what its kind says: its place, whose it is, and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPlace {
    pub room_id: RoomId,
    pub seq: i64,
    /// Who made the change; absent: the engine itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    pub at: DateTime<Utc>,
}

/// Event: a message was posted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "message.posted")]
pub struct MessagePosted<'a> {
    pub room_id: RoomId,
    pub seq: i64,
    pub message: Message<'a>,
}

/// Event: the room has another name or topic now; both are given as they are now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RoomUpdated {
    pub name: Option<String>,
    pub topic: Option<String>,
}

impl EventPayload for RoomUpdated {
    const KIND: &'static str = "room.updated";
}

/// What the core itself reads in a stored event; nothing in those of other kinds.
pub fn core_change(kind: &str, payload: &RawValue) -> Result<Option<CoreChange>, serde_json::Error> {
    let text = payload.get();
    Ok(Some(match kind {
        MemberAdded::KIND => {
            let MemberAdded { member: EventMember { user_id, party, role }, people } = serde_json::from_str(text)?;
            CoreChange::MemberAdded { party: together(user_id, party)?, role, people }
        }
        MemberRemoved::KIND => {
            let MemberRemoved { user_id, party, people, stay } = serde_json::from_str(text)?;
            let party = together(user_id, party)?;
            let stays = |one: &StayingMember| Stays { user: one.user_id, via: one.via_team_id, role: one.role };
            CoreChange::MemberRemoved { party, is_out: false, people, stay: stay.iter().map(stays).collect() }
        }
        MemberRoleChanged::KIND => {
            let MemberRoleChanged { user_id, party, role, via_team_id: via, people } = serde_json::from_str(text)?;
            CoreChange::RoleChanged { party: together(user_id, party)?, role, via, people }
        }
        RoomUpdated::KIND => {
            let RoomUpdated { name, topic } = serde_json::from_str(text)?;
            CoreChange::Described { name, topic }
        }
        _ => return Ok(None),
    }))
}

/// Told to a user's devices: you are in this room now; follow it from `room.last_seq`. Not part of the room's order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "room.joined")]
pub struct RoomJoined {
    pub room: RoomSummary,
}

/// The engine shed what waited for this socket: catch up from the last `seq` you have. `chat.room_not_found` says that you
/// have left meanwhile.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "room.lagged")]
pub struct RoomLagged {
    pub room_id: RoomId,
    /// What is missing may reach up to this `seq`; live events go on after it. Of a room that the user has left, it may be
    /// past the newest event: asking for what is missing says so.
    pub last_seq: i64,
}

/// How far a member, by `user_id` or as `party`, has received and read; `read_seq` never exceeds `delivered_seq`, both only
/// grow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "receipt.updated")]
pub struct ReceiptUpdated {
    pub room_id: RoomId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    pub delivered_seq: i64,
    pub read_seq: i64,
}

impl ReceiptUpdated {
    pub fn new(room_id: RoomId, mark: &Watermark) -> Self {
        let (user_id, party) = apart(mark.party);
        Self { room_id, user_id, party, delivered_seq: mark.delivered_seq, read_seq: mark.read_seq }
    }
}

/// A room as one member sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoomSummary {
    pub id: RoomId,
    pub kind: RoomKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space_id: Option<SpaceId>,
    /// The caller's role; absent for a channel that the caller could join but has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub last_seq: i64,
    pub delivered_seq: i64,
    pub read_seq: i64,
    /// Messages of others after `read_seq`, counted up to 100.
    pub unread: i64,
    pub member_count: i64,
    /// When the newest durable event happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// In a direct room: the other person. `room.joined` lacks it for who comes into one that was there (they accepted an
    /// invitation): `GET /rooms/{id}` has it. Absent as well once their account is deleted: then
    /// the room's order has their `member.removed`, and it stays readable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<PublicUser>,
}

/// A room that was made, or found, and who was asked into it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeRoom {
    #[serde(flatten)]
    pub room: RoomSummary,
    /// Those of the given people who share no room or space with the caller, where `chat.strangers` is `invite`: they are
    /// in it once they accept. Absent: nobody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub invited: Vec<UserId>,
}

impl RoomSummary {
    /// What lists are ordered by: the newest durable event, or the making of the room.
    pub fn active_at(&self) -> DateTime<Utc> {
        self.last_message_at.unwrap_or(self.created_at)
    }

    /// About how long it is as JSON, rather more than less.
    pub fn bytes_about(&self) -> usize {
        /// Field names, ids, numbers and times, also those of the peer.
        const WITHOUT_TEXTS: usize = 640;
        let peer = self.peer.as_ref();
        let texts = [
            self.name.as_deref(),
            self.topic.as_deref(),
            peer.map(|peer| peer.username.as_str()),
            peer.and_then(|peer| peer.full_name.as_deref()),
            peer.and_then(|peer| peer.avatar_url.as_deref()),
        ];
        // A quote or a backslash takes two.
        WITHOUT_TEXTS + texts.into_iter().flatten().map(|text| 2 * text.len()).sum::<usize>()
    }
}

/// Someone in a room: a person as `user`, others as `party` with their `profile`.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomMember {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<PublicUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<PartyProfile>,
    /// The team with which a person is here: they go when it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_team_id: Option<TeamId>,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
    pub delivered_seq: i64,
    pub read_seq: i64,
}

impl RoomMember {
    /// Where a list of members goes on behind them.
    pub fn cursor(&self) -> String {
        let id = self.user.as_ref().map(|user| user.id.0).or(self.party.map(Party::uuid));
        id.unwrap_or_default().to_string()
    }
}

/// A container of channels, as one of its members sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Space {
    pub id: SpaceId,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The caller's role.
    pub role: Role,
    pub member_count: i64,
    pub created_at: DateTime<Utc>,
}

/// Someone in a space.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpaceMember {
    pub user: PublicUser,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
}

/// A channel that can be found in a space.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelListing {
    pub id: RoomId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Whether the caller is a member; if not, they can join.
    pub joined: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl<'a> Message<'a> {
    /// The message in a row of `room_id`.
    pub fn of(room_id: RoomId, row: &'a Row, message: &'a MessageRow) -> Self {
        Self {
            id: message.id,
            room_id,
            seq: row.seq,
            sender: Sender::of(message.sender),
            kind: &message.kind,
            content: &message.content,
            // What we stored we checked: it is JSON.
            parts: message.parts.as_deref().and_then(|parts| serde_json::from_str(parts).ok()),
            reply_to: message.reply_to,
            client_id: message.client_id.as_deref(),
            created_at: row.at,
            edited_at: message.edited_at,
            deleted_at: message.deleted_at,
        }
    }
}

/// The frame that tells members of a committed row.
pub fn frame(room_id: RoomId, row: &Row) -> ByteString {
    match &row.body {
        RowBody::Message(message) => {
            encode(&MessagePosted { room_id, seq: row.seq, message: Message::of(room_id, row, message) })
        }
        RowBody::Event(event) => {
            #[derive(Serialize)]
            struct Kind<'a> {
                r#type: &'a str,
            }
            let place = EventPlace { room_id, seq: row.seq, by: event.by.map(Actor::from), at: row.at };
            // The place last: should a later version's payload have a field of its name, a reader takes the last.
            merged([&encode(&Kind { r#type: &event.kind }), event.payload.get(), &encode(&place)])
        }
    }
}

/// One JSON object with the fields of all of these, as they stand.
fn merged(objects: [&str; 3]) -> ByteString {
    let fields = objects.into_iter().filter_map(|object| object.trim().strip_prefix('{')?.strip_suffix('}'));
    let fields: Vec<&str> = fields.filter(|fields| !fields.trim().is_empty()).collect();
    ByteString::from(format!("{{{}}}", fields.join(",")))
}
