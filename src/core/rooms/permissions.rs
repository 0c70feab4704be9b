//! Who may do what: the one table.

pub use super::kinds::RoomKind;
pub use crate::order::Role;

/// What a member may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Post,
    Read,
    AddMember,
    RemoveMember,
    Leave,
    SetRole,
    Describe,
    CreateChannel,
}

use Action::{AddMember, CreateChannel, Describe, Leave, Post, Read, RemoveMember, SetRole};
use Role::{Admin, Guest, Member, Owner};

/// The least role for an action in a kind of room; `None`: it is nobody's.
fn least(action: Action, kind: RoomKind) -> Option<Role> {
    let rules = kind.rules();
    match action {
        Read | Post => Some(Guest),
        Leave => (!rules.is_pair).then_some(Guest),
        AddMember => (!rules.is_pair).then_some(Member),
        RemoveMember | SetRole | Describe => rules.has_owners.then_some(Admin),
        // It is done in a space.
        CreateChannel => None,
    }
}

/// The same for spaces.
const SPACE_TABLE: &[(Action, Role)] = &[
    (Read, Guest),
    (Leave, Guest),
    (CreateChannel, Member),
    (AddMember, Member),
    (RemoveMember, Admin),
    (SetRole, Admin),
    (Describe, Admin),
];

/// Whether `role` may do `action` in a room of `kind`.
pub fn may(role: Role, action: Action, kind: RoomKind) -> bool {
    least(action, kind).is_some_and(|least| role >= least)
}

/// Whether `role` may do `action` in a space.
pub fn may_in_space(role: Role, action: Action) -> bool {
    SPACE_TABLE.iter().any(|(a, least)| *a == action && role >= *least)
}

/// What an owner or admin of a space is in each of its channels, member of it or not: an owner. They rename a channel, and
/// add, remove and raise its people, also above its own owners, as the admins of a workspace or server do elsewhere. To read
/// a channel and to speak in it takes being a member of it, which they can make themselves. So a channel of a space
/// needs no owner of its own, and its last one may leave.
pub fn in_channels(space_role: Role) -> Option<Role> {
    (space_role >= Admin).then_some(Owner)
}

/// Whether `actor` may give, take or change the role `target`: nobody acts on someone above, and only owners make or
/// unmake owners and admins.
pub fn outranks(actor: Role, target: Role) -> bool {
    match actor {
        Owner => true,
        Admin => target < Admin,
        Member | Guest => target <= Member && actor >= target,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RoomKind::{Channel, Direct, Group};

    #[test]
    fn direct_rooms_have_two_people_for_good() {
        for action in [AddMember, RemoveMember, Leave, SetRole, Describe] {
            assert!(!may(Owner, action, Direct), "{action:?}");
        }
        assert!(may(Member, Post, Direct));
    }

    #[test]
    fn guests_talk_and_leave_but_bring_nobody() {
        for kind in [Group, Channel] {
            assert!(may(Guest, Post, kind) && may(Guest, Leave, kind));
            assert!(!may(Guest, AddMember, kind) && !may(Member, Describe, kind));
        }
    }

    #[test]
    fn owners_and_admins_of_a_space_own_its_channels() {
        assert_eq!([Owner, Admin].map(in_channels), [Some(Owner); 2]);
        assert_eq!([Member, Guest].map(in_channels), [None; 2]);
    }

    #[test]
    fn nobody_acts_on_someone_above() {
        assert!(outranks(Owner, Owner) && outranks(Owner, Admin));
        assert!(outranks(Admin, Member) && !outranks(Admin, Admin) && !outranks(Admin, Owner));
        assert!(outranks(Member, Member) && !outranks(Member, Admin) && !outranks(Guest, Member));
    }
}
