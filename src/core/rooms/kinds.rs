//! What kinds of rooms there are, and what each is like: one row a kind, here and, as far as Postgres asks about it, in
//! `room_kinds`. A test holds the two together.
//!
//! A new kind is a variant with its row, and a migration that inserts the same row. What asks which kind a room is, and not
//! what it is like, are invitations, which name what they are to, and rooms of two, of which there is one a pair.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a room is; what differs is who its members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomKind {
    /// Two people, for good.
    Direct,
    /// Invited people.
    Group,
    /// A room of a space that its people may find and join.
    Channel,
}

crate::text_enum::text_enum!(RoomKind {
    RoomKind::Direct => "direct",
    RoomKind::Group => "group",
    RoomKind::Channel => "channel",
});

/// Whether rooms have a name and a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Never,
    Maybe,
    /// They are found by their name.
    Always,
}

/// What a kind is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRules {
    /// Two people for good: nobody comes in or leaves, and it is one a pair.
    pub is_pair: bool,
    /// Whoever makes one owns it. Owners and admins rule over its people and over what they say, and when its last owner is
    /// deleted, another one follows.
    pub has_owners: bool,
    /// It may stand in a space, whose people find it there and join.
    pub is_found: bool,
    pub naming: Naming,
}

impl RoomKind {
    pub const ALL: [Self; 3] = [Self::Direct, Self::Group, Self::Channel];

    /// The one table.
    pub const fn rules(self) -> KindRules {
        let (is_pair, has_owners, is_found, naming) = match self {
            Self::Direct => (true, false, false, Naming::Never),
            Self::Group => (false, true, false, Naming::Maybe),
            Self::Channel => (false, true, true, Naming::Always),
        };
        KindRules { is_pair, has_owners, is_found, naming }
    }

    /// The names of all kinds, for queries: rows of others are of a later version.
    pub fn known() -> &'static [&'static str] {
        static KNOWN: LazyLock<Vec<&str>> = LazyLock::new(|| names(|_| true));
        &KNOWN
    }

    /// Of those that a space's people find.
    pub fn found() -> &'static [&'static str] {
        static FOUND: LazyLock<Vec<&str>> = LazyLock::new(|| names(|rules| rules.is_found));
        &FOUND
    }
}

fn names(of: impl Fn(KindRules) -> bool) -> Vec<&'static str> {
    RoomKind::ALL.into_iter().filter(|kind| of(kind.rules())).map(RoomKind::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_in_the_table_once_under_its_name() {
        assert_eq!(RoomKind::known(), ["direct", "group", "channel"]);
        for kind in RoomKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!(RoomKind::found(), ["channel"]);
    }
}
