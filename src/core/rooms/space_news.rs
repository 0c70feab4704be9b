//! Tells the devices of a space's members what became of it.
//!
//! A change says which space, and of whom; what they are told is read when it is told. So they hear what is, in the order of
//! the changes, and whoever was put in and taken out again hears of the end of it. In a task of its own: a sign-out that is
//! heard meanwhile does not wait for these reads.
//!
//! It is not durable: what cannot be read, or is too much at once, is said in the log and not told. A client asks for its
//! spaces when it connects.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::mpsc;

use super::error::ChatError;
use super::store::members_space;
use super::wire::{Space, SpaceJoined, SpaceLeft, SpaceLeftBecause, SpaceUpdated, encode};
use crate::changes::{Hears, Known, Later, list};
use crate::publish::{Class, Publish, Topic};
use parlance_foundation::ids::{SpaceId, UserId};
use parlance_foundation::storage::Storage;

/// Changes that may wait to be told. Each has up to 200 people.
const WAITING_MAX: usize = 1_024;

/// Members of whom one read answers.
const READ_AT_ONCE: i64 = 1_000;

/// What became of a space, and whose devices are to hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Joined(SpaceId, Vec<UserId>),
    /// Its name or topic, for all; or the role of these.
    Updated(SpaceId, Option<Vec<UserId>>),
    Left(SpaceId, SpaceLeftBecause, Vec<UserId>),
}

impl Change {
    fn parse(topic: &str, rest: &str) -> Option<Self> {
        let words: Vec<&str> = rest.split(' ').collect();
        Some(match (topic, words.as_slice()) {
            ("space_joined", [space, users]) => Self::Joined(space.parse().ok()?, list(users)?),
            ("space_updated", [space]) => Self::Updated(space.parse().ok()?, None),
            ("space_updated", [space, users]) => Self::Updated(space.parse().ok()?, Some(list(users)?)),
            ("space_left", [space, reason, users]) => {
                Self::Left(space.parse().ok()?, reason.parse().ok()?, list(users)?)
            }
            _ => return None,
        })
    }
}

/// See the module.
pub struct SpaceNews {
    storage: Storage,
    to: Arc<dyn Publish>,
    /// Where changes go to be told, while somebody does.
    telling: ArcSwapOption<mpsc::Sender<Change>>,
}

impl SpaceNews {
    pub fn new(storage: Storage, to: Arc<dyn Publish>) -> Self {
        Self { storage, to, telling: ArcSwapOption::empty() }
    }

    fn take(&self, change: Change) {
        let taken = self.telling.load().as_ref().is_some_and(|telling| telling.try_send(change).is_ok());
        if !taken {
            tracing::warn!(
                "more changes of spaces at once than can be told: some devices show spaces as they were until they connect again"
            );
        }
    }

    async fn tell_one(&self, change: &Change) -> Result<(), ChatError> {
        match change {
            Change::Joined(space, users) => {
                self.each_member(*space, Some(users), |space| encode(&SpaceJoined { space })).await
            }
            Change::Updated(space, users) => {
                self.each_member(*space, users.as_deref(), |space| encode(&SpaceUpdated { space })).await
            }
            Change::Left(space_id, reason, users) => {
                let frame = encode(&SpaceLeft { space_id: *space_id, reason: *reason });
                users.iter().for_each(|user| self.to.publish(Topic::User(*user), frame.clone(), Class::Must));
                Ok(())
            }
        }
    }

    /// Tells those of `users`, or all, who are in the space now: each with the space as they see it.
    async fn each_member(
        &self,
        space: SpaceId,
        users: Option<&[UserId]>,
        frame: impl Fn(Space) -> bytestring::ByteString,
    ) -> Result<(), ChatError> {
        let mut after = None;
        loop {
            let members = members_space(&self.storage, space, users, after, READ_AT_ONCE).await?;
            after = members.last().map(|(user, _)| *user);
            let is_all = i64::try_from(members.len()).is_ok_and(|len| len < READ_AT_ONCE);
            for (user, space) in members {
                self.to.publish(Topic::User(user), frame(space), Class::Must);
            }
            if is_all {
                return Ok(());
            }
        }
    }
}

impl Hears for SpaceNews {
    fn topics(&self) -> &'static [&'static str] {
        &["space_joined", "space_updated", "space_left"]
    }

    fn heard(&self, topic: &str, rest: &str) -> Known {
        match Change::parse(topic, rest) {
            Some(change) => self.take(change),
            // Nothing is kept of it.
            None => {
                tracing::warn!(topic, rest, "a change of a space that this version does not understand is not told")
            }
        }
        Known::Yes
    }

    fn beside(self: Arc<Self>) -> Option<Later<'static>> {
        let (sender, mut waiting) = mpsc::channel(WAITING_MAX);
        self.telling.store(Some(Arc::new(sender)));
        Some(Box::pin(async move {
            while let Some(change) = waiting.recv().await {
                if let Err(error) = self.tell_one(&change).await {
                    tracing::warn!(%error, ?change, "a change of a space was not told: its devices show it when they connect again");
                }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_told_is_understood_or_refused() {
        let (a, b, c) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let (space, one, two) = (SpaceId(a), UserId(b), UserId(c));
        for (topic, rest, change) in [
            ("space_joined", format!("{a} {b},{c}"), Change::Joined(space, vec![one, two])),
            ("space_updated", a.to_string(), Change::Updated(space, None)),
            ("space_updated", format!("{a} {b}"), Change::Updated(space, Some(vec![one]))),
            ("space_left", format!("{a} removed {b}"), Change::Left(space, SpaceLeftBecause::Removed, vec![one])),
        ] {
            assert_eq!(Change::parse(topic, &rest), Some(change));
        }
        for (topic, rest) in [("space_joined", "1"), ("space_updated", ""), ("space_left", "1 lost 2")] {
            assert_eq!(Change::parse(topic, rest), None, "{topic} {rest}");
        }
    }
}
