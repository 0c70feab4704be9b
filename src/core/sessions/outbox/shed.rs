//! What a reader who is too slow is spared.

use super::*;

impl Outbox {
    /// Over the bound, what is short-lived goes first, the least important before the rest; then events give way.
    pub(super) fn shed(&mut self) {
        for grade in Grade::ALL {
            if self.bytes > self.bytes_max {
                self.shed_grade(grade);
            }
        }
        if self.bytes > self.bytes_max {
            self.shed_events();
        }
    }

    /// Events give way to one `lagged` an order; over the limit, the socket does.
    pub(super) fn shed_events(&mut self) {
        let mut kept = VecDeque::with_capacity(self.queue.len());
        // Each with the newest seq of it that waited live.
        let mut shed: Vec<(OrderId, i64)> = Vec::new();
        for item in self.queue.drain(..) {
            let (order, newest) = match &item {
                Item::Event(order, _) => (*order, 0),
                Item::Parcel(order, parcel, _) => (*order, parcel.last_seq()),
                Item::Must(_) | Item::Short(_) | Item::Ready(_) | Item::Lagged(_) | Item::LaggedTo(..) => {
                    kept.push_back(item);
                    continue;
                }
            };
            self.bytes -= item.bytes();
            match shed.iter_mut().find(|(of, _)| *of == order) {
                Some((_, last_seq)) => *last_seq = newest.max(*last_seq),
                None => shed.push((order, newest)),
            }
        }
        self.queue = kept;
        self.shorts.moved();
        for (order, last_seq) in shed {
            if let Some(follow) = self.orders.get_mut(&order) {
                // One that catches up has lost its pages: the client reads them again, from where it is.
                if let Mode::CatchingUp { seen } = follow.mode {
                    follow.next = follow.next.max(seen + 1);
                }
                follow.mode = Mode::Lagged;
                self.shed.lagged += 1;
                self.queue.push_back(Item::Lagged(order));
            } else if last_seq > 0 && !self.tells_of(order, last_seq) {
                // They have left, and how was among it.
                self.shed.lagged += 1;
                let notice = Item::LaggedTo(order, last_seq);
                self.bytes += notice.bytes();
                self.queue.push_back(notice);
            }
        }
        if self.bytes > self.bytes_limit {
            self.close(close::TOO_SLOW);
        }
    }

    /// Whether a `lagged` up to there or further waits already.
    fn tells_of(&self, order: OrderId, last_seq: i64) -> bool {
        self.queue.iter().any(|item| matches!(item, Item::LaggedTo(of, to) if *of == order && *to >= last_seq))
    }
}
