//! Changes of a room and of who is in it: who may make them, and what they become. Pure.
//!
//! Invariant: a change that was made already is not made again. Whoever did not hear the answer may ask once more: what is
//! so is left as it is, and what waits for its commit is waited for.
//!
//! A client id belongs to the change that was made under it, so that none is made twice. What changed nothing, since it was so
//! already, or was refused, has no row and leaves none: sent again it is decided anew, like any wish that comes late. If
//! others have changed the room in between, it may be made then, for the first time, and once; whoever heard the first answer
//! does not send again. To keep such ids would cost a write for what changes nothing, and memory alone would forget them
//! with a crash, which is when clients send again.
//!
//! Who is here with a team, the room itself knows: a change that is about a team is decided on those who are here with it at
//! this place of the order. Somebody who was given a role of their own a moment ago is not among them.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use super::{Decision, Departure, RoomState, SentKey};
use crate::order::{CoreChange, EventRow, RowBody, Stays};
use crate::rooms::error::ChatError;
use crate::rooms::kinds::Naming;
use crate::rooms::permissions::{Action, Role, in_channels, outranks};
use crate::rooms::store::WriteChange;
use crate::rooms::wire;
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::party::{Party, PartyKind};

/// A change to the room itself or to who is in it. Who is in which team, whoever asks has looked up.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    AddMember {
        party: Party,
        role: Role,
        /// Of a team: its people. Of one that is in the room already those come in who are not.
        people: Vec<UserId>,
    },
    RemoveMember {
        party: Party,
        /// Of a team: who of its people is in which other teams. Who is here with it, and in one that is here as well, stays.
        held: Vec<(UserId, TeamId)>,
    },
    SetRole {
        party: Party,
        role: Role,
    },
    /// Somebody who left the team with which they are here is in another one that is here.
    MoveMember {
        user: UserId,
        /// The other teams in which they are; the room knows which of them are here, and the strongest.
        held: Vec<TeamId>,
    },
    /// Absent: unchanged. An empty text clears it.
    Describe {
        name: Option<String>,
        topic: Option<String>,
    },
}

impl Change {
    /// Adds one person.
    pub fn add(user: UserId, role: Role) -> Self {
        Self::AddMember { party: user.into(), role, people: Vec::new() }
    }

    /// Takes one person out.
    pub fn remove(user: UserId) -> Self {
        Self::RemoveMember { party: user.into(), held: Vec::new() }
    }

    /// Gives one person a role.
    pub fn set_role(user: UserId, role: Role) -> Self {
        Self::SetRole { party: user.into(), role }
    }

    /// Whom it is about.
    pub fn party(&self) -> Option<Party> {
        match self {
            Self::AddMember { party, .. } | Self::RemoveMember { party, .. } | Self::SetRole { party, .. } => {
                Some(*party)
            }
            Self::MoveMember { user, .. } => Some(Party::User(*user)),
            Self::Describe { .. } => None,
        }
    }
}

/// A change that somebody wants made: as it was asked for, so that it can be decided again.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedChange {
    pub by: Party,
    pub right: Right,
    /// The author's own id for it: sent again, it is the first one.
    pub client_id: Option<String>,
    pub change: Change,
}

/// By what right somebody changes a room, beside what they are in it. Whoever asks has looked it up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Right {
    /// None but that.
    #[default]
    Own,
    /// What they are in the space of the channel.
    OfSpace(Role),
    /// The person who is added has been invited, or is one of the two of a direct room.
    Invited,
    /// The last owner was deleted with their account, and the next one takes over.
    Inherited,
    /// Somebody came into this team, which is in the room, or left it, or it is being deleted: whoever runs the team decides.
    /// It holds for those who are here with it, and for nobody else.
    OfTeam(TeamId),
}

impl RoomState {
    /// The event that a change becomes, if `by` may make it.
    pub fn decide_change(&self, id: uuid::Uuid, wanted: &WantedChange) -> Result<Decision, ChatError> {
        let WantedChange { by, right, client_id, change } = wanted;
        let (by, right) = (*by, *right);
        // The author's own: whoever has left since by this very change is told so.
        let key = client_id.clone().map(|client_id| SentKey { by: Some(by), is_message: false, client_id });
        if let Some(first) = key.and_then(|key| self.sent.get(&key)) {
            return if self.is_repeated(first, change) { Ok(first.decision()) } else { Err(ChatError::KeyReused) };
        }
        if let Some(settled) = self.settled(by, right, change)? {
            return Ok(settled);
        }
        let event = EventRow { client_id: client_id.clone(), ..self.event_of(id, by, change)? };
        Ok(Decision::Write(RowBody::Event(event)))
    }

    fn event_of(&self, id: uuid::Uuid, by: Party, change: &Change) -> Result<EventRow, ChatError> {
        let is_in = |user: &UserId| self.facts.is_member(Party::User(*user));
        let by = Some(by);
        Ok(match change {
            Change::AddMember { party, role, people } => {
                let people: Vec<UserId> = people.iter().copied().filter(|user| !is_in(user)).collect();
                let more = people.len() + usize::from(party.team().is_none());
                if self.facts.members.count() + more > self.limits.members_max {
                    return Err(ChatError::RoomFull(self.limits.members_max));
                }
                // What a team is in the room holds for those who come later.
                let role = self.facts.role(*party).unwrap_or(*role);
                let told = wire::MemberAdded { member: wire::EventMember::new(*party, role), people: people.clone() };
                written(EventRow::new(id, by, &told), CoreChange::MemberAdded { party: *party, role, people })
            }
            Change::RemoveMember { party, held } => {
                let (people, stay) = party.team().map(|team| self.leaving_with(team, held)).unwrap_or_default();
                let told = wire::MemberRemoved::new(*party, people.clone(), &stay);
                let party = *party;
                written(EventRow::new(id, by, &told), CoreChange::MemberRemoved { party, is_out: false, people, stay })
            }
            Change::SetRole { party, role } => {
                let people = party.team().map(|team| self.facts.members.with(team).collect()).unwrap_or_default();
                role_changed(id, by, *party, *role, None, people)
            }
            Change::MoveMember { user, held } => {
                let (to, role) = self.strongest(held.iter().copied()).ok_or(ChatError::NotAMember)?;
                role_changed(id, by, Party::User(*user), role, Some(to), Vec::new())
            }
            Change::Describe { name, topic } => {
                let (name, topic) = self.described_by(name.as_ref(), topic.as_ref());
                let told = wire::RoomUpdated { name: name.clone(), topic: topic.clone() };
                written(EventRow::new(id, by, &told), CoreChange::Described { name, topic })
            }
        })
    }

    /// The event that tells of somebody who is out already.
    pub fn departed(departure: &Departure) -> RowBody {
        let Departure { id, user_id, by, .. } = *departure;
        let party = Party::User(user_id);
        let event = EventRow::new(id, Some(by.into()), &wire::MemberRemoved::new(party, Vec::new(), &[]));
        RowBody::Event(written(event, CoreChange::removed(user_id, true)))
    }

    /// Who goes with this team, and who stays: with the strongest of the other teams here that hold them.
    fn leaving_with(&self, team: TeamId, held: &[(UserId, TeamId)]) -> (Vec<UserId>, Vec<Stays>) {
        let mut others: HashMap<UserId, Vec<TeamId>> = HashMap::new();
        for (user, other) in held.iter().filter(|(_, other)| *other != team) {
            others.entry(*user).or_default().push(*other);
        }
        let (mut people, mut stay) = (Vec::new(), Vec::new());
        for user in self.facts.members.with(team) {
            match self.strongest(others.remove(&user).unwrap_or_default().into_iter()) {
                Some((via, role)) => stay.push(Stays { user, via, role }),
                None => people.push(user),
            }
        }
        (people, stay)
    }

    /// Of these teams, of those that are here, the one of most rights; of several the oldest.
    fn strongest(&self, teams: impl Iterator<Item = TeamId>) -> Option<(TeamId, Role)> {
        let here = teams.filter_map(|team| Some((team, self.facts.role(Party::Team(team))?)));
        here.max_by_key(|(team, role)| (*role, std::cmp::Reverse(*team)))
    }

    /// Whether the order is about to tell that they are out already.
    pub fn is_departing(&self, user: UserId) -> bool {
        self.waits_for(|change| match change {
            CoreChange::MemberRemoved { party, is_out: true, .. } => *party == Party::User(user),
            _ => false,
        })
        .is_some()
    }

    /// What the room will be called when this is done.
    fn described_by(&self, name: Option<&String>, topic: Option<&String>) -> (Option<String>, Option<String>) {
        let name = name.cloned().or_else(|| self.facts.name.clone()).filter(|name| !name.is_empty());
        let topic = topic.cloned().or_else(|| self.facts.topic.clone()).filter(|topic| !topic.is_empty());
        (name, topic)
    }

    /// Whether `by` may make the change; if so, and there is nothing to do any more, that.
    fn settled(&self, by: Party, right: Right, change: &Change) -> Result<Option<Decision>, ChatError> {
        match change {
            Change::AddMember { party, role, people } => {
                self.may_add(by, right, *party, *role)?;
                let Some(own) = self.facts.role(*party) else { return Ok(None) };
                if people.iter().all(|user| self.facts.is_member(Party::User(*user))) {
                    return Ok(Some(self.waiting_or(Some(own), |change| change.changes(*party))));
                }
                // They get what the team is here, whatever was asked for.
                self.may_add(by, right, *party, own)?;
                Ok(None)
            }
            Change::RemoveMember { party, .. } => {
                self.may_remove(by, right, *party)?;
                let own = self.facts.role(*party);
                let is_so = own.is_none() || !self.is_of(right, *party);
                Ok(is_so.then(|| self.waiting_or(own, |change| change.changes(*party))))
            }
            Change::MoveMember { user, held } => {
                let party = Party::User(*user);
                if !matches!(right, Right::OfTeam(_)) {
                    return Err(ChatError::NotAllowed);
                }
                // A team that left is followed once more.
                let is_so = !self.is_of(right, party) || self.strongest(held.iter().copied()).is_none();
                Ok(is_so.then(|| self.waiting_or(self.facts.role(party), |change| change.changes(party))))
            }
            Change::SetRole { party, role } => {
                let own = self.facts.role(*party);
                let about = |change: &CoreChange| change.changes(*party);
                if right == Right::Inherited {
                    // Not by the one who is gone, of whose going the room may not have heard yet.
                    let is_owned = self.others_own(by);
                    own.ok_or(ChatError::NotAMember)?;
                    return Ok((is_owned || !self.needs_owner()).then(|| self.waiting_or(own, about)));
                }
                // A role of their own keeps them here when the team goes with which they came, also if it is the same.
                let is_so =
                    own == Some(*role) && party.user().is_none_or(|user| self.facts.members.via(user).is_none());
                // Whoever has stepped down may have lost the right to do so.
                if by != *party || !is_so {
                    self.may_set_role(by, right, *party, *role)?;
                }
                Ok(is_so.then(|| self.waiting_or(own, about)))
            }
            Change::Describe { name, topic } => {
                self.acting(by, right, Action::Describe)?;
                if self.facts.kind.rules().naming == Naming::Always && name.as_ref().is_some_and(String::is_empty) {
                    return Err(ChatError::Invalid { field: "name", wanted: "must not be empty in a channel".into() });
                }
                let (name, topic) = self.described_by(name.as_ref(), topic.as_ref());
                let describes = |change: &CoreChange| matches!(change, CoreChange::Described { .. });
                Ok(((name, topic) == (self.facts.name.clone(), self.facts.topic.clone()))
                    .then(|| self.waiting_or(None, describes)))
            }
        }
    }

    /// Whether a change by this right may be about them: what is a team's to decide is who is here with it.
    fn is_of(&self, right: Right, party: Party) -> bool {
        match (right, party) {
            (Right::OfTeam(team), Party::User(user)) => self.facts.members.via(user) == Some(team),
            _ => true,
        }
    }

    /// That it is so already, once the last change that it follows from is committed: of a person, whichever was the last
    /// about them.
    fn waiting_or(&self, role: Option<Role>, made_so: impl Fn(&CoreChange) -> bool) -> Decision {
        self.waits_for(made_so).map_or(Decision::Settled(role), Decision::Waiting)
    }

    /// The ticket of the newest such change that waits for its commit.
    fn waits_for(&self, is_meant: impl Fn(&CoreChange) -> bool) -> Option<u64> {
        let meant = self.pending.iter().rev().find(|pending| pending.row.change().is_some_and(&is_meant));
        meant.map(|pending| pending.ticket)
    }

    /// The role in which `by` acts, if it allows `action`: their own here, or what their role in the space makes them.
    pub(super) fn acting(&self, by: Party, right: Right, action: Action) -> Result<Role, ChatError> {
        let own = self.facts.role(by);
        let of_space = match right {
            Right::OfSpace(role) => in_channels(role),
            Right::Own | Right::Invited | Right::Inherited | Right::OfTeam(_) => None,
        };
        self.allow(own.max(of_space).ok_or(ChatError::RoomNotFound)?, action)
    }

    fn may_add(&self, by: Party, right: Right, party: Party, role: Role) -> Result<(), ChatError> {
        require_person(party, role)?;
        let joins = match right {
            Right::Own | Right::Inherited => false,
            // A guest of the space is a guest in its channels.
            Right::OfSpace(own) => by == party && role <= own.min(Role::Member),
            Right::Invited => true,
            Right::OfTeam(_) => return if self.facts.is_member(party) { Ok(()) } else { Err(ChatError::NotAMember) },
        };
        if joins {
            return Ok(());
        }
        let own = self.acting(by, right, Action::AddMember)?;
        if outranks(own, role) { Ok(()) } else { Err(ChatError::NotAllowed) }
    }

    fn may_remove(&self, by: Party, right: Right, party: Party) -> Result<(), ChatError> {
        let target = self.facts.role(party);
        if matches!(right, Right::OfTeam(_)) {
            return Ok(());
        }
        // The team would bring them back.
        let alone = match party.user().and_then(|user| self.facts.members.via(user)) {
            Some(team) => Err(ChatError::OfTeam(team.to_string())),
            None => Ok(()),
        };
        if by == party {
            // Whoever is out may leave once more.
            let Some(role) = target else { return Ok(()) };
            self.allow(role, Action::Leave)?;
            alone?;
            return if role == Role::Owner && self.is_last_owner(party) { Err(ChatError::LastOwner) } else { Ok(()) };
        }
        let own = self.acting(by, right, Action::RemoveMember)?;
        if target.is_none_or(|target| outranks(own, target)) { alone } else { Err(ChatError::NotAllowed) }
    }

    fn may_set_role(&self, by: Party, right: Right, party: Party, role: Role) -> Result<(), ChatError> {
        require_person(party, role)?;
        let own = self.acting(by, right, Action::SetRole)?;
        let target = self.facts.role(party).ok_or(ChatError::NotAMember)?;
        // An admin may step down, which is acting on an equal: oneself.
        let acts = outranks(own, target) || by == party;
        if !acts || !outranks(own, role) {
            return Err(ChatError::NotAllowed);
        }
        // Also when alone: a room without an owner could never get one again.
        if self.needs_owner() && target == Role::Owner && role != Role::Owner && !self.others_own(party) {
            return Err(ChatError::LastOwner);
        }
        Ok(())
    }

    /// The owners and admins of a space act in its channels: those can do without owners of their own.
    fn needs_owner(&self) -> bool {
        self.facts.space_id.is_none()
    }

    fn is_last_owner(&self, party: Party) -> bool {
        // The last person may always leave: an empty room needs no owner.
        self.needs_owner() && !self.others_own(party) && self.facts.people().nth(1).is_some()
    }

    fn others_own(&self, party: Party) -> bool {
        self.facts.members.iter().any(|(one, member)| *one != party && member.role == Role::Owner)
    }
}

/// A room is owned by people, of whom there is always somebody to ask.
fn require_person(party: Party, role: Role) -> Result<(), ChatError> {
    if role == Role::Owner && party.kind() != PartyKind::User {
        return Err(ChatError::Invalid {
            field: "role",
            wanted: "an owner is a person; `admin` is the most here".into(),
        });
    }
    Ok(())
}

fn role_changed(
    id: uuid::Uuid,
    by: Option<Party>,
    party: Party,
    role: Role,
    via: Option<TeamId>,
    people: Vec<UserId>,
) -> EventRow {
    let told = wire::MemberRoleChanged::new(party, role, via, people.clone());
    written(EventRow::new(id, by, &told), CoreChange::RoleChanged { party, role, via, people })
}

/// The event with what the core reads in it, which is also what it writes besides.
fn written(event: EventRow, change: CoreChange) -> EventRow {
    EventRow { change: Some(change), effects: vec![Arc::new(WriteChange)], ..event }
}
