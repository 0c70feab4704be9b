//! What a reader who is too slow is spared.

use super::*;

impl Outbox {
    /// Over the bound, room events give way to one `room.lagged` a room; over the limit, the socket does.
    pub(super) fn shed(&mut self) {
        let mut kept = VecDeque::with_capacity(self.queue.len());
        // Each with the newest seq of it that waited live.
        let mut shed: Vec<(RoomId, i64)> = Vec::new();
        for item in self.queue.drain(..) {
            let (room, newest) = match &item {
                Item::Event(room, _) => (*room, 0),
                Item::Parcel(room, parcel, _) => (*room, parcel.last_seq()),
                Item::Frame(_) | Item::Ready(_) | Item::Lagged(_) | Item::LaggedTo(..) => {
                    kept.push_back(item);
                    continue;
                }
            };
            self.bytes -= item.bytes();
            match shed.iter_mut().find(|(of, _)| *of == room) {
                Some((_, last_seq)) => *last_seq = newest.max(*last_seq),
                None => shed.push((room, newest)),
            }
        }
        self.queue = kept;
        for (room, last_seq) in shed {
            if let Some(follow) = self.rooms.get_mut(&room) {
                // One that catches up has lost its pages: the client reads them again, from where it is.
                if let Mode::CatchingUp { seen } = follow.mode {
                    follow.next = follow.next.max(seen + 1);
                }
                follow.mode = Mode::Lagged;
                self.lagged += 1;
                self.queue.push_back(Item::Lagged(room));
            } else if last_seq > 0 && !self.tells_of(room, last_seq) {
                // They have left, and how was among it.
                self.lagged += 1;
                let notice = Item::LaggedTo(room, last_seq);
                self.bytes += notice.bytes();
                self.queue.push_back(notice);
            }
        }
        if self.bytes > self.bytes_limit {
            self.close(close::TOO_SLOW);
        }
    }

    /// Whether a `room.lagged` up to there or further waits already.
    fn tells_of(&self, room: RoomId, last_seq: i64) -> bool {
        self.queue.iter().any(|item| matches!(item, Item::LaggedTo(of, to) if *of == room && *to >= last_seq))
    }
}
