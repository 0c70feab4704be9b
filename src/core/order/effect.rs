//! What an event changes in other tables, in the transaction of the flush that commits it.
//!
//! A feature that has such a table implements [`Effect`] for what it wants written and [`EffectWriter`] for how. A flush
//! gives each writer all of its effects at once, so that a writer needs one statement a kind, not one a row.
//!
//! Invariant: effects write only rows that are keyed by the room of their event. Anything else could be locked by two
//! shards in two orders, and is a job.

use std::any::Any;
use std::pin::Pin;

use sqlx::PgConnection;

use super::{EventRow, Row};
use parlance_foundation::ids::RoomId;

/// One thing to be written beside an event. Events that are read from Postgres have none: theirs are written already.
pub trait Effect: Any + std::fmt::Debug + Send + Sync {
    /// Who writes it.
    fn writer(&self) -> &'static dyn EffectWriter;

    /// About how many bytes it takes on the way to Postgres, beside its event's payload.
    fn bytes(&self) -> usize {
        0
    }
}

/// The future of a write.
pub type Written<'a> = Pin<Box<dyn Future<Output = Result<(), sqlx::Error>> + Send + 'a>>;

/// Writes a feature's effects.
pub trait EffectWriter: Send + Sync {
    /// Tells writers apart; a table's name is a good one.
    fn name(&self) -> &'static str;

    /// Writes the effects of one flush; those of one room come in its order. An error undoes the whole flush, which is then
    /// tried a room's write at a time; [`sqlx::Error::RowNotFound`] says that what an effect needs is not there any more.
    fn write<'a>(&'a self, connection: &'a mut PgConnection, effects: &'a [Placed<'a>]) -> Written<'a>;
}

/// An effect with the place of its event.
#[derive(Clone, Copy)]
pub struct Placed<'a> {
    pub room_id: RoomId,
    pub row: &'a Row,
    pub event: &'a EventRow,
    effect: &'a dyn Effect,
}

impl<'a> Placed<'a> {
    pub fn new(room_id: RoomId, row: &'a Row, event: &'a EventRow, effect: &'a dyn Effect) -> Self {
        Self { room_id, row, event, effect }
    }

    /// The effect as its writer knows it.
    pub fn effect<T: Effect>(&self) -> Option<&'a T> {
        (self.effect as &dyn Any).downcast_ref()
    }

    pub fn writer(&self) -> &'static dyn EffectWriter {
        self.effect.writer()
    }
}
