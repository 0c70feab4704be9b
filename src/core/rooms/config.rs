//! `[chat]`: limits of rooms and messages.

use serde::{Deserialize, Serialize};

use parlance_foundation::checks::Complaints;
use parlance_foundation::requests::PageSizes;

/// Limits of rooms and messages; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChatConfig {
    pub content_bytes_max: usize,
    pub name_chars_max: usize,
    pub topic_chars_max: usize,
    pub client_id_bytes_max: usize,
    pub members_max: usize,
    pub strangers: Strangers,
    pub invitations_sent_max: usize,
    pub invitations_received_max: usize,
    pub invitations_pair_max: usize,
    pub invitation_days: i64,
    pub rooms_per_user_max: usize,
    pub room_threads: usize,
    pub window_events_max: usize,
    pub window_bytes_max: usize,
    pub room_pending_max: usize,
    pub room_mailbox_max: usize,
    pub room_idle_s: u64,
    pub recent_rosters_max: usize,
    pub recent_cards_max: usize,
    pub page_items_default: usize,
    pub page_items_max: usize,
    pub page_bytes_max: usize,
    pub receipts_every_ms: u64,
}

/// What somebody may do with people with whom they share no room or space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strangers {
    /// Write to them, and add them.
    Open,
    /// Invite them.
    Invite,
}

impl ChatConfig {
    /// How long the pages of every list are.
    pub fn page_sizes(&self) -> PageSizes {
        PageSizes { items_default: self.page_items_default, items_max: self.page_items_max }
    }

    pub fn check(&self, complaints: &mut Complaints) {
        let c = complaints;
        c.require((1..=1_048_576).contains(&self.content_bytes_max), "chat.content_bytes_max", "between 1 and 1048576");
        c.require((1..=1_000).contains(&self.name_chars_max), "chat.name_chars_max", "between 1 and 1000");
        c.require(self.topic_chars_max <= 10_000, "chat.topic_chars_max", "at most 10000");
        // Random UUIDs, the usual choice of clients, are 36 characters.
        c.require((36..=200).contains(&self.client_id_bytes_max), "chat.client_id_bytes_max", "between 36 and 200");
        c.require((2..=1_000_000).contains(&self.members_max), "chat.members_max", "between 2 and 1000000");
        c.require(
            (1..=100_000).contains(&self.invitations_sent_max),
            "chat.invitations_sent_max",
            "between 1 and 100000",
        );
        c.require(
            (1..=100_000).contains(&self.invitations_received_max),
            "chat.invitations_received_max",
            "between 1 and 100000",
        );
        c.require(
            (1..=self.invitations_received_max).contains(&self.invitations_pair_max),
            "chat.invitations_pair_max",
            "between 1 and chat.invitations_received_max",
        );
        c.require((1..=3_650).contains(&self.invitation_days), "chat.invitation_days", "between 1 and 3650");
        c.require(
            (1..=1_000_000).contains(&self.rooms_per_user_max),
            "chat.rooms_per_user_max",
            "between 1 and 1000000",
        );
        c.require(self.room_threads <= 64, "chat.room_threads", "at most 64 (0 means half the cores)");
        c.require(self.window_events_max <= 100_000, "chat.window_events_max", "at most 100000");
        c.require((1..=1_000_000).contains(&self.room_pending_max), "chat.room_pending_max", "between 1 and 1000000");
        c.require((1..=1_000_000).contains(&self.room_mailbox_max), "chat.room_mailbox_max", "between 1 and 1000000");
        c.require(self.room_idle_s >= 1, "chat.room_idle_s", "at least 1");
        c.require(
            (1..=10_000_000).contains(&self.recent_rosters_max),
            "chat.recent_rosters_max",
            "between 1 and 10000000",
        );
        c.require((1..=10_000_000).contains(&self.recent_cards_max), "chat.recent_cards_max", "between 1 and 10000000");
        c.require((1..=10_000).contains(&self.page_items_max), "chat.page_items_max", "between 1 and 10000");
        c.require(
            (1..=self.page_items_max).contains(&self.page_items_default),
            "chat.page_items_default",
            "between 1 and chat.page_items_max",
        );
        c.require(
            self.page_bytes_max >= self.content_bytes_max,
            "chat.page_bytes_max",
            "at least chat.content_bytes_max, or a long message would never fit a page",
        );
        c.require((1..=60_000).contains(&self.receipts_every_ms), "chat.receipts_every_ms", "between 1 and 60000");
    }
}
