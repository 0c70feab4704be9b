//! Read marks: raised at once, written and announced together every so often.

use super::*;

impl Room {
    pub(super) fn mark(&mut self, command: MarkReceipt, ctx: &mut Context<Self>) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let marked = state.mark(command.by, command.delivered_seq, command.read_seq);
        if let Ok(Some(mark)) = &marked {
            if self.marks.is_empty() {
                self.flush_marks_soon(ctx);
            }
            self.marks.insert(mark.user_id, *mark);
            self.card.update(|card| card.mark(mark));
        }
        command.reply.send(marked);
    }

    /// Raises the marks of the room as loaded to what had been acknowledged before: nobody is told less than before.
    pub(super) fn restore_marks(&mut self, snapshot: &mut Snapshot) {
        let known = std::mem::take(&mut self.known_marks);
        let known: HashMap<UserId, Watermark> = known.into_iter().map(|mark| (mark.user_id, mark)).collect();
        for (user, member) in &mut snapshot.members {
            if let Some(mark) = known.get(user) {
                member.delivered_seq = member.delivered_seq.max(mark.delivered_seq);
                member.read_seq = member.read_seq.max(mark.read_seq);
            }
        }
    }

    pub(super) fn flush_marks_soon(&self, ctx: &mut Context<Self>) {
        let soon = Duration::from_millis(self.parts.config.receipts_every_ms);
        ctx.run_later(soon, |room, ctx| room.flush_marks(ctx));
    }

    /// Writes and announces the read marks of the last moments.
    pub(super) fn flush_marks(&mut self, ctx: &mut Context<Self>) {
        let marks: Vec<Watermark> = self.marks.drain().map(|(_, mark)| mark).collect();
        if marks.is_empty() {
            return;
        }
        let receipt = |mark: &Watermark| {
            wire::encode(&wire::ReceiptUpdated {
                room_id: self.id,
                user_id: mark.user_id,
                delivered_seq: mark.delivered_seq,
                read_seq: mark.read_seq,
            })
        };
        self.parts.audience.whisper(self.id, marks.iter().map(receipt).collect());
        if let Err(full) = self.parts.persisters.enqueue(self.id, Job::Watermarks(self.id, marks))
            && let Job::Watermarks(_, marks) = full.0
        {
            // Kept for the next round: the marks are in memory, and a newer one replaces an older.
            for mark in marks {
                self.marks.entry(mark.user_id).or_insert(mark);
            }
            self.flush_marks_soon(ctx);
        }
    }
}
