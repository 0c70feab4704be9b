//! What a hub was too busy to take, until it does. Pure.
//!
//! Invariants
//! - What must arrive leaves in the order in which it came: a going that overtook a coming would leave a stranger
//!   listening, a coming that overtook a going would leave a member deaf.
//! - News that may shrink to "there is more" does, once an order, and leaves after all that: whoever came meanwhile hears
//!   of it as well.

use std::collections::{BTreeMap, VecDeque};

use crate::order::OrderId;

/// See the module.
#[derive(Debug)]
pub struct Backlog<M> {
    must: VecDeque<M>,
    news: BTreeMap<OrderId, i64>,
}

/// What to try next.
#[derive(Debug, PartialEq)]
pub enum Next<M> {
    Must(M),
    /// The order's newest seq is this.
    News(OrderId, i64),
}

impl<M> Default for Backlog<M> {
    fn default() -> Self {
        Self { must: VecDeque::new(), news: BTreeMap::new() }
    }
}

impl<M> Backlog<M> {
    /// Keeps something that must arrive.
    pub fn keep(&mut self, message: M) {
        self.must.push_back(message);
    }

    /// Keeps that the order's newest seq is `last_seq`.
    pub fn keep_news(&mut self, order: OrderId, last_seq: i64) {
        let newest = self.news.entry(order).or_insert(last_seq);
        *newest = last_seq.max(*newest);
    }

    /// Takes what is to be tried next.
    pub fn take_next(&mut self) -> Option<Next<M>> {
        if let Some(message) = self.must.pop_front() {
            return Some(Next::Must(message));
        }
        self.news.pop_first().map(|(order, last_seq)| Next::News(order, last_seq))
    }

    /// It was not taken: it stays first.
    pub fn put_back(&mut self, next: Next<M>) {
        match next {
            Next::Must(message) => self.must.push_front(message),
            Next::News(order, last_seq) => self.keep_news(order, last_seq),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.must.is_empty() && self.news.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use parlance_foundation::ids::RoomId;

    fn room(n: u128) -> OrderId {
        OrderId::Room(RoomId(Uuid::from_u128(n)))
    }

    #[test]
    fn what_must_arrive_keeps_its_order_and_goes_before_news() {
        let mut backlog = Backlog::default();
        backlog.keep_news(room(1), 4);
        backlog.keep("joined");
        backlog.keep("left");
        backlog.keep_news(room(1), 6);
        let first = backlog.take_next().unwrap();
        assert_eq!(first, Next::Must("joined"));
        backlog.put_back(first);
        assert_eq!(backlog.take_next(), Some(Next::Must("joined")));
        assert_eq!(backlog.take_next(), Some(Next::Must("left")));
        assert_eq!(backlog.take_next(), Some(Next::News(room(1), 6)));
        assert!(backlog.is_empty());
    }

    #[test]
    fn newer_news_are_not_undone_by_what_is_put_back() {
        let mut backlog = Backlog::<()>::default();
        backlog.keep_news(room(1), 4);
        let tried = backlog.take_next().unwrap();
        backlog.keep_news(room(1), 5);
        backlog.put_back(tried);
        assert_eq!(backlog.take_next(), Some(Next::News(room(1), 5)));
        assert_eq!(backlog.take_next(), None);
    }
}
