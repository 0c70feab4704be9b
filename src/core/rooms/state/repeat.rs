//! A change that is sent again under its client id: whether it is the same one. Pure.

use std::sync::Arc;

use super::{Change, RoomState, Sent};
use crate::order::{CoreChange, Row};
use crate::rooms::action::{RoomAction, may_be};
use parlance_foundation::party::Party;

impl Change {
    /// Whether this change may have become `row`. What it left as it was is in the row as it was then, and is
    /// not compared; nor who came with a team, which is looked up each time.
    pub fn may_be(&self, row: &Row) -> bool {
        match (self, row.change()) {
            (Self::AddMember { party, role, .. }, Some(CoreChange::MemberAdded { party: who, role: what, .. }))
            | (
                Self::SetRole { party, role },
                Some(CoreChange::RoleChanged { party: who, role: what, via: None, .. }),
            ) => (party, role) == (who, what),
            (Self::MoveMember { user, held }, Some(CoreChange::RoleChanged { party, via: Some(via), .. })) => {
                Party::User(*user) == *party && held.contains(via)
            }
            (Self::RemoveMember { party, .. }, Some(CoreChange::MemberRemoved { party: who, .. })) => party == who,
            (Self::Describe { name, topic }, Some(CoreChange::Described { name: named, topic: about })) => {
                is_as_asked(name.as_deref(), named.as_deref()) && is_as_asked(topic.as_deref(), about.as_deref())
            }
            _ => false,
        }
    }
}

/// An empty text was asked to clear it.
fn is_as_asked(asked: Option<&str>, told: Option<&str>) -> bool {
    asked.is_none_or(|asked| asked == told.unwrap_or_default())
}

impl RoomState {
    /// Whether the client id that led to `sent` was used for this change.
    pub(super) fn is_repeated(&self, sent: &Sent, change: &Change) -> bool {
        self.sent_row(sent).is_none_or(|row| change.may_be(row))
    }

    /// Whether it was used for this action.
    pub(super) fn is_repeated_by(&self, sent: &Sent, action: &dyn RoomAction) -> bool {
        self.sent_row(sent).is_none_or(|row| may_be(action, row))
    }

    fn sent_row<'a>(&'a self, sent: &'a Sent) -> Option<&'a Arc<Row>> {
        match sent {
            Sent::Done(row) => Some(row),
            Sent::Waiting(ticket) => {
                self.pending.iter().find(|pending| pending.ticket == *ticket).map(|pending| &pending.row)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{EventRow, RowBody};
    use crate::rooms::permissions::Role;
    use crate::rooms::wire::RoomUpdated;
    use parlance_foundation::ids::UserId;

    fn row(change: CoreChange) -> Row {
        let told = RoomUpdated { name: None, topic: None };
        // What it tells does not matter: what the core reads in it does.
        let event = EventRow { change: Some(change), ..EventRow::new(uuid::Uuid::nil(), None, &told) };
        Row { seq: 1, at: chrono::DateTime::UNIX_EPOCH, body: RowBody::Event(event) }
    }

    #[test]
    fn a_change_is_the_same_if_it_may_have_become_the_event() {
        let (ada, ben) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        let added = row(CoreChange::added(ada, Role::Member));
        let add = Change::add;
        assert!(add(ada, Role::Member).may_be(&added));
        assert!(!add(ben, Role::Member).may_be(&added) && !add(ada, Role::Guest).may_be(&added));
        assert!(!Change::set_role(ada, Role::Member).may_be(&added));
        let removed = row(CoreChange::removed(ada, true));
        assert!(Change::remove(ada).may_be(&removed));
        assert!(!Change::remove(ben).may_be(&removed));
        let described = row(CoreChange::Described { name: Some("n".into()), topic: None });
        for (name, topic, is_same) in [
            (Some("n"), None, true),
            (None, Some(""), true),
            (Some("n"), Some(""), true),
            (Some(""), None, false),
            (Some("m"), None, false),
            (None, Some("t"), false),
        ] {
            let change = Change::Describe { name: name.map(str::to_owned), topic: topic.map(str::to_owned) };
            assert_eq!(change.may_be(&described), is_same, "{name:?} {topic:?}");
        }
        let told = RoomUpdated { name: None, topic: None };
        let unread = EventRow::new(uuid::Uuid::nil(), None, &told);
        let unread = Row { body: RowBody::Event(EventRow { change: None, ..unread }), ..added };
        assert!(!add(ada, Role::Member).may_be(&unread), "of an event that the core does not read");
    }
}
