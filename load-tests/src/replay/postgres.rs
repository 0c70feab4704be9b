//! A model of the Postgres that the engine leans on: the fence, the unique keys, atomic commits. And the truth that
//! everything seen is held against.
//!
//! Invariants checked here: a room's rows are 1..N without a hole, and one `(author, client_id)` is one row.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytestring::ByteString;
use parlance::ids::{MessageId, RoomId, TeamId, UserId};
use parlance::order::Page;
use parlance::order::{CoreChange, MessageRow, Row, RowBody, Watermark};
use parlance::party::Party;
use parlance::persistence::FirstResult;
use parlance::persistence::batch::{Batch, Run};
use parlance::rooms::error::ChatError;
use parlance::rooms::permissions::{Role, RoomKind};
use parlance::rooms::{Departure, Member, RoomFacts, Snapshot, Target};
use uuid::Uuid;

use super::changes::MemberChange;
use super::check::{Failure, Invariant};
use super::forms::{Adrift, Told};
use super::persister::Beliefs;
use super::plan::Broken;
use super::{room_id, room_index};

/// One flush as it reaches Postgres; a copy, because a lost one may arrive later.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    pub runs: Vec<Run>,
    pub rows: Vec<(RoomId, Arc<Row>)>,
    pub marks: Vec<(RoomId, Watermark)>,
    pub beliefs: Beliefs,
}

impl Statement {
    pub fn of(batch: &Batch, beliefs: &Beliefs) -> Self {
        let rows = batch.writes.iter().flat_map(|write| write.rows.iter().map(|row| (write.room_id, Arc::clone(row))));
        Self { runs: batch.runs(), rows: rows.collect(), marks: batch.watermarks.clone(), beliefs: beliefs.clone() }
    }
}

/// Postgres refuses the statement: a unique key is taken. Nothing was changed.
#[derive(Debug)]
pub struct Refused;

/// One room's tables.
pub struct Table {
    pub name: Option<String>,
    pub topic: Option<String>,
    pub members: BTreeMap<Party, Member>,
    /// The team with which somebody is here.
    pub via: BTreeMap<Party, TeamId>,
    /// Of whom the order is yet to tell that they are out.
    pub departures: Vec<Departure>,
    pub rows: Vec<Arc<Row>>,
    /// Each row as members are told of it.
    pub frames: Vec<ByteString>,
    /// The same with all that it was before.
    pub told: Told,
    /// Rows that were decided on others which never came to stand before them, and the messages that such changed.
    pub adrift: Adrift,
    pub sent: HashMap<Key, i64>,
    /// For each user, the spans of seqs during which they were a member.
    stays: HashMap<Party, Vec<(i64, Option<i64>)>>,
    pub founders: Vec<(UserId, Role)>,
}

/// See the module.
pub struct Postgres {
    pub rooms: Vec<Table>,
    pub is_away: bool,
    /// Statements whose connection was given up while they ran.
    pub late: VecDeque<Statement>,
    /// What it has told engines, from the beginning.
    pub changes: Vec<MemberChange>,
    pub broken: Option<Broken>,
    pub failures: Vec<Failure>,
}

impl Table {
    pub fn new(founders: Vec<(UserId, Role)>) -> Self {
        let mut table = Self {
            name: None,
            topic: None,
            members: BTreeMap::new(),
            via: BTreeMap::new(),
            departures: Vec::new(),
            rows: Vec::new(),
            frames: Vec::new(),
            told: Told::default(),
            adrift: Adrift::default(),
            sent: HashMap::new(),
            stays: HashMap::new(),
            founders: founders.clone(),
        };
        for (user, role) in founders {
            table.add(user.into(), role, 0);
        }
        table
    }

    pub fn last_seq(&self) -> i64 {
        self.rows.len() as i64
    }

    /// Whether `user` may have been told of row `seq` by now: they were a member just before it or at any time since.
    pub fn may_see(&self, user: UserId, seq: i64) -> bool {
        let stays = self.stays.get(&Party::User(user)).map(Vec::as_slice).unwrap_or_default();
        stays.iter().any(|(_, left)| left.is_none_or(|left| left >= seq))
    }

    /// Where the room is, for a member.
    pub fn seen_by(&self, user: UserId) -> Option<i64> {
        self.members.contains_key(&Party::User(user)).then(|| self.last_seq())
    }

    pub fn row(&self, seq: i64) -> Option<&Arc<Row>> {
        self.rows.get(usize::try_from(seq - 1).ok()?)
    }

    pub fn row_with(&self, id: uuid::Uuid) -> Option<&Arc<Row>> {
        self.rows.iter().find(|row| row.id() == id)
    }

    pub fn message(&self, id: MessageId) -> Option<&MessageRow> {
        self.row_with(id.0)?.message()
    }

    fn add(&mut self, party: Party, role: Role, seq: i64) {
        self.members.insert(party, Member::from(role, seq));
        self.stays.entry(party).or_default().push((seq, None));
    }

    fn becomes(&mut self, party: Party, role: Role, via: Option<TeamId>) {
        if let Some(member) = self.members.get_mut(&party) {
            member.role = role;
            self.is_with(party, via);
        }
    }

    fn is_with(&mut self, party: Party, via: Option<TeamId>) {
        match via.filter(|_| party.user().is_some()) {
            Some(team) => drop(self.via.insert(party, team)),
            None => drop(self.via.remove(&party)),
        }
    }

    pub fn apply(&mut self, seq: i64, change: &CoreChange) {
        match change {
            CoreChange::MemberAdded { party: added, role, .. } => {
                for party in change.parties() {
                    if !self.members.contains_key(&party) {
                        self.add(party, *role, seq);
                        self.is_with(party, added.team());
                    }
                }
            }
            CoreChange::MemberRemoved { stay, .. } => {
                for party in change.parties() {
                    self.members.remove(&party);
                    self.via.remove(&party);
                    self.departures.retain(|departure| Party::User(departure.user_id) != party);
                    if let Some(stay) = self.stays.get_mut(&party).and_then(|stays| stays.last_mut()) {
                        stay.1 = Some(seq);
                    }
                }
                for stays in stay {
                    self.becomes(stays.user.into(), stays.role, Some(stays.via));
                }
            }
            CoreChange::RoleChanged { party: changed, role, via, .. } => {
                for party in change.parties() {
                    self.becomes(party, *role, changed.team().or(*via));
                }
            }
            CoreChange::Described { name, topic } => (self.name, self.topic) = (name.clone(), topic.clone()),
        }
    }
}

impl Postgres {
    pub fn new(rooms: Vec<Table>, broken: Option<Broken>) -> Self {
        Self { rooms, is_away: false, late: VecDeque::new(), changes: Vec::new(), broken, failures: Vec::new() }
    }

    pub fn table(&self, room: RoomId) -> &Table {
        &self.rooms[room_index(room)]
    }

    /// Commits a statement and returns the rooms whose fence held.
    pub fn commit(&mut self, statement: &Statement) -> Result<HashSet<RoomId>, Refused> {
        let is_unfenced = self.broken == Some(Broken::ForgetTheFence);
        let holds = |run: &&Run| is_unfenced || self.table(run.room_id).last_seq() == run.from_seq;
        let held: HashSet<RoomId> = statement.runs.iter().filter(holds).map(|run| run.room_id).collect();
        let rows: Vec<_> = statement.rows.iter().filter(|(room, _)| held.contains(room)).collect();
        if self.broken != Some(Broken::ForgetClientIds) && rows.iter().any(|(room, row)| self.is_taken(*room, row)) {
            return Err(Refused);
        }
        for (room, row) in rows {
            self.insert(*room, row, statement.beliefs.get(&row.id()).copied());
        }
        for (room, mark) in &statement.marks {
            if let Some(member) = self.rooms[room_index(*room)].members.get_mut(&mark.party) {
                member.raise(mark);
            }
        }
        Ok(held)
    }

    fn is_taken(&self, room: RoomId, row: &Row) -> bool {
        let table = self.table(room);
        match &row.body {
            _ if table.row_with(row.id()).is_some() => true,
            _ if key(row).is_some_and(|key| table.sent.contains_key(&key)) => true,
            RowBody::Message(_) => false,
            RowBody::Event(event) => {
                // A team that gets more people has been there before.
                let is_one_more = |party: &Party| party.team().is_none() && table.members.contains_key(party);
                let change = event.change.as_ref().filter(|change| matches!(change, CoreChange::MemberAdded { .. }));
                change.is_some_and(|change| change.parties().any(|party| is_one_more(&party)))
            }
        }
    }

    fn insert(&mut self, room: RoomId, row: &Arc<Row>, believed: Option<Uuid>) {
        let table = &mut self.rooms[room_index(room)];
        table.look_for_drift(row, believed);
        let place = table.last_seq() + 1;
        if row.seq != place {
            let detail = format!("a row of room {} says seq {} at place {place}", room_index(room), row.seq);
            self.failures.push(Failure::new(Invariant::NoHoles, detail));
        }
        if let Some(key) = key(row)
            && let Some(first) = table.sent.insert(key.clone(), place)
        {
            let detail = format!("client id {:?} is at {first} and {place}", key.1);
            self.failures.push(Failure::new(Invariant::OnceAClientId, detail));
        }
        if let Some(event) = row.event() {
            if table.row_with(event.id).is_some() {
                let detail = format!("{} was written again at {place}", event.kind);
                self.failures.push(Failure::new(Invariant::OnceAChange, detail));
            }
            if let Some(change) = &event.change {
                table.apply(place, change);
                self.changes.extend(MemberChange::of(room_index(room), change));
            }
        }
        self.failures.extend(table.write(room, row, self.broken));
    }

    /// What the trigger of `migrations/*_spaces_departures.sql` does; whether they were in the room.
    pub fn depart(&mut self, room: usize, user_id: UserId, number: u64) -> bool {
        let table = &mut self.rooms[room];
        table.via.remove(&Party::User(user_id));
        if table.members.remove(&Party::User(user_id)).is_none() {
            return false;
        }
        let id = Uuid::from_u128((1 << 100) + u128::from(number));
        table.departures.push(Departure { id, user_id, by: user_id, at: Default::default() });
        self.changes.push(MemberChange::departed(room, user_id));
        true
    }

    /// Of these runs, those that an earlier try of the same committed.
    pub fn recognise(&self, statement: &Statement, held: &HashSet<RoomId>) -> HashSet<RoomId> {
        let is_ours = |run: &&Run| {
            let last = statement.rows.iter().rev().find(|(room, _)| *room == run.room_id);
            last.is_some_and(|(_, last)| {
                self.table(run.room_id).row(run.to_seq).is_some_and(|row| row.id() == last.id())
            })
        };
        statement
            .runs
            .iter()
            .filter(|run| !held.contains(&run.room_id))
            .filter(is_ours)
            .map(|run| run.room_id)
            .collect()
    }

    pub fn first_result(&self, room: RoomId, row: &Row) -> Option<FirstResult> {
        let table = self.table(room);
        let first = key(row).and_then(|key| table.row(*table.sent.get(&key)?));
        first.or_else(|| table.row_with(row.id())).map(|row| FirstResult { row: Arc::clone(row) })
    }

    pub fn rooms_of(&self, user: UserId) -> Vec<usize> {
        self.rooms
            .iter()
            .enumerate()
            .filter(|(_, table)| table.members.contains_key(&Party::User(user)))
            .map(|(room, _)| room)
            .collect()
    }

    /// What `load_room` reads, in one snapshot.
    pub fn snapshot(&self, room: usize, window_events: usize) -> Snapshot {
        let table = &self.rooms[room];
        let first = table.rows.len().saturating_sub(window_events);
        let facts = RoomFacts {
            id: room_id(room),
            kind: RoomKind::Group,
            name: table.name.clone(),
            topic: table.topic.clone(),
            space_id: None,
            created_at: Default::default(),
            pair: None,
            members: table.members.iter().map(|(party, one)| (*party, *one, table.via.get(party).copied())).collect(),
        };
        Snapshot {
            facts,
            last_event_at: None,
            last_seq: table.last_seq(),
            departures: table.departures.clone(),
            recent: table.rows[first..].iter().map(|row| Row::clone(row)).collect(),
        }
    }

    /// What `sent_before` reads.
    pub fn sent_before(&self, room: usize, sends: &[Key]) -> Vec<Row> {
        let table = &self.rooms[room];
        let found = sends.iter().filter_map(|key| table.row(*table.sent.get(key)?));
        found.map(|row| Row::clone(row)).collect()
    }

    /// What `target` reads.
    pub fn target(&self, room: usize, message: MessageId) -> Option<Target> {
        let table = &self.rooms[room];
        Some(Target { row: Arc::clone(table.row_with(message.0)?), as_of: table.last_seq() })
    }

    /// What `events_after` reads for a user.
    pub fn events_after(
        &self,
        user: UserId,
        room: usize,
        after: i64,
        items_max: usize,
        bytes_max: usize,
    ) -> Result<Page, ChatError> {
        let table = &self.rooms[room];
        if !table.members.contains_key(&Party::User(user)) {
            return Err(ChatError::RoomNotFound);
        }
        if after > table.last_seq() {
            return Err(ChatError::Ahead { after, last_seq: table.last_seq() });
        }
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for frame in table.frames.iter().skip(usize::try_from(after).unwrap_or(0)).take(items_max) {
            bytes += frame.len();
            if bytes > bytes_max && !frames.is_empty() {
                break;
            }
            frames.push(frame.clone());
        }
        let next_after = after + frames.len() as i64;
        let last_seq = table.last_seq().max(next_after);
        let more = !frames.is_empty() && next_after < last_seq;
        Ok(Page { frames, next_after, last_seq, more })
    }
}

/// Whose a message or a change is, with their own id for it. Devices give no two things one id.
pub type Key = (Option<Party>, String);

pub fn key(row: &Row) -> Option<Key> {
    let (author, client_id) = row.client_key()?;
    Some((author, client_id.to_owned()))
}
