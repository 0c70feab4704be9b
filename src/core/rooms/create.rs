//! Making rooms: one way for whoever makes one, for its checks and for telling its people.

use std::time::Duration;

use bytestring::ByteString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::compose::{check_client_id, plain_text};
use super::directory::Rooms;
use super::error::ChatError;
use super::kinds::{Naming, RoomKind};
use super::permissions::{Action, Role, may_in_space};
use super::store::{self, Made, NewRoom};
use super::strangers::{complete_direct, to_be_asked};
use super::wire::{MadeRoom, RoomJoined, RoomSummary, encode};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};

/// Pause before the people of a new room are told of it again, when Postgres is away.
const TELL_AGAIN_AFTER: Duration = Duration::from_millis(500);
const TELL_TRIES_MAX: usize = 120;

/// A room to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateRoom {
    /// The client's own id for it, at most 64 bytes: sending it again returns the first room.
    #[serde(default)]
    pub client_id: Option<String>,
    pub kind: RoomKind,
    /// Needed for channels; direct rooms have none.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub topic: Option<String>,
    /// The space of a channel; the caller must be a member of it.
    #[serde(default)]
    pub space_id: Option<SpaceId>,
    /// The other people; the caller is in it anyway. Exactly one for a direct room.
    #[serde(default)]
    pub member_ids: Vec<UserId>,
}

impl Rooms {
    /// The room that `by` wants, with who is in it and who is asked first; or why it cannot be.
    pub async fn plan(&self, by: UserId, wanted: CreateRoom) -> Result<NewRoom, ChatError> {
        checked(self, by, wanted).await
    }

    /// Whether each of these may be in one room more.
    pub async fn require_room_for(&self, users: &[UserId]) -> Result<(), ChatError> {
        let max = self.parts.config.rooms_per_user_max;
        match store::crowded(&self.parts.storage, users, max).await?.first() {
            Some(user) => Err(ChatError::TooManyRooms { user: user.to_string(), max }),
            None => Ok(()),
        }
    }

    /// Makes or finds the room, and tells everybody. Whether it is new.
    pub async fn create(&self, room: NewRoom) -> Result<(bool, MadeRoom), ChatError> {
        let rooms = self.clone();
        // A task of its own: a caller who hangs up does not keep the others from hearing of the room.
        let making = actix_rt::spawn(async move { make(&rooms, room).await });
        making.await.unwrap_or(Err(ChatError::Restarted))
    }
}

/// Makes or finds the room, and tells everybody.
async fn make(rooms: &Rooms, room: NewRoom) -> Result<(bool, MadeRoom), ChatError> {
    let (by, parts) = (room.created_by, &rooms.parts);
    let members: Vec<UserId> = room.members.iter().map(|(user, _)| *user).collect();
    if let Err(full) = rooms.require_room_for(&members).await
        && !store::was_made(&parts.storage, &room).await?
    {
        return Err(full);
    }
    let made = store::create_room(&parts.storage, &room, &rooms.bounds()).await?;
    let Made { id, is_new, is_unsure, is_pairs, mut invited } = made;
    if is_unsure {
        parts.memory.moved(room.members.iter().map(|(user, _)| *user));
        actix_rt::spawn(show_later(rooms.clone(), room));
        return Err(ChatError::Unavailable);
    }
    if !is_new {
        let other = room.pair.filter(|_| is_pairs).map(|(low, high)| if low == by { high } else { low });
        invited = match other {
            Some(other) => complete_direct(rooms, id, by, other).await?,
            None => store::invited_to(&parts.storage, id, by).await?,
        };
        return Ok((false, MadeRoom { room: store::room_of(&parts.storage, by, id).await?, invited }));
    }
    metrics::counter!("parlance_invitations_total", "what" => "made").increment(invited.len() as u64);
    parts.memory.moved(room.members.iter().map(|(user, _)| *user));
    let shown = show(rooms, &room).await;
    if shown.as_ref().is_err_and(ChatError::is_passing) {
        actix_rt::spawn(show_later(rooms.clone(), room));
    }
    Ok((true, MadeRoom { room: shown?, invited }))
}

/// The room is there, or may be, its maker was told to ask again, and nobody else would tell its people of it.
async fn show_later(rooms: Rooms, room: NewRoom) {
    for _ in 0..TELL_TRIES_MAX {
        tokio::time::sleep(TELL_AGAIN_AFTER).await;
        if !show(&rooms, &room).await.is_err_and(|error| error.is_passing()) {
            return;
        }
    }
    tracing::warn!(room_id = %room.id, "its people hear of it when they connect anew: Postgres stayed away");
}

async fn show(rooms: &Rooms, room: &NewRoom) -> Result<RoomSummary, ChatError> {
    let summary = store::room_of(&rooms.parts.storage, room.created_by, room.id).await?;
    tell_members(rooms, room, &summary).await?;
    Ok(summary)
}

async fn checked(rooms: &Rooms, by: UserId, body: CreateRoom) -> Result<NewRoom, ChatError> {
    let parts = &rooms.parts;
    let invalid = |field: &'static str, wanted: &str| ChatError::Invalid { field, wanted: wanted.into() };
    let text = |field, text: Option<String>, max| -> Result<Option<String>, ChatError> {
        let text = text.map(|text| plain_text(field, &text, max)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    };
    let name = text("name", body.name, parts.config.name_chars_max)?;
    let topic = text("topic", body.topic, parts.config.topic_chars_max)?;
    body.client_id.as_deref().map(|client_id| check_client_id(&parts.config, client_id)).transpose()?;
    let mut others = body.member_ids;
    others.sort_unstable();
    others.dedup();
    others.retain(|id| *id != by);
    if others.len() >= parts.config.members_max {
        return Err(ChatError::RoomFull(parts.config.members_max));
    }
    let rules = body.kind.rules();
    if rules.is_pair && (others.len() != 1 || name.is_some() || topic.is_some()) {
        return Err(ChatError::DirectRoom);
    }
    match rules.naming {
        Naming::Always if name.is_none() => return Err(invalid("name", "is needed for a channel")),
        Naming::Never if name.is_some() => return Err(invalid("name", "is for groups and channels")),
        Naming::Always | Naming::Maybe | Naming::Never => {}
    }
    if body.space_id.is_some() && !rules.is_found {
        return Err(invalid("space_id", "is for channels only"));
    }
    if let Some(space) = body.space_id {
        let role = store::space_role(&parts.storage, by, space).await?.ok_or(ChatError::SpaceNotFound)?;
        if !may_in_space(role, Action::CreateChannel) {
            return Err(ChatError::NotAllowed);
        }
        if let Some(stranger) = store::outsider(&parts.storage, space, &others).await? {
            return Err(ChatError::UserNotFound(format!("{stranger} is not a member of the space")));
        }
    }
    let pair = match others.as_slice() {
        [other] if rules.is_pair => Some((by.min(*other), by.max(*other))),
        _ => None,
    };
    let strangers = match body.space_id {
        Some(_) => Vec::new(),
        None => to_be_asked(rooms, by, &others).await?,
    };
    let own_role = if rules.has_owners { Role::Owner } else { Role::Member };
    let mut members = vec![(by, own_role)];
    members.extend(others.into_iter().filter(|user| !strangers.contains(user)).map(|user| (user, Role::Member)));
    Ok(NewRoom {
        id: RoomId::new(&parts.clock),
        client_id: body.client_id,
        kind: body.kind,
        name,
        topic,
        space_id: body.space_id,
        created_by: by,
        pair,
        members,
        strangers,
        at: parts.clock.now(),
    })
}

/// Everybody's devices learn of the room, each with the room as that person sees it.
async fn tell_members(rooms: &Rooms, room: &NewRoom, own: &RoomSummary) -> Result<(), ChatError> {
    let parts = &rooms.parts;
    let mut joined: Vec<(UserId, ByteString)> = Vec::with_capacity(room.members.len());
    for (user, role) in &room.members {
        let mut summary = own.clone();
        summary.role = Some(*role);
        if room.pair.is_some() && *user != room.created_by {
            summary = store::room_of(&parts.storage, *user, room.id).await?;
        }
        joined.push((*user, encode(&RoomJoined { room: summary })));
    }
    parts.audience.join(room.id, 1, joined);
    // Somebody who found the room before this may have posted already: whoever just joined catches up.
    if let Some(last_seq) = rooms.latest_seq(room.id) {
        parts.audience.announce(room.id.into(), last_seq);
    }
    Ok(())
}
