//! Tells the devices of a space's members what became of it.
//!
//! A change says which space, and of whom; what they are told is read when it is told. So they hear what is, in the order of
//! the changes, and whoever was put in and taken out again hears of the end of it. In a task of its own: a sign-out that is
//! heard meanwhile does not wait for these reads.
//!
//! It is not durable: what cannot be read, or is too much at once, is said in the log and not told. A client asks for its
//! spaces when it connects.

use tokio::sync::mpsc;

use super::change::SpaceChange;
use crate::publish::{Class, Publish, Topic};
use crate::rooms::error::ChatError;
use crate::rooms::store::members_space;
use crate::rooms::wire::{Space, SpaceJoined, SpaceLeft, SpaceUpdated, encode};
use crate::sessions::Hubs;
use parlance_foundation::ids::{SpaceId, UserId};
use parlance_foundation::storage::Storage;

/// Changes that may wait to be told. Each has up to 200 people.
const WAITING_MAX: usize = 1_024;

/// Members of whom one read answers.
const READ_AT_ONCE: i64 = 1_000;

/// Where changes go to be told.
pub struct SpaceNews(mpsc::Sender<SpaceChange>);

impl SpaceNews {
    /// The way to it, and what waits there, for [`tell`].
    pub fn new() -> (Self, mpsc::Receiver<SpaceChange>) {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        (Self(sender), waiting)
    }

    pub fn take(&self, change: SpaceChange) {
        if self.0.try_send(change).is_err() {
            tracing::warn!(
                "more changes of spaces at once than can be told: some devices show spaces as they were until they connect again"
            );
        }
    }
}

/// Tells what comes, for ever.
pub async fn tell(mut waiting: mpsc::Receiver<SpaceChange>, storage: &Storage, hubs: &Hubs) {
    while let Some(change) = waiting.recv().await {
        if let Err(error) = tell_one(&change, storage, hubs).await {
            tracing::warn!(%error, ?change, "a change of a space was not told: its devices show it when they connect again");
        }
    }
}

async fn tell_one(change: &SpaceChange, storage: &Storage, hubs: &Hubs) -> Result<(), ChatError> {
    match change {
        SpaceChange::Joined(space, users) => {
            each_member(storage, *space, Some(users), |user, space| {
                hubs.publish(Topic::User(user), encode(&SpaceJoined { space }), Class::Must);
            })
            .await
        }
        SpaceChange::Updated(space, users) => {
            each_member(storage, *space, users.as_deref(), |user, space| {
                hubs.publish(Topic::User(user), encode(&SpaceUpdated { space }), Class::Must);
            })
            .await
        }
        SpaceChange::Left(space_id, reason, users) => {
            let frame = encode(&SpaceLeft { space_id: *space_id, reason: *reason });
            for user in users {
                hubs.publish(Topic::User(*user), frame.clone(), Class::Must);
            }
            Ok(())
        }
    }
}

/// Those of `users`, or all, who are in the space now, each with the space as they see it.
async fn each_member(
    storage: &Storage,
    space: SpaceId,
    users: Option<&[UserId]>,
    mut told: impl FnMut(UserId, Space),
) -> Result<(), ChatError> {
    let mut after = None;
    loop {
        let members = members_space(storage, space, users, after, READ_AT_ONCE).await?;
        after = members.last().map(|(user, _)| *user);
        let is_all = i64::try_from(members.len()).is_ok_and(|len| len < READ_AT_ONCE);
        members.into_iter().for_each(|(user, space)| told(user, space));
        if is_all {
            return Ok(());
        }
    }
}
