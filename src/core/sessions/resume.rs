//! Reading what a session missed of the orders that it follows: pages from whatever source an order has.
//!
//! One task a session, only while something is missing. It stops reading while the socket is slow.

use std::rc::Rc;
use std::time::Duration;

use super::link::Link;
use crate::order::NoPage;
use crate::wire::close;
use parlance_foundation::ids::UserId;

/// Pause after Postgres could not be asked.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Pause after a page that brought nothing: Postgres has committed more than was told yet.
const NEWS_AFTER: Duration = Duration::from_millis(50);

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
        let Some((order, after)) = link.with(|outbox| outbox.next_behind()) else {
            if !link.with(|outbox| outbox.is_behind()) {
                return;
            }
            drained.await;
            continue;
        };
        match parts.orders.page_after(order, user, after).await {
            Ok(page) => {
                let is_behind = link.with(|outbox| {
                    outbox.page(order, after, &page);
                    outbox.is_behind()
                });
                if page.frames.is_empty() && is_behind {
                    tokio::time::sleep(NEWS_AFTER).await;
                }
            }
            Err(NoPage::Denied) => {
                if link.with(|outbox| outbox.page_denied(order, after)) {
                    parts.hub.borrow_mut().unlisten(link.key, order);
                }
            }
            // What this socket was told is not in the log any more: it has to come back and see.
            Err(NoPage::Ahead) => return link.close(close::UNAVAILABLE),
            Err(NoPage::Later(error)) => {
                tracing::debug!(error, ?order, "a page could not be read; trying again");
                link.with(|outbox| outbox.page_failed(order));
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}
