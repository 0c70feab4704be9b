//! Commands: what clients ask for over a WebSocket, as lists that features export.
//!
//! A feature gives each command a type: its fields are the body, [`Command`] says its name, its answer and what it does.
//! The engine joins the lists ([`Protocol`]); decoder, dispatch, the AsyncAPI document and the client's types follow from
//! them. A command sees its session as a [`Desk`], and its feature's own doors, which it gets when a worker thread opens.
//!
//! Invariants
//! - Bodies are plain data without closures: the same may come over HTTP, or be forwarded to another node.
//! - A command answers exactly once, with the answer that it documents: [`Desk`] and [`Reply`] take no other.

mod desk;
mod table;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::wire::asyncapi::CommandDoc;
use crate::wire::{Answer, BadFrame, Heard};
pub use desk::{Answers, Batch, Desk, Reply, Session, Then, Way};
pub use table::{Commands, Place, Protocol};

/// A command of a feature; its fields are its body.
pub trait Command: DeserializeOwned + ToSchema + 'static {
    /// Its `type` on the wire: `feature.verb`.
    const KIND: &'static str;
    const SUMMARY: &'static str;
    /// The codes that it may be refused with, beside [those of every command](crate::wire::asyncapi::COMMON_ERRORS).
    const ERRORS: &'static [&'static str];
    type Answer: Answer;
    /// What the feature needs to do it, one a worker thread.
    type Doors: 'static;

    fn run(self, desk: Desk<'_, Self::Answer>, doors: &Self::Doors);
}

/// A command in a list: what is said about it, and how it is run.
pub struct Listed<R> {
    pub doc: CommandDoc,
    pub run: R,
}

/// Reads the body and does what it asks, unless the session may not now.
pub type Run<D> = fn(&Heard<'_>, &mut dyn Session, &D) -> Result<(), BadFrame>;

/// The entry of a command in its feature's list.
pub const fn listed<C: Command>() -> Listed<Run<C::Doors>> {
    Listed { doc: CommandDoc::of::<C, C::Answer>(C::KIND, C::SUMMARY, C::ERRORS), run: run::<C> }
}

fn run<C: Command>(heard: &Heard<'_>, session: &mut dyn Session, doors: &C::Doors) -> Result<(), BadFrame> {
    let body: C = heard.body()?;
    if let Some(caller) = session.admit(heard.re) {
        body.run(Desk::new(heard.re, caller, session), doors);
    }
    Ok(())
}
