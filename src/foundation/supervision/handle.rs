//! The address of an actor that outlives the actor's restarts.

use std::sync::Arc;

use actix::dev::ToEnvelope;
use actix::prelude::SendError;
use actix::{Actor, Addr, Handler, Message};
use arc_swap::ArcSwapOption;

use super::heartbeat::Pulse;
use super::registry::Status;

/// Why a send was refused; the message comes back so that its sender can be told.
#[derive(thiserror::Error)]
pub enum Refused<M> {
    /// The mailbox is full: try again later.
    #[error("the mailbox is full")]
    Busy(M),
    /// The actor is being restarted or has ended.
    #[error("the actor is down")]
    Down(M),
}

impl<M> std::fmt::Debug for Refused<M> {
    // Messages need not be printable.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Busy(_) => "Busy",
            Self::Down(_) => "Down",
        })
    }
}

impl<M> Refused<M> {
    /// The message that was not taken.
    pub fn into_message(self) -> M {
        match self {
            Self::Busy(message) | Self::Down(message) => message,
        }
    }
}

/// A bounded way to one actor, across its lives. Cheap to clone.
pub struct ActorHandle<A: Actor> {
    slot: Arc<Slot<A>>,
}

/// Where the current life's address is.
pub(super) struct Slot<A: Actor> {
    /// Swapped at each restart; read without a lock on every send.
    pub address: ArcSwapOption<Addr<A>>,
    pub status: Arc<Status>,
}

impl<A: Actor> ActorHandle<A> {
    pub(super) fn new(slot: Arc<Slot<A>>) -> Self {
        Self { slot }
    }

    /// Puts `message` into the mailbox, or gives it back at once.
    pub fn send<M>(&self, message: M) -> Result<(), Refused<M>>
    where
        M: Message<Result = ()> + Send + 'static,
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
    {
        let current = self.slot.address.load();
        let Some(address) = current.as_deref() else { return self.refuse(Refused::Down(message)) };
        match address.try_send(message) {
            Ok(()) => Ok(()),
            Err(SendError::Full(message)) => self.refuse(Refused::Busy(message)),
            Err(SendError::Closed(message)) => self.refuse(Refused::Down(message)),
        }
    }

    /// Asks whether it is there, unless it is asked already. A full mailbox takes the question in its turn.
    pub(super) fn beat(&self)
    where
        A: Handler<Pulse>,
        A::Context: ToEnvelope<A, Pulse>,
    {
        let current = self.slot.address.load();
        let Some(address) = current.as_deref() else { return };
        let Some(pulse) = self.slot.status.waiting.ask() else { return };
        if let Err(SendError::Full(pulse)) = address.try_send(pulse) {
            let address = address.clone();
            // `send` waits for room; the actor may end meanwhile.
            actix_rt::spawn(async move {
                let _ = address.send(pulse).await;
            });
        }
    }

    pub(super) fn slot(&self) -> &Slot<A> {
        &self.slot
    }

    pub(super) fn status(&self) -> &Status {
        &self.slot.status
    }

    /// Whether both are handles of the same actor.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot)
    }

    fn refuse<M>(&self, refused: Refused<M>) -> Result<(), Refused<M>> {
        metrics::counter!("parlance_sends_refused_total", "actor" => self.slot.status.kind).increment(1);
        Err(refused)
    }

    /// The actor's name in the tree.
    pub fn name(&self) -> &str {
        &self.slot.status.name
    }

    /// How often the actor was started again.
    pub fn restarts(&self) -> u32 {
        self.slot.status.restarts()
    }

    /// Ends the actor in order; when it takes longer than `patience`, ends it anyway.
    pub async fn stop(&self, patience: std::time::Duration) {
        self.slot.status.stop(patience).await;
    }

    /// Returns when the actor has ended for good.
    pub async fn ended(&self) {
        self.slot.status.ended().await;
    }
}

impl<A: Actor> Clone for ActorHandle<A> {
    fn clone(&self) -> Self {
        Self { slot: Arc::clone(&self.slot) }
    }
}

impl<A: Actor> std::fmt::Debug for ActorHandle<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ActorHandle").field(&self.slot.status.name).finish()
    }
}
