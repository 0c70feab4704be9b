//! The HTTP API of chat. The same rooms answer as over the WebSocket.

mod invitations;
mod members;
mod messages;
mod notices;
mod rooms;
mod spaces;
mod teams;

use actix_web::web::{Data, ServiceConfig};
use utoipa::OpenApi;

use super::commands::PostMessageBody;
use super::config::ChatConfig;
use super::error::ChatError;
use super::{store, wire};
use crate::limits::Limits;
use crate::order::MessageRow;
use crate::parties::{Profiles, Teams};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::Problem;
use parlance_foundation::storage::Storage;

/// What the handlers need from the engine.
#[derive(Clone)]
pub struct ChatParts {
    pub config: std::sync::Arc<ChatConfig>,
    pub clock: Clock,
    pub storage: Storage,
    pub rooms: super::Rooms,
    pub limits: Limits,
    pub teams: Teams,
    pub profiles: Profiles,
}

impl ChatParts {
    /// What a person says with a client of theirs, if that is within what they may send in a while.
    pub fn said(&self, by: UserId, body: PostMessageBody) -> Result<MessageRow, Problem> {
        let message = self.rooms.compose(Some(by.into()), body)?;
        self.limits.post(by, message.text_bytes())?;
        Ok(message)
    }

    /// Deletes invitations that are too old to count; how many. Worth an hourly call.
    pub async fn delete_forgotten(&self) -> Result<u64, ChatError> {
        let mut deleted = 0;
        loop {
            let rows = store::delete_forgotten(&self.storage, &self.rooms.bounds()).await?;
            deleted += rows;
            if rows == 0 {
                return Ok(deleted);
            }
        }
    }
}

type Parts = Data<ChatParts>;

/// Mounts the endpoints; paths are relative to `/api/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(rooms::create_room)
        .service(rooms::list_rooms)
        .service(rooms::get_room)
        .service(rooms::update_room)
        .service(members::list_members)
        .service(members::add_member)
        .service(members::set_member_role)
        .service(members::remove_member)
        .service(messages::list_messages)
        .service(messages::post_message)
        .service(messages::list_events)
        .service(notices::post_notice)
        .service(spaces::create_space)
        .service(spaces::list_spaces)
        .service(spaces::get_space)
        .service(spaces::update_space)
        .service(spaces::list_space_rooms)
        .service(spaces::list_space_members)
        .service(spaces::add_space_member)
        .service(spaces::set_space_member_role)
        .service(spaces::remove_space_member)
        .service(invitations::list_invitations)
        .service(invitations::accept_invitation)
        .service(invitations::decline_invitation);
}

/// The part of the OpenAPI document that is about chat; paths are relative to `/api/v1`.
#[derive(OpenApi)]
#[openapi(
    paths(
        rooms::create_room,
        rooms::list_rooms,
        rooms::get_room,
        rooms::update_room,
        members::list_members,
        members::add_member,
        members::set_member_role,
        members::remove_member,
        messages::list_messages,
        messages::post_message,
        messages::list_events,
        notices::post_notice,
        spaces::create_space,
        spaces::list_spaces,
        spaces::get_space,
        spaces::update_space,
        spaces::list_space_rooms,
        spaces::list_space_members,
        spaces::add_space_member,
        spaces::set_space_member_role,
        spaces::remove_space_member,
        invitations::list_invitations,
        invitations::accept_invitation,
        invitations::decline_invitation,
    ),
    components(schemas(wire::Message, wire::RoomSummary, wire::RoomMember, wire::Space, wire::SpaceMember)),
    tags(
        (name = "rooms", description = "Conversations of every kind and who is in them"),
        (name = "messages", description = "What was said"),
        (name = "spaces", description = "Containers of channels"),
        (name = "invitations", description = "Strangers who ask to be known"),
    ),
)]
pub struct ApiDoc;
