//! Whoever hears of changes.

use std::str::FromStr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

/// Postgres cannot be asked now: why, for the log. The listener begins again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotNow(pub String);

impl From<sqlx::Error> for NotNow {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

/// Something that takes a while.
pub type Later<'a, T = ()> = LocalBoxFuture<'a, T>;

/// Whether a change was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Yes,
    /// Of what this one keeps anything may have changed: it is to forget it all, and to make up for what it missed.
    Anything,
}

/// Something that keeps a part of Postgres in memory, or tells people what became of it.
///
/// All who hear a topic are told in the order in which they are listed: first whoever keeps it in memory, then whoever ends
/// sockets, so that a hello under way finds one or is found by the other.
pub trait Hears: Send + Sync + 'static {
    /// What it hears of: the first words of what triggers say.
    fn topics(&self) -> &'static [&'static str];

    /// Does what follows from a change. Quickly: what takes long goes on [`beside`](Self::beside).
    fn heard(&self, topic: &str, rest: &str) -> Known;

    /// Whether somebody listens from here on; whatever it keeps is forgotten either way. Also runs while a panic unwinds:
    /// infallible.
    fn trust(&self, _listens: bool) {}

    /// Does now what follows from changes that were not heard. Called while somebody listens already.
    fn make_up(&self) -> Later<'_, Result<(), NotNow>> {
        now(Ok(()))
    }

    /// The log is not the one that it was: nothing that is kept of it is right.
    fn begin_anew(&self) -> Later<'_> {
        self.trust(true);
        now(())
    }

    /// What goes on as long as the listener lives: its panic is the listener's.
    fn beside(self: Arc<Self>) -> Option<Later<'static>> {
        None
    }
}

/// At once.
pub fn now<'a, T: 'a>(value: T) -> Later<'a, T> {
    futures_util::future::ready(value).boxed_local()
}

/// `A,B,…`
pub fn list<T: FromStr>(told: &str) -> Option<Vec<T>> {
    told.split(',').map(|one| one.parse().ok()).collect()
}
