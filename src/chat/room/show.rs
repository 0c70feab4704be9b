//! Telling: committed rows to everyone who listens, results to whoever asked.

use super::*;

impl Room {
    /// Shows committed rows to everyone who listens. A delivery ends with each coming or going, so that nobody hears
    /// what was said before they came or after they left.
    pub(super) fn show(&self, entries: Vec<Entry>) {
        let Phase::Ready(state) = &self.phase else { return };
        if entries.is_empty() {
            return;
        }
        self.card.update(|card| entries.iter().for_each(|entry| card.show(&entry.row)));
        self.latest.store(state.committed_seq(), Ordering::Release);
        let (mut first_seq, mut frames) = (0, Vec::new());
        for entry in entries {
            if frames.is_empty() {
                first_seq = entry.row.seq;
            }
            frames.push(entry.frame);
            let events: Vec<EventRow> = event_of(&entry.row).cloned().into_iter().collect();
            self.forget_rosters(&events);
            let (joined, left) = self.comings_and_goings(&events, entry.row.seq);
            if !joined.is_empty() || !left.is_empty() {
                self.deliver(first_seq, std::mem::take(&mut frames), joined, left);
            }
        }
        if !frames.is_empty() {
            self.deliver(first_seq, frames, Vec::new(), Vec::new());
        }
    }

    /// Before those who came or went hear of it: a hello that follows reads which rooms they are in.
    pub(super) fn forget_rosters(&self, events: &[EventRow]) {
        self.parts.memory.moved(events.iter().filter_map(|event| match &event.effect {
            SideEffect::AddMember { user_id, .. } | SideEffect::RemoveMember { user_id } => Some(*user_id),
            SideEffect::SetRole { .. } | SideEffect::Describe { .. } => None,
        }));
    }

    /// Who came, each with the frame that tells them, and who went.
    pub(super) fn comings_and_goings(
        &self,
        events: &[EventRow],
        last_seq: i64,
    ) -> (Vec<(UserId, ByteString)>, Vec<UserId>) {
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        let Phase::Ready(state) = &self.phase else { return (joined, left) };
        for event in events {
            match &event.effect {
                SideEffect::AddMember { user_id, .. } => {
                    // Gone again already, when later changes were taken meanwhile.
                    if let Some(room) = state.summary_for(*user_id) {
                        let room = wire::RoomSummary { last_seq, ..room };
                        joined.push((*user_id, wire::encode(&wire::RoomJoined { room })));
                    }
                }
                SideEffect::RemoveMember { user_id } if state.is_member(*user_id) => {}
                SideEffect::RemoveMember { user_id } => left.push(*user_id),
                SideEffect::SetRole { .. } | SideEffect::Describe { .. } => {}
            }
        }
        (joined, left)
    }

    pub(super) fn answer(&self, answers: Vec<(Waiting, Arc<Row>)>) {
        for (waiting, row) in answers {
            self.post_seconds.record(waiting.since.elapsed().as_secs_f64());
            answer_each(waiting.replies, &Ok(Posted { row, repeated: false }));
        }
    }

    pub(super) fn deliver(
        &self,
        first_seq: i64,
        frames: Vec<ByteString>,
        joined: Vec<(UserId, ByteString)>,
        left: Vec<UserId>,
    ) {
        let delivery = Delivery { room_id: self.id, first_seq, frames: frames.into(), joined, left };
        self.parts.audience.deliver(delivery);
    }
}

pub(super) fn event_of(row: &Row) -> Option<&EventRow> {
    match &row.body {
        RowBody::Event(event) => Some(event),
        RowBody::Message(_) => None,
    }
}
