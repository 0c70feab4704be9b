//! What a user who comes in needs to know: which rooms, and what is on the cards of those that are not open.

use std::collections::HashMap;

use crate::rooms::card::Card;
use crate::rooms::error::ChatError;
use crate::rooms::facts::{Member, RoomFacts};
use crate::rooms::permissions::RoomKind;
use crate::rooms::state::Snapshot;
use crate::rooms::unread::{SENDERS_MAX, Senders, UNREAD_MAX};
use parlance_foundation::ids::{RoomId, SpaceId, TeamId, UserId};
use parlance_foundation::party::Party;
use parlance_foundation::storage::Storage;

/// The rooms that `user` is in, each with its newest seq: those with the newest activity first.
///
/// All of them are read and sorted. An index of activity would have to follow every message: each flush moves it, and costs
/// no index today.
pub async fn roster(storage: &Storage, user: UserId, rooms_max: usize) -> Result<Vec<(RoomId, i64)>, ChatError> {
    let rooms = sqlx::query!(
        "SELECT r.id, r.last_seq FROM room_members m JOIN rooms r ON r.id = m.room_id
         WHERE m.user_id = $1 AND r.kind = ANY($3)
         ORDER BY COALESCE(r.last_event_at, r.created_at) DESC, r.id DESC LIMIT $2",
        user.0,
        i64::try_from(rooms_max).unwrap_or(i64::MAX),
        RoomKind::known() as &[&str],
    )
    .fetch_all(storage.engine_read("roster"))
    .await?;
    Ok(rooms.into_iter().map(|room| (RoomId(room.id), room.last_seq)).collect())
}

/// The newest seq that Postgres has of each of these rooms.
pub async fn last_seqs(storage: &Storage, rooms: &[RoomId]) -> Result<HashMap<RoomId, i64>, ChatError> {
    let ids: Vec<uuid::Uuid> = rooms.iter().map(|room| room.0).collect();
    let found = sqlx::query!("SELECT id, last_seq FROM rooms WHERE id = ANY($1)", &ids)
        .fetch_all(storage.engine_read("last_seqs"))
        .await?;
    Ok(found.into_iter().map(|room| (RoomId(room.id), room.last_seq)).collect())
}

/// The cards of these rooms, each as of one moment: one statement sees one snapshot.
pub async fn cards(storage: &Storage, rooms: &[RoomId]) -> Result<Vec<Card>, ChatError> {
    let rows = sqlx::query!(
        r#"
        SELECT r.id, r.kind, r.name, r.topic, r.space_id, r.created_at, r.last_seq, r.last_event_at,
               r.direct_low, r.direct_high, member.kinds AS "kinds?", member.ids AS "ids?", member.roles AS "roles?",
               member.delivered_seqs AS "delivered_seqs?", member.read_seqs AS "read_seqs?",
               member.vias AS "vias?: Vec<Option<uuid::Uuid>>",
               newest.seqs AS "seqs?", newest.senders AS "senders?: Vec<Option<uuid::Uuid>>"
        FROM rooms r
        CROSS JOIN LATERAL (
            SELECT array_agg(parlance_party_kind(m.user_id, m.agent_id, m.team_id, m.contact_id)) AS kinds,
                   array_agg(COALESCE(m.user_id, m.agent_id, m.team_id, m.contact_id)) AS ids, array_agg(m.role) AS roles,
                   array_agg(m.delivered_seq) AS delivered_seqs, array_agg(m.read_seq) AS read_seqs,
                   array_agg(m.via_team_id) AS vias
            FROM room_members m WHERE m.room_id = r.id) AS member
        CROSS JOIN LATERAL (
            SELECT array_agg(one.seq ORDER BY one.seq) AS seqs, array_agg(one.sender ORDER BY one.seq) AS senders
            FROM (SELECT seq, COALESCE(sender_user_id, sender_agent_id, sender_contact_id) AS sender
                  FROM messages WHERE room_id = r.id ORDER BY seq DESC LIMIT $2) AS one) AS newest
        WHERE r.id = ANY($1) AND r.kind = ANY($3)
        "#,
        &rooms.iter().map(|room| room.0).collect::<Vec<_>>(),
        i64::try_from(SENDERS_MAX).unwrap_or(i64::MAX),
        RoomKind::known() as &[&str],
    )
    .fetch_all(storage.engine_read("cards"))
    .await?;
    let mut cards = Vec::with_capacity(rows.len());
    for row in rows {
        let Ok(kind) = row.kind.parse::<RoomKind>() else { continue };
        let parties = row.kinds.unwrap_or_default().into_iter().zip(row.ids.unwrap_or_default());
        let marks = row.delivered_seqs.unwrap_or_default().into_iter().zip(row.read_seqs.unwrap_or_default());
        let vias = row.vias.unwrap_or_default();
        type Stored = ((((String, uuid::Uuid), String), (i64, i64)), Option<uuid::Uuid>);
        let member = |((((kind, id), role), (delivered_seq, read_seq)), via): Stored| {
            let party = Party::new(kind.parse().ok()?, id);
            Some((party, Member { role: role.parse().ok()?, delivered_seq, read_seq }, via.map(TeamId)))
        };
        let facts = RoomFacts {
            id: RoomId(row.id),
            kind,
            name: row.name,
            topic: row.topic,
            space_id: row.space_id.map(SpaceId),
            created_at: row.created_at,
            pair: row.direct_low.zip(row.direct_high).map(|(low, high)| (UserId(low), UserId(high))),
            members: parties.zip(row.roles.unwrap_or_default()).zip(marks).zip(vias).filter_map(member).collect(),
        };
        let (last_event_at, last_seq) = (row.last_event_at, row.last_seq);
        let room = Snapshot { facts, last_event_at, last_seq, departures: Vec::new(), recent: Vec::new() };
        let seqs = row.seqs.unwrap_or_default();
        // Fewer than asked for are all that there are.
        let known_after = seqs.first().filter(|_| seqs.len() >= SENDERS_MAX).map_or(0, |first| first - 1);
        let mut senders = Senders::after(known_after);
        for (seq, sender) in seqs.into_iter().zip(row.senders.unwrap_or_default()) {
            senders.push(seq, sender);
        }
        cards.push(Card::with(&room, senders));
    }
    Ok(cards)
}

/// How many messages of others `user` has not read in these rooms: counted up to `UNREAD_MAX`, among the first 1000,
/// so that nobody pays for a program that posts without ever reading.
pub async fn unread(storage: &Storage, user: UserId, rooms: &[RoomId]) -> Result<HashMap<RoomId, i64>, ChatError> {
    let mut transaction = storage.read_as(user).await?;
    let rows = sqlx::query!(
        r#"
        SELECT me.room_id, (
            SELECT LEAST(count(*), $3) FROM (
                SELECT m.sender_user_id AS sender FROM messages m
                WHERE m.room_id = me.room_id AND m.seq > me.read_seq ORDER BY m.seq LIMIT 1000) AS newer
            WHERE newer.sender IS DISTINCT FROM $1) AS "unread!"
        FROM room_members me WHERE me.user_id = $1 AND me.room_id = ANY($2)
        "#,
        user.0,
        &rooms.iter().map(|room| room.0).collect::<Vec<_>>(),
        UNREAD_MAX,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(rows.into_iter().map(|row| (RoomId(row.room_id), row.unread)).collect())
}
