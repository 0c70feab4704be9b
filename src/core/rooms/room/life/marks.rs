//! Read marks: raised at once, written and announced together every so often.

use super::*;
use crate::publish::{Class, Frame, Key, Publication, Topic};

impl RoomLife {
    pub(super) fn mark(&mut self, command: MarkReceipt) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let marked = state.mark(command.by, command.delivered_seq, command.read_seq);
        if let Ok(Some(mark)) = &marked {
            self.tell_soon(*mark);
            self.around.card.update(|card| card.mark(mark));
        }
        command.reply.send(marked);
    }

    /// Has it written and announced with the next.
    pub(super) fn tell_soon(&mut self, mark: Watermark) {
        if self.marks.is_empty() {
            self.wishes.push(Wish::FlushMarks);
        }
        self.marks.insert(mark.party, mark);
    }

    /// Writes and announces the read marks of the last moments.
    pub fn flush_marks(&mut self) {
        let marks: Vec<Watermark> = std::mem::take(&mut self.marks).into_values().collect();
        if marks.is_empty() {
            return;
        }
        let receipt = |mark: &Watermark| Frame {
            // How far somebody is replaces how far they were.
            class: Class::Receipt(Key::in_room(self.id, mark.party)),
            text: wire::encode(&wire::ReceiptUpdated::new(self.id, mark)),
        };
        self.around.audience.publish_all(Publication::all(Topic::Room(self.id), marks.iter().map(receipt)));
        if let Err(full) = self.around.jobs.enqueue(self.id, Job::Watermarks(self.id, marks))
            && let Job::Watermarks(_, marks) = full.0
        {
            // Kept for the next round: the marks are in memory, and a newer one replaces an older.
            for mark in marks {
                self.marks.entry(mark.party).or_insert(mark);
            }
            self.wishes.push(Wish::FlushMarks);
        }
    }
}
