//! What rooms hear of changes in Postgres: members that came or went by another hand, and invitations.

use std::sync::Arc;

use super::directory::Rooms;
use super::wire::{InvitationUpdated, encode};
use crate::changes::{Hears, Known, Later, NotNow, list};
use crate::publish::{Class, Publish, Topic};
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::party::Party;

impl Hears for Rooms {
    fn topics(&self) -> &'static [&'static str] {
        &["joined", "left", "accounts"]
    }

    fn heard(&self, topic: &str, rest: &str) -> Known {
        match members(rest) {
            Some((room, parties)) => self.members_changed(room, parties, topic == "joined"),
            // Whose account went without a word went out of their rooms as well.
            None => return Known::Anything,
        }
        Known::Yes
    }

    fn trust(&self, listens: bool) {
        self.parts.memory.trust(listens);
    }

    fn make_up(&self) -> Later<'_, Result<(), NotNow>> {
        Box::pin(async { Ok(self.finish_departures().await?) })
    }

    /// First the rooms, which keep a card as they end, then the memory.
    fn begin_anew(&self) -> Later<'_> {
        Box::pin(async {
            self.reopen_all().await;
            self.parts.memory.trust(true);
        })
    }
}

/// `ROOM PARTY,PARTY,…`
fn members(rest: &str) -> Option<(RoomId, Vec<Party>)> {
    let (room, parties) = rest.split_once(' ')?;
    Some((room.parse().ok()?, list(parties)?))
}

/// Tells the devices of whoever is invited: there is an invitation, or something became of it.
pub struct InvitationNews(pub Arc<dyn Publish>);

impl Hears for InvitationNews {
    fn topics(&self) -> &'static [&'static str] {
        &["invitation"]
    }

    fn heard(&self, _: &str, rest: &str) -> Known {
        match invitation(rest) {
            Some((user, updated)) => self.0.publish(Topic::User(user), encode(&updated), Class::Must),
            // Nothing is kept of it.
            None => tracing::warn!(rest, "an invitation that this version does not understand is not told"),
        }
        Known::Yes
    }
}

/// `USER INVITATION STATE`
fn invitation(rest: &str) -> Option<(UserId, InvitationUpdated)> {
    let mut words = rest.split(' ');
    let (user, id, state) = (words.next()?, words.next()?, words.next()?);
    Some((user.parse().ok()?, InvitationUpdated { id: id.parse().ok()?, state: state.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::rooms::wire::InvitationState;
    use parlance_foundation::party::PartyKind;

    #[test]
    fn what_is_told_is_understood_or_refused() {
        let (a, b, c) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let two = vec![UserId(b).into(), UserId(c).into()];
        assert_eq!(members(&format!("{a} {b},{c}")), Some((RoomId(a), two)));
        assert_eq!(members(&format!("{a} team:{b}")), Some((RoomId(a), vec![Party::new(PartyKind::Team, b)])));
        let revoked = InvitationUpdated { id: b, state: InvitationState::Revoked };
        assert_eq!(invitation(&format!("{a} {b} revoked")), Some((UserId(a), revoked)));
        for nonsense in ["", "1", "1 2", "1 2 lost"] {
            assert!(members(nonsense).is_none() && invitation(nonsense).is_none(), "{nonsense}");
        }
    }
}
