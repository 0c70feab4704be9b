//! What stands in a room's order: messages and other events, as they are decided, committed, kept in memory and told.
//!
//! The core reads who is in a room and what the room is called ([`CoreChange`]). Every other event is opaque to it: a
//! kind, an author, a payload that is passed on as it is, perhaps the message that it touches, and [`Effect`]s on the
//! tables of the feature that made it.
//!
//! Invariants: a place in the order is always told, also when this binary does not know its kind; a payload is told byte
//! for byte as it was decided.

mod change;
mod effect;
mod pages;
mod row;

pub use change::{CoreChange, Role, Stays};
pub use effect::{Effect, EffectWriter, Placed, Written};
pub use pages::{NoPage, OrderId, OrderSources, Page, Pages};
pub use row::{EventPayload, EventRow, MessageRow, Row, RowBody, SYSTEM, Watermark};
