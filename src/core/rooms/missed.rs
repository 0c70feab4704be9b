//! What a reader missed in a room: from its memory as far as that reaches, else from Postgres.
//!
//! Invariant: who asks from beyond the room's newest event is told so ([`ChatError::Ahead`]), and never that there is nothing:
//! what they have is of another life of the log.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::directory::Rooms;
use super::error::ChatError;
use super::mailbox::{CatchUp, Command};
use super::store;
use crate::order::{NoPage, Page, Pages};
use parlance_foundation::ids::{RoomId, UserId};

/// Which part of a room's order, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct PageWanted {
    pub by: UserId,
    pub room: RoomId,
    /// The newest seq that they have.
    pub after: i64,
    pub items_max: usize,
}

impl Rooms {
    /// See the module.
    pub async fn page_after(&self, wanted: PageWanted) -> Result<Page, ChatError> {
        let PageWanted { by, room, after, items_max } = wanted;
        let after = after.max(0);
        let ask = |reply| Command::CatchUp(CatchUp { by: by.into(), after, items_max, reply });
        match self.ask(room, ask).await? {
            Some(page) if after <= page.last_seq => Ok(page),
            // Further back than memory reaches; or further on than the room has shown, where Postgres may have more already.
            Some(_) | None => {
                store::events_after(&self.parts.storage, &self.parts.config, by, room, after, items_max).await
            }
        }
    }
}

/// The source of rooms' pages, for whoever follows orders.
impl Pages<RoomId> for Rooms {
    fn page_after(&self, room: RoomId, by: UserId, after: i64) -> LocalBoxFuture<'_, Result<Page, NoPage>> {
        let wanted = PageWanted { by, room, after, items_max: self.parts.config.page_items_max };
        let page = async move {
            self.page_after(wanted).await.map_err(|error| match error {
                ChatError::RoomNotFound => NoPage::Denied,
                ChatError::Ahead { .. } => NoPage::Ahead,
                other => NoPage::Later(other.to_string()),
            })
        };
        page.boxed_local()
    }
}
