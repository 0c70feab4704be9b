//! Reading what a session missed: pages from the room's memory, or from Postgres when it was away for longer.
//!
//! One task a session, only while something is missing. It stops reading while the socket is slow.

use std::rc::Rc;
use std::time::Duration;

use super::link::Link;
use super::session::SessionParts;
use crate::rooms::error::ChatError;
use crate::rooms::{self, Page, PageWanted};
use crate::wire::close;
use parlance_foundation::ids::{RoomId, UserId};

/// Pause after Postgres could not be asked.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Pause after a page that brought nothing: Postgres has committed more than the room has heard of yet.
const NEWS_AFTER: Duration = Duration::from_millis(50);

/// What came after `after` in a room, for a member.
pub async fn page_after(
    parts: &SessionParts,
    by: UserId,
    room: RoomId,
    after: i64,
    items_max: usize,
) -> Result<Page, ChatError> {
    rooms::page_after(&parts.rooms, &parts.storage, &parts.chat, PageWanted { by, room, after, items_max }).await
}

/// Starts reading for a session unless somebody does already.
pub fn start(link: &Rc<Link>, user: UserId) {
    if link.reading.replace(true) {
        return;
    }
    let link = Rc::clone(link);
    // A task of its own: the session goes on answering meanwhile.
    actix_rt::spawn(async move {
        read_until_caught_up(&link, user).await;
        link.reading.set(false);
    });
}

async fn read_until_caught_up(link: &Rc<Link>, user: UserId) {
    let parts = &link.parts;
    while !link.gone.get() {
        // Made before looking, so that a drain in between is not missed.
        let drained = link.drained.notified();
        let Some((room, after)) = link.with(|outbox| outbox.next_behind()) else {
            if !link.with(|outbox| outbox.is_behind()) {
                return;
            }
            drained.await;
            continue;
        };
        match page_after(parts, user, room, after, parts.chat.page_items_max).await {
            Ok(page) => {
                let is_behind = link.with(|outbox| {
                    outbox.page(room, after, &page);
                    outbox.is_behind()
                });
                if page.frames.is_empty() && is_behind {
                    tokio::time::sleep(NEWS_AFTER).await;
                }
            }
            Err(ChatError::RoomNotFound) => {
                if link.with(|outbox| outbox.page_denied(room, after)) {
                    parts.hub.borrow_mut().unlisten(link.key, room);
                }
            }
            // What this socket was told is not in the log any more: it has to come back and see.
            Err(ChatError::Ahead { .. }) => return link.close(close::UNAVAILABLE),
            Err(error) => {
                tracing::debug!(%error, room_id = %room, "a page could not be read; trying again");
                link.with(|outbox| outbox.page_failed(room));
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}
