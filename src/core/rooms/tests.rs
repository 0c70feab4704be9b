//! The room's pure core against a simple model.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::action::{RoomAction, Scene, Target, WantedAction};
use super::config::ChatConfig;
use super::error::ChatError;
use super::facts::{Member, RoomFacts};
use super::permissions::Role;
use super::state::{Change, Decision, Right, RoomState, Snapshot, WantedChange};
use super::wire;
use crate::order::{CoreChange, EventPayload, EventRow, MessageRow, Row, RowBody};
use parlance_foundation::ids::MessageId;
use parlance_foundation::party::{Party, PartyKind};

const PEOPLE: u8 = 4;
const WINDOW: usize = 6;

/// The last of them is an agent.
fn person(n: u8) -> Party {
    let kind = if n + 1 == PEOPLE { PartyKind::Agent } else { PartyKind::User };
    Party::new(kind, Uuid::from_u128(100 + u128::from(n)))
}

fn add(party: Party, role: Role) -> Change {
    Change::AddMember { party, role, people: Vec::new() }
}

fn remove(party: Party) -> Change {
    Change::RemoveMember { party, held: Vec::new() }
}

#[derive(Clone, Debug)]
enum Step {
    Post {
        by: u8,
        client_id: u8,
    },
    Change {
        by: u8,
        change: Change,
    },
    /// Somebody gives a message another form, knowing of it what Postgres said just now, or a while ago.
    Act {
        by: u8,
        message: u8,
        reads: bool,
    },
    /// Somebody reads a message, to act on it later.
    Read {
        message: u8,
    },
    CommitOldest,
    /// All that waits was fenced: another owner wrote `foreign` rows first.
    Fence {
        foreign: u8,
    },
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Guest), Just(Role::Member), Just(Role::Admin), Just(Role::Owner)]
}

fn change() -> impl Strategy<Value = Change> {
    let party = || (0..PEOPLE).prop_map(person);
    prop_oneof![
        (party(), role()).prop_map(|(party, role)| add(party, role)),
        party().prop_map(remove),
        (party(), role()).prop_map(|(party, role)| Change::SetRole { party, role }),
        "[a-c]{0,2}".prop_map(|name| Change::Describe { name: Some(name), topic: None }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..PEOPLE, 0..6_u8).prop_map(|(by, client_id)| Step::Post { by, client_id }),
        3 => (0..PEOPLE, change()).prop_map(|(by, change)| Step::Change { by, change }),
        3 => (0..PEOPLE, 0..40_u8, any::<bool>()).prop_map(|(by, message, reads)| Step::Act { by, message, reads }),
        2 => (0..40_u8).prop_map(|message| Step::Read { message }),
        4 => Just(Step::CommitOldest),
        1 => (0..3_u8).prop_map(|foreign| Step::Fence { foreign }),
    ]
}

/// What a room is, said as simply as possible: a list of rows, and who is in it after each.
struct Model {
    committed: Vec<Arc<Row>>,
    pending: VecDeque<(u64, Arc<Row>)>,
    limits: Arc<ChatConfig>,
    made: u128,
    /// What was read a while ago.
    read: Option<Target>,
}

/// Gives a message another form, and looks whether it was shown the one that it has.
#[derive(Debug)]
struct Reform {
    /// The form that it has.
    is: Row,
    to: String,
}

#[derive(serde::Serialize)]
struct Reformed {
    message_id: MessageId,
    content: String,
}

impl EventPayload for Reformed {
    const KIND: &'static str = "message.reformed";
}

impl RoomAction for Reform {
    fn kind(&self) -> &'static str {
        Reformed::KIND
    }

    fn target(&self) -> Option<MessageId> {
        Some(MessageId(self.is.id()))
    }

    fn decide(&self, scene: &Scene<'_>) -> Result<Option<EventRow>, ChatError> {
        let (place, message) = scene.message().unwrap();
        assert_eq!(place, &self.is, "it was shown another form");
        let told = Reformed { message_id: message.id, content: self.to.clone() };
        let form = MessageRow { content: self.to.clone(), ..message.clone() };
        Ok(Some(EventRow::new(scene.id, Some(scene.by), &told).making(place, form)))
    }
}

impl Model {
    fn new() -> Self {
        let mut limits = parlance_foundation::testing::defaults::<ChatConfig>("chat");
        (limits.window_events_max, limits.members_max) = (WINDOW, 3);
        Self { committed: Vec::new(), pending: VecDeque::new(), limits: Arc::new(limits), made: 0, read: None }
    }

    fn members(&self, with_pending: bool) -> HashMap<Party, Role> {
        let mut members = HashMap::from([(person(0), Role::Owner), (person(1), Role::Member)]);
        let pending = self.pending.iter().map(|(_, row)| row).filter(|_| with_pending);
        for row in self.committed.iter().chain(pending) {
            match row.change() {
                Some(CoreChange::MemberAdded { party, role, .. } | CoreChange::RoleChanged { party, role, .. }) => {
                    members.insert(*party, *role);
                }
                Some(CoreChange::MemberRemoved { party, .. }) => {
                    members.remove(party);
                }
                Some(CoreChange::Described { .. }) | None => {}
            }
        }
        members
    }

    fn loaded(&self, next_ticket: u64) -> RoomState {
        let first = self.committed.len().saturating_sub(WINDOW);
        let member = |(party, role)| (party, Member::from(role, 0));
        let facts = RoomFacts::of_group(self.members(false).into_iter().map(member).collect());
        let snapshot = Snapshot {
            facts,
            last_event_at: None,
            last_seq: self.committed.len() as i64,
            departures: Vec::new(),
            recent: self.committed[first..].iter().map(|row| self.stored(row)).collect(),
        };
        RoomState::new(snapshot, next_ticket, Arc::clone(&self.limits))
    }

    /// A message in the form that the newest of these gave it.
    fn form<'a>(row: &Arc<Row>, newer: impl DoubleEndedIterator<Item = &'a Arc<Row>>) -> Arc<Row> {
        let touches = newer.rev().filter_map(|row| row.event()?.becomes.as_ref());
        Arc::clone({ touches }.find(|form| form.id() == row.id()).unwrap_or(row))
    }

    /// A committed row as Postgres has it.
    fn stored(&self, row: &Arc<Row>) -> Row {
        let form = Self::form(row, self.committed.iter());
        match &form.body {
            RowBody::Message(_) => Row::clone(&form),
            RowBody::Event(event) => {
                let mut newer = self.committed.iter().skip(row.seq as usize);
                let is_last = event.touches.is_none() || newer.all(|newer| newer.touches() != event.touches);
                let told = if is_last { event.written() } else { event.superseded().unwrap() };
                Row { body: RowBody::Event(told), ..*form }
            }
        }
    }

    /// One of the committed messages, as Postgres has it.
    fn target(&self, message: u8) -> Option<Target> {
        let messages: Vec<_> = self.committed.iter().filter(|row| row.message().is_some()).collect();
        let row = messages.get(usize::from(message) % messages.len().max(1))?;
        Some(Target { row: Arc::new(self.stored(row)), as_of: self.committed.len() as i64 })
    }

    fn next_seq(&self) -> i64 {
        (self.committed.len() + self.pending.len()) as i64 + 1
    }

    fn message(&mut self, sender: Party, client_id: Option<String>) -> MessageRow {
        self.made += 1;
        let (id, kind, content) = (MessageId(Uuid::from_u128(self.made)), "text".into(), "x".into());
        MessageRow {
            id,
            sender: Some(sender),
            client_id,
            kind,
            content,
            parts: None,
            reply_to: None,
            edited_at: None,
            deleted_at: None,
        }
    }

    fn take(&mut self, state: &mut RoomState, body: RowBody) {
        let row = Arc::new(Row { seq: self.next_seq(), at: Default::default(), body });
        assert_eq!(state.taken_seq() + 1, row.seq);
        let ticket = state.take(Arc::clone(&row));
        assert!(self.pending.iter().all(|(other, _)| *other != ticket));
        self.pending.push_back((ticket, row));
    }

    /// The place of an earlier send, as memory should know it.
    fn sent(&self, message: &MessageRow) -> Option<Arc<Row>> {
        let in_memory = self.committed.iter().rev().take(WINDOW);
        in_memory
            .chain(self.pending.iter().map(|(_, row)| row))
            .find(|row| key(row) == key_of(message))
            .map(|row| Self::form(row, self.committed.iter()))
    }
}

fn key_of(message: &MessageRow) -> Option<(Party, &str)> {
    Some((message.sender?, message.client_id.as_deref()?))
}

fn key(row: &Row) -> Option<(Party, &str)> {
    match &row.body {
        RowBody::Message(message) => key_of(message),
        RowBody::Event(_) => None,
    }
}

fn post(model: &mut Model, state: &mut RoomState, by: Party, client_id: u8) {
    let message = model.message(by, Some(client_id.to_string()));
    let is_member = model.members(true).contains_key(&by);
    match state.decide_post(Some(by), message.clone()) {
        Err(error) => assert!(!is_member && error == ChatError::RoomNotFound, "{error}"),
        Ok(decision) => {
            assert!(is_member);
            match (decision, model.sent(&message)) {
                (Decision::Already(row), Some(known)) => assert_eq!(row, known),
                (Decision::Waiting(ticket), Some(known)) => {
                    assert!(model.pending.iter().any(|(other, row)| *other == ticket && *row == known));
                }
                (Decision::Write(body), None) => model.take(state, body),
                (decision, known) => panic!("{decision:?} where the model knows {known:?}"),
            }
        }
    }
}

/// An accepted change obeys the rules, as the issue says them and not as the table does.
fn change_room(model: &mut Model, state: &mut RoomState, by: Party, change: &Change) {
    let before = model.members(true);
    model.made += 1;
    let decision = state.decide_change(
        Uuid::from_u128(model.made),
        &WantedChange { by, right: Right::Own, client_id: None, change: change.clone() },
    );
    let Ok(Decision::Write(body)) = decision else {
        // What is so already is not made so again; a name or topic is not followed here.
        let is_so = match change {
            Change::AddMember { party, .. } => before.contains_key(party),
            Change::RemoveMember { party, .. } => !before.contains_key(party),
            Change::SetRole { party, role } => before.get(party) == Some(role),
            Change::Describe { .. } | Change::MoveMember { .. } => true,
        };
        return assert!(decision.is_err() || is_so, "{change:?} was left");
    };
    let own = before[&by];
    let may_rule = |target: Role| own == Role::Owner || (own == Role::Admin && target < Role::Admin);
    match change {
        Change::AddMember { party, role, .. } => {
            assert!(!before.contains_key(party) && own >= Role::Member && *role <= own && before.len() < 3);
        }
        Change::RemoveMember { party, .. } => assert!(*party == by || may_rule(before[party])),
        Change::SetRole { party, role } => {
            assert!(own >= Role::Admin && *role <= own && (*party == by || may_rule(before[party])));
        }
        Change::Describe { .. } => assert!(own >= Role::Admin),
        Change::MoveMember { .. } => unreachable!("a team's to do"),
    }
    model.take(state, body);
    let after = model.members(true);
    let owners: Vec<_> = after.iter().filter(|(_, role)| **role == Role::Owner).collect();
    assert!(owners.iter().all(|(party, _)| party.user().is_some()), "an agent owns the room");
    assert!(after.keys().all(|party| party.user().is_none()) || !owners.is_empty(), "nobody owns the room");
}

/// Acts on a message of any age, with what was read of it; if the room asks, with what is read now.
fn act(model: &mut Model, state: &mut RoomState, by: Party, message: u8, reads: bool) {
    let Some(now) = model.target(message) else { return };
    model.made += 1;
    let is = Model::form(&now.row, model.pending.iter().map(|(_, row)| row));
    let (id, to) = (Uuid::from_u128(model.made), model.made.to_string());
    let action = Arc::new(Reform { is: Row::clone(&is), to });
    let before = model.read.clone().filter(|read| read.row.id() == now.row.id());
    let target = if reads { Some(now.clone()) } else { before };
    let wanted = WantedAction { by, right: Right::Own, client_id: None, action, target };
    let is_member = model.members(true).contains_key(&by);
    let decide = |wanted: &WantedAction| state.decide_action(id, Default::default(), wanted);
    let decided = match decide(&wanted) {
        Ok(Decision::Needs(needed)) => {
            assert!(!reads && needed.0 == now.row.id(), "it asks for what it was told");
            decide(&WantedAction { target: Some(now), ..wanted })
        }
        decided => decided,
    };
    match decided {
        Err(error) => assert!(!is_member && error == ChatError::RoomNotFound, "{error}"),
        Ok(Decision::Write(body)) => {
            assert!(is_member);
            model.take(state, body);
        }
        Ok(other) => panic!("{other:?}"),
    }
}

fn commit_oldest(model: &mut Model, state: &mut RoomState) {
    let Some((ticket, row)) = model.pending.front().cloned() else { return };
    let is_repeated = key(&row).is_some() && model.committed.iter().any(|other| key(other) == key(&row));
    if is_repeated {
        // Postgres refuses it: it had left memory. What was behind it is fenced.
        model.pending.clear();
        *state = model.loaded(state.next_ticket());
        return;
    }
    assert!(state.commit(ticket + 1).is_none(), "out of order");
    let entry = state.commit(ticket).unwrap();
    assert_eq!(entry.row, row);
    model.pending.pop_front();
    model.committed.push(row);
}

fn check(model: &Model, state: &RoomState) {
    let committed = model.committed.len() as i64;
    assert_eq!((state.committed_seq(), state.pending_len()), (committed, model.pending.len()));
    assert_eq!(state.taken_seq(), committed + model.pending.len() as i64);
    assert!(model.committed.iter().map(|row| row.seq).eq(1..=committed));
    let keys: Vec<_> = model.committed.iter().filter_map(|row| key(row)).collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "a client id twice");
    // Whoever may read gets what memory has, without a hole; whoever may not learns nothing.
    let members = model.members(false);
    for user in (0..PEOPLE).map(person) {
        for after in 0..=committed {
            match state.catch_up(user, after, 100) {
                Err(error) => assert!(!members.contains_key(&user) && error == ChatError::RoomNotFound),
                Ok(None) => assert!(committed - after > WINDOW as i64),
                Ok(Some(page)) => {
                    assert!(members.contains_key(&user));
                    let rows = model.committed.iter().skip(after as usize).map(|row| model.stored(row));
                    let frames: Vec<_> = rows.map(|row| wire::frame(state.id, &row)).collect();
                    assert_eq!((page.frames, page.more), (frames, false), "not as Postgres would tell it");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_room_keeps_its_promises_under_any_commands_commits_and_fences(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut model = Model::new();
        let mut state = model.loaded(0);
        for step in steps {
            match step {
                Step::Post { by, client_id } => post(&mut model, &mut state, person(by), client_id),
                Step::Change { by, change } => change_room(&mut model, &mut state, person(by), &change),
                Step::Act { by, message, reads } => act(&mut model, &mut state, person(by), message, reads),
                Step::Read { message } => model.read = model.target(message),
                Step::CommitOldest => commit_oldest(&mut model, &mut state),
                Step::Fence { foreign } => {
                    model.pending.clear();
                    for _ in 0..foreign {
                        let body = RowBody::Message(model.message(person(0), None));
                        model.committed.push(Arc::new(Row { seq: model.next_seq(), at: Default::default(), body }));
                    }
                    state = model.loaded(state.next_ticket());
                }
            }
            check(&model, &state);
        }
    }
}

#[test]
fn reading_follows_what_was_committed() {
    let mut model = Model::new();
    let mut state = model.loaded(0);
    let [ada, ben, eve] = [person(0), person(1), person(2)];
    let add = add(eve, Role::Member);
    change_room(&mut model, &mut state, ada, &remove(ben));
    change_room(&mut model, &mut state, ada, &add);
    // Both may still come to nothing.
    assert!(state.catch_up(ben, 0, 10).is_ok());
    assert_eq!(state.catch_up(eve, 0, 10), Err(ChatError::RoomNotFound));
    commit_oldest(&mut model, &mut state);
    commit_oldest(&mut model, &mut state);
    assert_eq!(state.catch_up(ben, 0, 10), Err(ChatError::RoomNotFound));
    assert!(state.catch_up(eve, 0, 10).is_ok());
}

#[test]
fn read_marks_outlive_a_load_that_came_before_their_commit() {
    let mut model = Model::new();
    let mut state = model.loaded(0);
    for client_id in 0..3 {
        post(&mut model, &mut state, person(0), client_id);
        commit_oldest(&mut model, &mut state);
    }
    state.mark(person(1), Some(3), Some(2)).unwrap();
    let mut loaded = model.loaded(state.next_ticket());
    loaded.raise(&state.facts().marks());
    assert_eq!(loaded.mark(person(1), Some(2), Some(1)), Ok(None), "a mark fell");
}
