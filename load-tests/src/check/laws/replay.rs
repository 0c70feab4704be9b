//! The order, replayed: the room as it follows from how it was founded and what has happened in it since.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::check::history::{Change, Fact, Who};
use crate::check::tale::{Row, Tale};

/// See the module.
#[derive(Debug, Default)]
pub struct Replayed<'a> {
    pub roles: BTreeMap<Who, &'a str>,
    pub name: Option<&'a str>,
    pub topic: Option<&'a str>,
    pub last_seq: u64,
    /// When the last event happened.
    pub last_at: Option<DateTime<Utc>>,
}

impl<'a> Replayed<'a> {
    pub fn of(tale: &Tale<'a>) -> Self {
        let founders = tale.founding.members.iter().map(|(who, role)| (*who, role.as_str()));
        let name = tale.founding.name.as_deref();
        let mut room = Self { roles: founders.collect(), name, ..Self::default() };
        tale.first.rows.iter().for_each(|row| room.take(row));
        room
    }

    fn take(&mut self, row: &Row<'a>) {
        (self.last_seq, self.last_at) = (row.seq, row.at);
        match row.fact {
            Fact::Changed { change: Change::Add(who, role) | Change::Role(who, role), .. } => {
                self.roles.insert(*who, role);
            }
            Fact::Changed { change: Change::Remove(who), .. } => {
                self.roles.remove(who);
            }
            Fact::Team { people, .. } => {
                for (who, role) in people {
                    match role {
                        Some(role) => drop(self.roles.insert(*who, role)),
                        None => drop(self.roles.remove(who)),
                    }
                }
            }
            Fact::Described { name, topic, .. } => (self.name, self.topic) = (name.as_deref(), topic.as_deref()),
            Fact::Changed { .. } | Fact::Message(_) | Fact::Edited { .. } | Fact::Deleted { .. } | Fact::Other(_) => {}
        }
    }
}
