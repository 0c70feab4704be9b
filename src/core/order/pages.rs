//! Following an order from wherever one left it: what is followed, and where the missing part is read.
//!
//! A room's order is one of several: an answer of an AI agent, a document or a bridge's log has one as well. A kind of
//! order is a variant of [`OrderId`] and a field of [`OrderSources`]; what sessions do (live events, gaps, pages, `lagged`)
//! is the same for all.

use bytestring::ByteString;
use futures_util::future::LocalBoxFuture;

use parlance_foundation::ids::{RoomId, UserId};

/// Which order. Small, because each session holds one for everything that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderId {
    Room(RoomId),
}

impl From<RoomId> for OrderId {
    fn from(room: RoomId) -> Self {
        Self::Room(room)
    }
}

/// A page of an order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub frames: Vec<ByteString>,
    /// The place after which the next page begins.
    pub next_after: i64,
    pub last_seq: i64,
    pub more: bool,
}

/// Why there is no page.
#[derive(Debug, PartialEq, Eq)]
pub enum NoPage {
    /// The order is not for this reader, or not any more.
    Denied,
    /// They have more than there is: it is of another life of the log.
    Ahead,
    /// Not now: why, for the log.
    Later(String),
}

/// Where the past of one kind of order is read.
pub trait Pages<Id> {
    /// What comes after `after`, as far as `by` may read it.
    fn page_after(&self, id: Id, by: UserId, after: i64) -> LocalBoxFuture<'_, Result<Page, NoPage>>;
}

/// The source of each kind of order.
pub struct OrderSources {
    pub rooms: Box<dyn Pages<RoomId>>,
}

impl OrderSources {
    /// What comes after `after` in an order, as far as `by` may read it.
    pub fn page_after(&self, order: OrderId, by: UserId, after: i64) -> LocalBoxFuture<'_, Result<Page, NoPage>> {
        match order {
            OrderId::Room(room) => self.rooms.page_after(room, by, after),
        }
    }
}
