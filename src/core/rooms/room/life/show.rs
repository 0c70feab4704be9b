//! Telling: committed rows to everyone who listens, results to whoever asked.

use std::collections::BTreeSet;

use super::*;

impl RoomLife {
    /// Shows committed rows to everyone who listens. A delivery ends with each coming or going, so that nobody hears
    /// what was said before they came or after they left.
    pub(super) fn show(&self, entries: Vec<Entry>) {
        let Phase::Ready(state) = &self.phase else { return };
        if entries.is_empty() {
            return;
        }
        self.around.card.update(|card| entries.iter().for_each(|entry| card.show(&entry.row)));
        self.around.latest.store(state.committed_seq(), Ordering::Release);
        let (mut first_seq, mut frames) = (0, Vec::new());
        for entry in entries {
            if frames.is_empty() {
                first_seq = entry.row.seq;
            }
            frames.push(entry.frame);
            self.forget_rosters(entry.row.change());
            let (joined, left) = self.coming_or_going(&entry.row);
            if !joined.is_empty() || !left.is_empty() {
                self.deliver(first_seq, std::mem::take(&mut frames), joined, left);
            }
        }
        if !frames.is_empty() {
            self.deliver(first_seq, frames, Vec::new(), Vec::new());
        }
    }

    /// Before those who came or went hear of it: a hello that follows reads which rooms they are in.
    pub(super) fn forget_rosters<'a>(&self, changes: impl IntoIterator<Item = &'a CoreChange>) {
        self.around.memory.moved(changes.into_iter().flat_map(|change| change.joining().chain(change.leaving())));
    }

    /// Who came with this row, with the frame that tells them, or who went: by the row alone. What was taken after it
    /// may never be committed.
    fn coming_or_going(&self, row: &Row) -> (Vec<(UserId, ByteString)>, Vec<UserId>) {
        let Some(change) = row.change() else { return (Vec::new(), Vec::new()) };
        let CoreChange::MemberAdded { role, .. } = change else { return (Vec::new(), change.leaving().collect()) };
        let member = Member::from(*role, row.seq);
        let Some(summary) = self.around.card.read(|card| card.summary_of(member)) else {
            return (Vec::new(), Vec::new());
        };
        let room = wire::RoomSummary { last_seq: row.seq, last_message_at: Some(row.at), ..summary };
        // One frame for all who come with a team.
        let frame = wire::encode(&wire::RoomJoined { room });
        (change.joining().map(|user| (user, frame.clone())).collect(), Vec::new())
    }

    /// Tells listeners of a room that was read of what they may have missed: that there is more, and who came or went.
    pub(super) fn catch_listeners_up(&self, untold: Untold, last_seq: i64) {
        let Phase::Ready(state) = &self.phase else { return };
        let (came, left) = untold.moves(state);
        // Not those who are gone again already.
        let tell = |user| {
            let seen = self.around.card.read(|card| card.seen_by(user))??;
            Some((user, wire::encode(&wire::RoomJoined { room: seen.summary })))
        };
        let joined: Vec<_> = came.into_iter().filter_map(tell).collect();
        // First who went: one who came back follows from here, not from where they were.
        self.deliver(last_seq + 1, Vec::new(), Vec::new(), left.into_iter().collect());
        if !joined.is_empty() {
            self.deliver(last_seq + 1, Vec::new(), joined, Vec::new());
        }
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
        let delivery = Delivery { order: self.id.into(), first_seq, frames: frames.into(), joined, left };
        self.around.audience.deliver(delivery);
    }
}

/// What a room that was loaded anew has not told its listeners yet.
#[derive(Default)]
pub(super) struct Untold {
    /// Its newest changes, oldest first.
    pub changes: Vec<CoreChange>,
    /// The people in it as it was last shown. Who came or went since by another hand than a room's, or before all of those
    /// changes, is known by this alone.
    pub members: Option<Vec<UserId>>,
}

impl Untold {
    /// Who came and who left, each once; perhaps both, in either order.
    fn moves(self, state: &RoomState) -> (BTreeSet<UserId>, BTreeSet<UserId>) {
        let (mut came, mut left) = (BTreeSet::new(), BTreeSet::new());
        for change in self.changes {
            came.extend(change.joining());
            left.extend(change.leaving());
        }
        if let Some(members) = self.members {
            let (before, now): (BTreeSet<_>, BTreeSet<_>) =
                (members.into_iter().collect(), state.facts().people().collect());
            came.extend(&now - &before);
            left.extend(&before - &now);
        }
        (came, left)
    }
}
