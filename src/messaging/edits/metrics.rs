//! How much is edited and deleted.

use metrics::{Unit, counter, describe_counter};
use parlance_core::order::EventPayload;
use parlance_core::rooms::mailbox::Posted;

use super::wire::{MessageDeleted, MessageEdited};

const CHANGES: &str = "parlance_message_changes_total";

/// The meaning of each metric.
pub fn describe_metrics() {
    describe_counter!(CHANGES, Unit::Count, "Messages edited and deleted, by kind: message.edited, message.deleted");
    for kind in [MessageEdited::KIND, MessageDeleted::KIND] {
        counter!(CHANGES, "kind" => kind).increment(0);
    }
}

/// Counts what was done, once.
pub(super) fn count(done: Option<&Posted>) {
    if let Some(event) = done.filter(|posted| !posted.repeated).and_then(|posted| posted.row.event()) {
        counter!(CHANGES, "kind" => event.kind.clone()).increment(1);
    }
}
