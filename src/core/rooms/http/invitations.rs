//! `/invitations`: who asks the caller in, and their answers.

use actix_web::web::Path;
use actix_web::{HttpResponse, get, post};
use uuid::Uuid;

use super::Parts;
use crate::accounts::Caller;
use crate::rooms::error::ChatError;
use crate::rooms::store;
use crate::rooms::strangers::enter;
use crate::rooms::wire::{Invitation, InvitationState};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{IdempotencyKey, ListPage, PageQuery};

/// What the caller has not answered yet, newest first. There is something only where `chat.strangers` is `invite`.
#[utoipa::path(
    tag = "invitations", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = ListPage<Invitation>))
)]
#[get("/invitations")]
pub async fn list_invitations(parts: Parts, caller: Caller, page: PageQuery) -> Result<HttpResponse, Problem> {
    let (by, after, bounds) = (caller.user_id, page.cursor()?, parts.rooms.bounds());
    let invitations = store::invitations_of(&parts.storage, by, after, page.one_more(), &bounds).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(invitations, &page, |invitation| invitation.id.to_string())))
}

/// Accepts: the caller is in the room or space from now on, and their devices hear `room.joined`. Accepting once more is
/// harmless.
#[utoipa::path(
    tag = "invitations", params(("id" = Uuid, Path), IdempotencyKey), security(("bearer" = [])),
    responses(
        (status = 200, body = Invitation),
        (status = 404, description = "chat.invitation_not_found: it was declined, revoked, or is too old", body = ProblemBody),
        (status = 409, description = "chat.room_full, chat.too_many_rooms", body = ProblemBody),
        (status = 503, description = "engine.unavailable: send it again", body = ProblemBody),
    )
)]
#[post("/invitations/{id}/accept")]
pub async fn accept_invitation(
    parts: Parts,
    caller: Caller,
    id: Path<Uuid>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    let by = caller.user_id;
    let mut invitation = store::invitation_of(&parts.storage, by, *id, &parts.rooms.bounds()).await?;
    if invitation.state == InvitationState::Declined {
        return Err(ChatError::InvitationNotFound.into());
    }
    if invitation.state == InvitationState::Pending {
        // That they came in has a trigger take it for accepted, in the same transaction.
        if let Some(room) = invitation.room_id {
            parts.rooms.require_room_for(&[by]).await?;
            enter(&parts.rooms, room, (by, key.0), by, invitation.role).await?;
        }
        if let Some(space) = invitation.space_id {
            store::add_space_member(&parts.storage, space, by, invitation.role, parts.clock.now()).await?;
        }
        metrics::counter!("parlance_invitations_total", "what" => "accepted").increment(1);
        invitation.state = InvitationState::Accepted;
    }
    Ok(HttpResponse::Ok().json(invitation))
}

/// Declines. The same person cannot ask again for a while (`chat.invitation_days`); they are not told. Declining once more
/// is harmless.
#[utoipa::path(
    tag = "invitations", params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses(
        (status = 204),
        (status = 404, description = "chat.invitation_not_found: it was accepted, revoked, or is too old", body = ProblemBody),
    )
)]
#[post("/invitations/{id}/decline")]
pub async fn decline_invitation(parts: Parts, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let by = caller.user_id;
    if store::decline(&parts.storage, by, *id, parts.clock.now()).await? {
        metrics::counter!("parlance_invitations_total", "what" => "declined").increment(1);
    } else if store::invitation_of(&parts.storage, by, *id, &parts.rooms.bounds()).await?.state
        != InvitationState::Declined
    {
        return Err(ChatError::InvitationNotFound.into());
    }
    Ok(HttpResponse::NoContent().finish())
}
