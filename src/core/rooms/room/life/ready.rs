//! A room that was read becomes ready: who may have missed something is told, and what waited is decided.

use super::show::Untold;
use super::*;

impl RoomLife {
    pub(super) fn load(&mut self) {
        self.wishes.push(Wish::Load(self.undecided_sends()));
    }

    /// The load that was wished for: the room and the earlier sends, `None` when there is no such room.
    pub fn loaded(&mut self, loaded: Result<Option<(Snapshot, Vec<Row>)>, ChatError>) {
        match loaded {
            Ok(Some((snapshot, sent))) => self.become_ready(snapshot, sent),
            Ok(None) => {
                // It owes nobody news any more, and nobody is to be greeted with it.
                self.around.latest.store(NOT_LOADED, Ordering::Release);
                self.around.card.clear();
                self.fail_parked(ChatError::RoomNotFound);
                self.wishes.push(Wish::Release);
            }
            Err(error) => {
                self.fail_parked(error);
                // Also without a command: listeners may have missed what an outage left committed but untold.
                self.wishes.push(Wish::LoadAgain);
            }
        }
    }

    /// Loads the room unless that has happened meanwhile.
    pub fn load_again(&mut self) {
        if let Phase::Unloaded { next_ticket } = self.phase {
            self.phase = Phase::Loading { parked: VecDeque::new(), redo: Vec::new(), next_ticket };
            self.load();
        }
    }

    /// The sends that wait for the room to be ready, by sender and client id.
    fn undecided_sends(&self) -> Vec<(Option<Party>, String)> {
        let Phase::Loading { parked, redo, .. } = &self.phase else { return Vec::new() };
        let parked = parked.iter().filter_map(|command| match command {
            Command::Post(post) => Some((post.message.sender, post.message.client_id.as_deref()?)),
            Command::Change(change) => Some((Some(change.wanted.by), change.wanted.client_id.as_deref()?)),
            Command::Act(act) => Some((Some(act.wanted.by), act.wanted.client_id.as_deref()?)),
            Command::CatchUp(_) | Command::Mark(_) | Command::Compare(_) => None,
        });
        let redone = redo.iter().filter_map(|redo| redo.row.client_key());
        parked.chain(redone).map(|(by, client_id)| (by, client_id.to_owned())).collect()
    }

    fn become_ready(&mut self, snapshot: Snapshot, sent: Vec<Row>) {
        let unloaded = Phase::Unloaded { next_ticket: 0 };
        let (parked, redo, next_ticket) = match std::mem::replace(&mut self.phase, unloaded) {
            Phase::Loading { parked, redo, next_ticket } => (parked, redo, next_ticket),
            other => {
                self.phase = other;
                return;
            }
        };
        let last_seq = snapshot.last_seq;
        let untold = self.untold(&snapshot);
        self.departures = snapshot.departures.iter().copied().collect();
        // Some may not have reached Postgres, or never will, if the life before crashed or the persister did. The state
        // before does not know those of who was just leaving it.
        let marks = self.around.card.read(|card| card.facts().marks()).unwrap_or_default();
        let mut card = Card::of(&snapshot);
        marks.iter().for_each(|mark| card.mark(mark));
        self.around.card.replace(card);
        let mut state = RoomState::new(snapshot, next_ticket, Arc::clone(&self.around.config));
        // What waits to be decided goes before what was merely known once.
        let room_for = (self.around.config.room_pending_max * 2).saturating_sub(sent.len());
        state.recall(sent.into_iter().map(Arc::new).chain(self.repeated.iter().take(room_for).cloned()));
        let unwritten = state.raise(&marks);
        self.phase = Phase::Ready(Box::new(state));
        unwritten.into_iter().for_each(|mark| self.tell_soon(mark));
        self.around.latest.store(last_seq, Ordering::Release);
        self.forget_rosters(&untold.changes);
        // Whoever follows this room may have missed what was committed while nobody was there to tell.
        self.catch_listeners_up(untold, last_seq);
        let departures: Vec<uuid::Uuid> = self.departures.iter().map(|departure| departure.id).collect();
        self.depart();
        // Of those that were not committed, the row that has them told is still there.
        for change in redo.into_iter().filter(|change| !departures.contains(&change.row.id())) {
            self.decide_again(change);
        }
        for command in parked {
            self.obey(command);
        }
    }

    /// What this room, or its life before a crash, had not shown.
    fn untold(&self, snapshot: &Snapshot) -> Untold {
        let shown_seq = self.around.latest.load(Ordering::Acquire);
        if shown_seq == NOT_LOADED {
            return Untold::default();
        }
        let changes =
            snapshot.recent.iter().filter(|row| row.seq > shown_seq).filter_map(Row::change).cloned().collect();
        // Those who are departing hear so with the event.
        let stays = |user: &UserId| snapshot.departures.iter().all(|departure| departure.user_id != *user);
        let members = self.around.card.read(|card| card.facts().people().filter(stays).collect());
        Untold { changes, members }
    }

    fn fail_parked(&mut self, error: ChatError) {
        if let Phase::Loading { parked, redo, next_ticket } = &mut self.phase {
            let next_ticket = *next_ticket;
            let (parked, redo) = (std::mem::take(parked), std::mem::take(redo));
            self.phase = Phase::Unloaded { next_ticket };
            for answer in redo.into_iter().flat_map(|change| change.replies) {
                answer.send(Err(error.clone()));
            }
            for command in parked {
                command.fail(error.clone());
            }
        }
    }

    /// A fenced change, decided anew on the state as it is now. An earlier try of it may have been committed late.
    fn decide_again(&mut self, change: Redo) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let Redo { row, asked, replies } = change;
        let at = self.around.clock.now();
        let decided = match (state.recent(row.id()), &row.body, &asked) {
            (Some(row), _, _) => Ok(Decision::Already(row)),
            (None, RowBody::Message(message), _) => state.decide_post(message.sender, message.clone()),
            (None, RowBody::Event(event), Asked::Change(wanted)) => state.decide_change(event.id, wanted),
            (None, RowBody::Event(event), Asked::Action(wanted)) => state.decide_action(event.id, at, wanted),
            // Postgres has the departure until it is told.
            (None, RowBody::Event(_), Asked::Nothing) => Err(ChatError::Restarted),
        };
        let failed = match decided {
            Ok(Decision::Write(body)) => {
                self.write_at(at, body, asked, replies);
                return;
            }
            // What it was decided on is in memory no more. Asked again, it is looked up anew.
            Ok(Decision::Needs(_)) => Err(ChatError::Restarted),
            Ok(Decision::Settled(role)) => return replies.into_iter().for_each(|answer| answer.settle(role)),
            Ok(Decision::Already(row)) => Ok(Posted { row, repeated: true }),
            Ok(Decision::Waiting(ticket)) => match self.waiting.get_mut(&ticket) {
                Some(waiting) => return waiting.replies.extend(replies),
                None => Err(ChatError::Restarted),
            },
            Err(error) => Err(error),
        };
        for answer in replies {
            answer.send(failed.clone());
        }
    }
}
