//! One change, as the triggers of the migrations write it.

use std::str::FromStr;

use chrono::DateTime;

use crate::accounts::{EndedFamily, SignOutReason};
use crate::rooms::wire::{InvitationUpdated, SpaceLeftBecause};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
use parlance_foundation::party::Party;

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// What people see of somebody, or the standing of their account.
    User(UserId),
    /// An account was disabled or deleted.
    Closed(UserId),
    SignedOut(EndedFamily, SignOutReason),
    /// A subject of an outside issuer who was this person is so no more.
    Identity(UserId),
    /// Anything about accounts, told in one word because nobody counted.
    Accounts,
    Joined(RoomId, Vec<Party>),
    Left(RoomId, Vec<Party>),
    /// The log is not the one that it was.
    Epoch,
    /// There is an invitation to this user, or something became of it.
    Invitation(UserId, InvitationUpdated),
    Space(SpaceChange),
}

/// What became of a space, and whose devices are to hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpaceChange {
    Joined(SpaceId, Vec<UserId>),
    /// Its name or topic, for all; or the role of these.
    Updated(SpaceId, Option<Vec<UserId>>),
    Left(SpaceId, SpaceLeftBecause, Vec<UserId>),
}

/// What a newer version may tell and this one does not understand.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no change that this version knows")]
pub struct Unknown(String);

impl FromStr for Change {
    type Err = Unknown;

    fn from_str(told: &str) -> Result<Self, Unknown> {
        parse(told).ok_or_else(|| Unknown(told.to_owned()))
    }
}

fn parse(told: &str) -> Option<Change> {
    let words: Vec<&str> = told.split(' ').collect();
    Some(match words.as_slice() {
        ["user", user] => Change::User(user.parse().ok()?),
        ["closed", user] => Change::Closed(user.parse().ok()?),
        ["signed_out", user, family, until, reason] => {
            let ended = EndedFamily {
                user_id: user.parse().ok()?,
                family_id: family.parse().ok()?,
                access_expires_at: DateTime::from_timestamp(until.parse().ok()?, 0)?,
            };
            // A newer version may know more reasons; that it ended is what counts.
            Change::SignedOut(ended, SignOutReason::parse(reason).unwrap_or(SignOutReason::Logout))
        }
        ["identity", user] => Change::Identity(user.parse().ok()?),
        ["accounts"] => Change::Accounts,
        ["joined", room, parties] => Change::Joined(room.parse().ok()?, list(parties)?),
        ["epoch", _] => Change::Epoch,
        ["left", room, parties] => Change::Left(room.parse().ok()?, list(parties)?),
        ["invitation", user, id, state] => {
            let updated = InvitationUpdated { id: id.parse().ok()?, state: state.parse().ok()? };
            Change::Invitation(user.parse().ok()?, updated)
        }
        ["space_joined", space, users] => Change::Space(SpaceChange::Joined(space.parse().ok()?, list(users)?)),
        ["space_updated", space] => Change::Space(SpaceChange::Updated(space.parse().ok()?, None)),
        ["space_updated", space, users] => Change::Space(SpaceChange::Updated(space.parse().ok()?, Some(list(users)?))),
        ["space_left", space, reason, users] => {
            let reason = reason.parse().ok()?;
            Change::Space(SpaceChange::Left(space.parse().ok()?, reason, list(users)?))
        }
        _ => return None,
    })
}

fn list<T: FromStr>(told: &str) -> Option<Vec<T>> {
    told.split(',').map(|one| one.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::rooms::wire::InvitationState;
    use parlance_foundation::ids::FamilyId;
    use parlance_foundation::party::PartyKind;

    #[test]
    fn what_is_told_is_understood_or_refused() {
        let (a, b, c) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let ended = EndedFamily {
            user_id: UserId(a),
            family_id: FamilyId(b),
            access_expires_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        };
        let cases = [
            (format!("user {a}"), Change::User(UserId(a))),
            (format!("closed {a}"), Change::Closed(UserId(a))),
            (format!("signed_out {a} {b} 1800000000 too_many"), Change::SignedOut(ended, SignOutReason::TooMany)),
            (format!("signed_out {a} {b} 1800000000 reset"), Change::SignedOut(ended, SignOutReason::Reset)),
            (format!("signed_out {a} {b} 1800000000 bored"), Change::SignedOut(ended, SignOutReason::Logout)),
            (format!("identity {a}"), Change::Identity(UserId(a))),
            ("accounts".into(), Change::Accounts),
            (format!("joined {a} {b},{c}"), Change::Joined(RoomId(a), vec![UserId(b).into(), UserId(c).into()])),
            (format!("epoch {a}"), Change::Epoch),
            (format!("left {a} {b}"), Change::Left(RoomId(a), vec![UserId(b).into()])),
            (format!("joined {a} team:{b}"), Change::Joined(RoomId(a), vec![Party::new(PartyKind::Team, b)])),
            (
                format!("invitation {a} {b} revoked"),
                Change::Invitation(UserId(a), InvitationUpdated { id: b, state: InvitationState::Revoked }),
            ),
            (
                format!("space_joined {a} {b},{c}"),
                Change::Space(SpaceChange::Joined(SpaceId(a), vec![UserId(b), UserId(c)])),
            ),
            (format!("space_updated {a}"), Change::Space(SpaceChange::Updated(SpaceId(a), None))),
            (format!("space_updated {a} {b}"), Change::Space(SpaceChange::Updated(SpaceId(a), Some(vec![UserId(b)])))),
            (
                format!("space_left {a} removed {b}"),
                Change::Space(SpaceChange::Left(SpaceId(a), SpaceLeftBecause::Removed, vec![UserId(b)])),
            ),
        ];
        for (told, change) in cases {
            assert_eq!(told.parse(), Ok(change));
        }
        for told in
            ["", "user", "user x", "left", "joined 1 2", "dances", "signed_out 1 2 3 bored", "invitation 1 2 lost"]
        {
            assert_eq!(told.parse::<Change>(), Err(Unknown(told.to_owned())));
        }
    }
}
