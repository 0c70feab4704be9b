//! Rooms and spaces that go with those who made them: a demo, and what else is removed as a whole. Their members hear of it
//! as of any change that was made in Postgres.

use sqlx::PgConnection;
use uuid::Uuid;

use parlance_foundation::ids::{RoomId, SpaceId, UserId};

/// The usernames of those in these rooms or spaces who are not of `people`.
pub async fn others_in(
    conn: &mut PgConnection,
    rooms: &[RoomId],
    spaces: &[SpaceId],
    people: &[UserId],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT username::text AS "username!" FROM users
           WHERE id <> ALL($3) AND (
               EXISTS (SELECT FROM room_members m WHERE m.user_id = users.id AND m.room_id = ANY($1))
               OR EXISTS (SELECT FROM space_members m WHERE m.user_id = users.id AND m.space_id = ANY($2)))
           ORDER BY username"#,
        &ids(rooms, |room| room.0),
        &ids(spaces, |space| space.0),
        &ids(people, |user| user.0),
    )
    .fetch_all(conn)
    .await
}

/// Deletes these rooms, and those that nobody but `people` is in; how many.
pub async fn delete_rooms(conn: &mut PgConnection, rooms: &[RoomId], people: &[UserId]) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "DELETE FROM rooms WHERE id = ANY($1) OR id IN (
             SELECT room_id FROM room_members WHERE user_id = ANY($2)
             EXCEPT
             SELECT room_id FROM room_members WHERE user_id IS NULL OR user_id <> ALL($2))",
        &ids(rooms, |room| room.0),
        &ids(people, |user| user.0),
    );
    Ok(deleted.execute(conn).await?.rows_affected())
}

/// Deletes these spaces, and those that nobody but `people` is in, with their channels; how many spaces.
pub async fn delete_spaces(conn: &mut PgConnection, spaces: &[SpaceId], people: &[UserId]) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "DELETE FROM spaces WHERE id = ANY($1) OR id IN (
             SELECT space_id FROM space_members WHERE user_id = ANY($2)
             EXCEPT
             SELECT space_id FROM space_members WHERE user_id <> ALL($2))",
        &ids(spaces, |space| space.0),
        &ids(people, |user| user.0),
    );
    Ok(deleted.execute(conn).await?.rows_affected())
}

fn ids<T>(of: &[T], id: impl Fn(&T) -> Uuid) -> Vec<Uuid> {
    of.iter().map(id).collect()
}
