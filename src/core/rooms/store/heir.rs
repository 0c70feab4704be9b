//! Who inherits a group that may have lost its last owner with an account.

use crate::rooms::error::ChatError;
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::storage::Storage;

/// Who would own the room: the admin who has been in it for longest, else the member, else the guest; `None` when nobody is left, or
/// when there is an owner.
pub async fn heir(storage: &Storage, room: RoomId) -> Result<Option<UserId>, ChatError> {
    let first = sqlx::query!(
        r#"SELECT user_id AS "user_id!", role FROM room_members WHERE room_id = $1 AND user_id IS NOT NULL
           ORDER BY array_position(ARRAY['owner', 'admin', 'member', 'guest'], role), joined_at, user_id LIMIT 1"#,
        room.0
    )
    .fetch_optional(storage.engine_read("heir"))
    .await?;
    Ok(first.filter(|first| first.role != "owner").map(|first| UserId(first.user_id)))
}
