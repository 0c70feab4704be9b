//! Somebody's rooms in pages, those with the newest activity first.
//!
//! Pages go down, from the newest activity to the oldest, while rooms move up. One that moves up before its page is read
//! would be on none. So the pages end with the rooms that changed since the first page was read, this time upwards: what
//! moves then is still to come. A room may come twice, and what comes later is newer; none is left out.
//!
//! What changed is known by the transaction that wrote it, not by the time: a commit may come late. It counts as changed, too,
//! what was written after the oldest transaction began that was under way at the first page.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rooms::summaries;
use crate::rooms::error::ChatError;
use crate::rooms::kinds::RoomKind;
use crate::rooms::wire::RoomSummary;
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::requests::one_more;
use parlance_foundation::storage::Storage;

/// Where a list of rooms goes on. Clients keep it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomsCursor {
    way: Way,
    /// The place of the last room of the page before.
    at_micros: i64,
    id: Uuid,
    /// The oldest transaction that was under way when the first page was read: what it wrote, or one after it, changed since.
    changed_since: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From the newest activity to the oldest.
    Down,
    /// What changed since the first page, from the oldest activity to the newest.
    Up,
}

/// A cursor as bytes: the way, the place in time, the id, the transaction.
const CURSOR_BYTES: usize = 1 + 8 + 16 + 8;

impl RoomsCursor {
    fn begin_up(changed_since: i64) -> Self {
        Self { way: Way::Up, at_micros: i64::MIN, id: Uuid::nil(), changed_since }
    }

    fn behind(way: Way, place: Place, changed_since: i64) -> Self {
        Self { way, at_micros: place.at.timestamp_micros(), id: place.id.0, changed_since }
    }

    /// `None`: of a list that has begun nowhere.
    fn at(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.at_micros)
    }
}

impl std::fmt::Display for RoomsCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(CURSOR_BYTES);
        bytes.push(u8::from(self.way == Way::Up));
        bytes.extend(self.at_micros.to_be_bytes());
        bytes.extend(self.id.as_bytes());
        bytes.extend(self.changed_since.to_be_bytes());
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// It is no `next` of a page of rooms.
#[derive(Debug, PartialEq, Eq)]
pub struct NoCursor;

impl std::str::FromStr for RoomsCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NoCursor)?;
        let (way, rest) = bytes.split_first_chunk::<1>().ok_or(NoCursor)?;
        let (at, rest) = rest.split_first_chunk::<8>().ok_or(NoCursor)?;
        let (id, rest) = rest.split_first_chunk::<16>().ok_or(NoCursor)?;
        let changed_since: [u8; 8] = rest.try_into().map_err(|_| NoCursor)?;
        let way = match way {
            [0] => Way::Down,
            [1] => Way::Up,
            _ => return Err(NoCursor),
        };
        let cursor = Self {
            way,
            at_micros: i64::from_be_bytes(*at),
            id: Uuid::from_bytes(*id),
            changed_since: i64::from_be_bytes(changed_since),
        };
        // Of our making it is none when Postgres could not count so far.
        let is_somewhere = cursor.at().is_some_and(|at| (1..=9_999).contains(&at.year()))
            || cursor == Self::begin_up(cursor.changed_since);
        if is_somewhere && cursor.changed_since >= 0 { Ok(cursor) } else { Err(NoCursor) }
    }
}

/// Where a room stands among its owner's.
#[derive(Clone, Copy, Debug)]
struct Place {
    id: RoomId,
    at: DateTime<Utc>,
}

/// The next `limit` rooms of `user`, and where the page after them begins; `None` when there is none.
pub async fn rooms_page(
    storage: &Storage,
    user: UserId,
    after: Option<RoomsCursor>,
    limit: usize,
) -> Result<(Vec<RoomSummary>, Option<RoomsCursor>), ChatError> {
    let mut transaction = storage.read_as(user).await?;
    let connection = &mut *transaction;
    let (places, next) = match after {
        Some(cursor) if cursor.way == Way::Up => upwards(connection, user, cursor, limit).await?,
        Some(cursor) => downwards(connection, user, Some(cursor), cursor.changed_since, limit).await?,
        None => {
            // Before the page itself: what commits in between counts as changed.
            let oldest =
                sqlx::query_scalar!(r#"SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS "oldest!""#)
                    .fetch_one(&mut *connection)
                    .await?;
            downwards(connection, user, None, oldest, limit).await?
        }
    };
    let rooms: Vec<RoomId> = places.iter().map(|place| place.id).collect();
    let mut found = summaries(connection, user, &rooms).await?;
    transaction.commit().await?;
    // Who left between the two reads sees no more of a channel than that it could be joined.
    found.retain(|room| room.role.is_some());
    Ok((found, next))
}

type Places = (Vec<Place>, Option<RoomsCursor>);

async fn downwards(
    connection: &mut PgConnection,
    user: UserId,
    after: Option<RoomsCursor>,
    changed_since: i64,
    limit: usize,
) -> Result<Places, ChatError> {
    let mut places = below(connection, user, after, one_more(limit)).await?;
    if places.len() > limit {
        places.truncate(limit);
        let next = places.last().map(|last| RoomsCursor::behind(Way::Down, *last, changed_since));
        return Ok((places, next));
    }
    // The first page that is also the last is of one moment.
    let Some(_) = after else { return Ok((places, None)) };
    let start = RoomsCursor::begin_up(changed_since);
    let (changed, next) = upwards(connection, user, start, limit - places.len()).await?;
    let known: Vec<RoomId> = places.iter().map(|place| place.id).collect();
    places.extend(changed.into_iter().filter(|place| !known.contains(&place.id)));
    Ok((places, next))
}

async fn upwards(
    connection: &mut PgConnection,
    user: UserId,
    after: RoomsCursor,
    limit: usize,
) -> Result<Places, ChatError> {
    let mut places = changed_above(connection, user, after, one_more(limit)).await?;
    if places.len() <= limit {
        return Ok((places, None));
    }
    places.truncate(limit);
    let last = places.last().map(|last| RoomsCursor::behind(Way::Up, *last, after.changed_since));
    Ok((places, Some(last.unwrap_or(after))))
}

async fn below(
    connection: &mut PgConnection,
    user: UserId,
    after: Option<RoomsCursor>,
    limit: i64,
) -> Result<Vec<Place>, ChatError> {
    let rows = sqlx::query!(
        r#"
        SELECT mine.id AS "id!", mine.active_at AS "active_at!"
        FROM (SELECT r.id, COALESCE(r.last_event_at, r.created_at) AS active_at
              FROM room_members m JOIN rooms r ON r.id = m.room_id
              WHERE m.user_id = $1 AND r.kind = ANY($5)) AS mine
        WHERE $2::timestamptz IS NULL OR (mine.active_at, mine.id) < ($2, $3)
        ORDER BY mine.active_at DESC, mine.id DESC LIMIT $4
        "#,
        user.0,
        after.and_then(RoomsCursor::at),
        after.map(|cursor| cursor.id),
        limit,
        RoomKind::known() as &[&str],
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Place { id: RoomId(row.id), at: row.active_at }).collect())
}

/// Postgres keeps the lower 32 bits of the transaction that wrote a row: those numbers go round, and one counts as later than
/// another when it is less than half of the way ahead.
async fn changed_above(
    connection: &mut PgConnection,
    user: UserId,
    after: RoomsCursor,
    limit: i64,
) -> Result<Vec<Place>, ChatError> {
    let rows = sqlx::query!(
        r#"
        SELECT mine.id AS "id!", mine.active_at AS "active_at!"
        FROM (SELECT r.id, COALESCE(r.last_event_at, r.created_at) AS active_at
              FROM room_members m JOIN rooms r ON r.id = m.room_id
              WHERE m.user_id = $1 AND r.kind = ANY($6)
                AND (r.xmin::text::bigint - $5::bigint) & 4294967295 < 2147483648) AS mine
        WHERE $2::timestamptz IS NULL OR (mine.active_at, mine.id) > ($2, $3)
        ORDER BY mine.active_at, mine.id LIMIT $4
        "#,
        user.0,
        after.at(),
        after.id,
        limit,
        after.changed_since,
        RoomKind::known() as &[&str],
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Place { id: RoomId(row.id), at: row.active_at }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out_and_nothing_else_is_one() {
        let id = Uuid::from_u128(7);
        for cursor in [
            RoomsCursor { way: Way::Down, at_micros: 1_800_000_000_000_000, id, changed_since: 42 },
            RoomsCursor { way: Way::Up, at_micros: -1, id, changed_since: i64::MAX },
            RoomsCursor::begin_up(3),
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let nowhere = RoomsCursor { way: Way::Down, at_micros: i64::MIN, id, changed_since: 1 }.to_string();
        let before_postgres =
            RoomsCursor { way: Way::Down, at_micros: -300_000_000_000_000_000, id, changed_since: 1 }.to_string();
        let before_all = RoomsCursor { way: Way::Up, at_micros: 1, id, changed_since: i64::MIN }.to_string();
        let longer = BASE64_URL_SAFE_NO_PAD.encode([0; CURSOR_BYTES + 1]);
        let third_way = BASE64_URL_SAFE_NO_PAD.encode([2; CURSOR_BYTES]);
        for text in ["", "x", &id.to_string(), &nowhere, &before_postgres, &before_all, &longer, &third_way, "AAAA"] {
            assert_eq!(text.parse::<RoomsCursor>(), Err(NoCursor), "{text}");
        }
    }
}
