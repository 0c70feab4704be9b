//! What can go wrong in a room, and what the client should do about it.

use actix_web::http::StatusCode;

use parlance_foundation::party::Party;
use parlance_foundation::problem::Problem;

/// Failures of chat commands.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChatError {
    /// Also said of rooms that exist but are not the caller's: ids reveal nothing.
    #[error("There is no such room, or you are not a member of it.")]
    RoomNotFound,
    #[error("There is no such space, or you are not a member of it.")]
    SpaceNotFound,
    #[error("There is no such message in this room to reply to.")]
    ReplyNotFound,
    #[error("There is no such message in this room.")]
    MessageNotFound,
    #[error("There is no such user: {0}.")]
    UserNotFound(String),
    /// Also said of teams in which whoever asks is not.
    #[error("There is no such party, or you are not in that team: {0}.")]
    PartyNotFound(Party),
    #[error(
        "Whoever is here with the team {0} stays as long as it does. To go, leave the team, or have it taken out of the room."
    )]
    OfTeam(String),
    #[error("Your role does not allow that. Ask an admin or the owner.")]
    NotAllowed,
    #[error("That person is not a member.")]
    NotAMember,
    #[error("You are the last owner. Make someone else an owner first.")]
    LastOwner,
    #[error("The room is full: it may have {0} members.")]
    RoomFull(usize),
    #[error("{user} is in as many rooms as one person may be: {max}. They have to leave one first.")]
    TooManyRooms { user: String, max: usize },
    #[error(
        "This room has not come as far as {after}: its newest event is {last_seq}. What you have of it is of another life of the log. Read the room anew."
    )]
    Ahead { after: i64, last_seq: i64 },
    #[error("A direct room is between you and exactly one other person; its members, name and topic do not change.")]
    DirectRoom,
    #[error("There is no such invitation to you, or it is no longer open.")]
    InvitationNotFound,
    /// Declined, or as many wait for an answer as may: which of it is theirs to know.
    #[error("You share no room or space with that person, and they cannot be invited by you for now.")]
    NotInvited,
    #[error("{0} people whom you invited have not answered yet, as many as may be. Wait for some.")]
    TooManyInvitations(usize),
    #[error(
        "This client_id or Idempotency-Key was sent with another change of this room before. Send each with a new one."
    )]
    KeyReused,
    #[error("{field} {wanted}.")]
    Invalid { field: &'static str, wanted: String },
    #[error("The message is {bytes} bytes long; the limit is {max}. Send it in parts or as a file.")]
    ContentTooLarge { bytes: usize, max: usize },
    #[error("The room has more messages waiting than it takes on. Send it again later.")]
    Busy,
    #[error(
        "Postgres is away, and this may have been done or not. Send the same again later, with the same client_id or Idempotency-Key where it has one; it is never done twice."
    )]
    Unavailable,
    #[error(
        "The room was restarted, and this may have been done or not. Send the same again, with the same client_id or Idempotency-Key where it has one; it is never done twice."
    )]
    Restarted,
    #[error("The database refuses this. The engine's log has the cause.")]
    Refused,
    /// A feature's own reason.
    #[error("{}", .0.detail)]
    OfFeature(Box<Problem>),
}

impl ChatError {
    /// Whether it may go well a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable | Self::Restarted)
    }
}

impl ChatError {
    /// Whether it is refused for what somebody is.
    pub fn is_of_rights(&self) -> bool {
        match self {
            Self::NotAllowed => true,
            Self::OfFeature(problem) => problem.status == StatusCode::FORBIDDEN,
            _ => false,
        }
    }
}

impl From<ChatError> for Problem {
    fn from(error: ChatError) -> Self {
        use ChatError as E;
        let detail = error.to_string();
        match error {
            E::RoomNotFound => Self::not_found("chat.room_not_found", detail),
            E::SpaceNotFound => Self::not_found("chat.space_not_found", detail),
            E::ReplyNotFound => Self::invalid("chat.reply_not_found", detail),
            E::MessageNotFound => Self::not_found("chat.message_not_found", detail),
            E::UserNotFound(_) => Self::invalid("chat.user_not_found", detail),
            E::PartyNotFound(_) => Self::invalid("chat.party_not_found", detail),
            E::OfTeam(_) => Self::conflict("chat.of_team", detail),
            E::NotAllowed => Self::forbidden("chat.not_allowed", detail),
            E::NotAMember => Self::not_found("chat.not_a_member", detail),
            E::LastOwner => Self::conflict("chat.last_owner", detail),
            E::RoomFull(_) => Self::conflict("chat.room_full", detail),
            E::TooManyRooms { .. } => Self::conflict("chat.too_many_rooms", detail),
            E::Ahead { .. } => Self::conflict("chat.ahead", detail),
            E::DirectRoom => Self::invalid("chat.direct_room", detail),
            E::InvitationNotFound => Self::not_found("chat.invitation_not_found", detail),
            E::NotInvited => Self::forbidden("chat.not_invited", detail),
            E::TooManyInvitations(_) => Self::conflict("chat.too_many_invitations", detail),
            E::KeyReused => Self::invalid("chat.key_reused", detail),
            E::Invalid { .. } => Self::invalid("chat.invalid", detail),
            E::ContentTooLarge { .. } => Self::too_large("chat.content_too_large", detail),
            E::Busy => Self::busy(200).saying(detail),
            E::Unavailable => Self::unavailable(1_000).saying(detail),
            E::Restarted => Self::unavailable(0).saying(detail).retry_now(),
            E::Refused => Self::internal().saying(detail),
            E::OfFeature(problem) => *problem,
        }
    }
}

impl From<sqlx::Error> for ChatError {
    fn from(error: sqlx::Error) -> Self {
        if parlance_foundation::storage::is_outage(&error) {
            tracing::warn!(%error, "Postgres is away");
            Self::Unavailable
        } else {
            tracing::error!(%error, "unexpected database error");
            Self::Refused
        }
    }
}
