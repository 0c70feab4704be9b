//! What became of writes: shown and acknowledged, or settled and loaded anew.

use super::*;
use crate::rooms::action::may_be;

impl RoomLife {
    /// What became of writes, in their order.
    pub fn settle(&mut self, outcomes: Vec<(u64, Outcome)>) {
        let mut shown: Vec<Entry> = Vec::new();
        let mut answers: Vec<(Waiting, Arc<Row>)> = Vec::new();
        for (ticket, outcome) in outcomes {
            let Some(waiting) = self.waiting.remove(&ticket) else { continue };
            if let (Phase::Ready(state), Outcome::Committed) = (&mut self.phase, &outcome) {
                let row = Arc::clone(&waiting.row);
                if let Some(message) = row.touches() {
                    self.repeated.retain(|known| known.id() != message.0);
                }
                shown.extend(state.commit(ticket));
                answers.push((waiting, row));
                continue;
            }
            self.show(std::mem::take(&mut shown));
            self.answer(std::mem::take(&mut answers));
            self.begin_settling();
            let result = match outcome {
                // Committed after a write whose fate was unknown: the load that follows shows both.
                Outcome::Committed => Ok(Posted { row: Arc::clone(&waiting.row), repeated: false }),
                Outcome::Duplicate(first) => {
                    self.repeated.truncate(REPEATED_MAX - 1);
                    self.repeated.push_front(Arc::clone(&first.row));
                    match &waiting.asked {
                        Asked::Change(wanted) if !wanted.change.may_be(&first.row) => Err(ChatError::KeyReused),
                        Asked::Action(wanted) if !may_be(wanted.action.as_ref(), &first.row) => {
                            Err(ChatError::KeyReused)
                        }
                        Asked::Change(_) | Asked::Action(_) | Asked::Nothing => {
                            Ok(Posted { row: first.row, repeated: true })
                        }
                    }
                }
                Outcome::Unavailable => Err(ChatError::Unavailable),
                Outcome::OutOfSpace => Err(ChatError::UserNotFound("they are not in the channel's space".into())),
                Outcome::Refused => Err(ChatError::Refused),
                Outcome::Fenced => {
                    if let Phase::Settling { redo, .. } = &mut self.phase {
                        redo.push(Redo { row: waiting.row, asked: waiting.asked, replies: waiting.replies });
                    }
                    continue;
                }
            };
            answer_each(waiting.replies, &result);
        }
        self.show(shown);
        self.answer(answers);
        self.finish_settling();
    }

    /// Loads the room anew when members came or went by another hand. That somebody went may have been told by nobody: it
    /// was closed, or read after that.
    pub(super) fn compare(&mut self, command: CompareMembers) {
        let Phase::Ready(state) = &self.phase else { return };
        let CompareMembers { parties, are_members, reply } = command;
        reply.send(Ok(()));
        // What the room itself does is in its state before it is in Postgres.
        if parties.iter().any(|party| state.facts().is_member(*party) != are_members) {
            tracing::info!(room_id = %self.id, "its members were changed elsewhere; loading it anew");
            self.begin_settling();
            return self.finish_settling();
        }
        if are_members {
            return;
        }
        let last_seq = state.committed_seq();
        // Whoever is departing hears so with the event.
        let is_gone = |user: &UserId| {
            !state.is_departing(*user)
                && self.departures.iter().all(|departure| departure.user_id != *user)
                && self.around.card.read(|card| !card.facts().is_member(Party::User(*user))) == Some(true)
        };
        let gone: Vec<UserId> = parties.into_iter().filter_map(Party::user).filter(is_gone).collect();
        if !gone.is_empty() {
            self.deliver(last_seq + 1, Vec::new(), Vec::new(), gone);
        }
    }

    fn begin_settling(&mut self) {
        let unloaded = Phase::Unloaded { next_ticket: 0 };
        self.phase = match std::mem::replace(&mut self.phase, unloaded) {
            Phase::Ready(state) => Phase::Settling { state, parked: VecDeque::new(), redo: Vec::new() },
            other => other,
        };
    }

    fn finish_settling(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        if let Phase::Settling { state, parked, redo } = &mut self.phase {
            let next_ticket = state.next_ticket();
            let (parked, redo) = (std::mem::take(parked), std::mem::take(redo));
            self.phase = Phase::Loading { parked, redo, next_ticket };
            self.load();
        }
    }
}
