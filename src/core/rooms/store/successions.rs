//! Groups that may have lost their last owner with an account, and who inherits them.

use uuid::Uuid;

use crate::rooms::error::ChatError;
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::storage::Storage;

/// A group whose owner was deleted.
#[derive(Clone, Copy, Debug)]
pub struct Succession {
    pub id: Uuid,
    pub room_id: RoomId,
    /// The owner who is no more.
    pub gone: UserId,
}

/// Those that are yet to be settled.
pub async fn successions(storage: &Storage) -> Result<Vec<Succession>, sqlx::Error> {
    sqlx::query_as!(
        Succession,
        r#"SELECT id, room_id AS "room_id: RoomId", gone_id AS "gone: UserId" FROM successions ORDER BY room_id"#
    )
    .fetch_all(storage.engine_read("successions"))
    .await
}

/// Who would own the room: the admin who has been in it for longest, else the member, else the guest; `None` when nobody is left, or
/// when there is an owner.
pub async fn heir(storage: &Storage, room: RoomId) -> Result<Option<UserId>, ChatError> {
    let first = sqlx::query!(
        r#"SELECT user_id AS "user_id!", role FROM room_members WHERE room_id = $1 AND user_id IS NOT NULL
           ORDER BY array_position(ARRAY['owner', 'admin', 'member', 'guest'], role), joined_at, user_id LIMIT 1"#,
        room.0
    )
    .fetch_optional(storage.engine_read("successions"))
    .await?;
    Ok(first.filter(|first| first.role != "owner").map(|first| UserId(first.user_id)))
}

/// It is settled, unless another owner was deleted meanwhile.
pub async fn settle_succession(storage: &Storage, succession: &Succession) -> Result<(), ChatError> {
    let Succession { id, room_id, .. } = succession;
    sqlx::query!("DELETE FROM successions WHERE room_id = $1 AND id = $2", room_id.0, id)
        .execute(storage.engine())
        .await?;
    Ok(())
}
