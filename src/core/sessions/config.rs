//! `[sessions]`: limits of sockets.

use serde::{Deserialize, Serialize};

use parlance_foundation::checks::Complaints;

/// No message is larger, whatever is configured.
pub const MESSAGE_BYTES_MAX: usize = 16_777_216;

/// Limits of sockets; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionsConfig {
    pub frame_bytes_max: usize,
    pub hello_timeout_ms: u64,
    pub heartbeat_ms: u64,
    pub token_grace_s: u32,
    pub inflight_commands_max: usize,
    pub ready_rooms_max: usize,
    pub ready_bytes_max: usize,
    pub resume_rooms_max: usize,
    pub subscriptions_max: usize,
    pub outbox_bytes_max: usize,
    pub outbox_bytes_limit: usize,
    pub stalled_socket_ms: u32,
    pub bad_frames_max: u32,
    pub hub_mailbox_max: usize,
}

impl SessionsConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        let c = complaints;
        c.require(
            (1_024..=MESSAGE_BYTES_MAX).contains(&self.frame_bytes_max),
            "sessions.frame_bytes_max",
            "between 1024 and 16777216",
        );
        c.require(
            (100..=60_000).contains(&self.hello_timeout_ms),
            "sessions.hello_timeout_ms",
            "between 100 and 60000",
        );
        c.require((200..=600_000).contains(&self.heartbeat_ms), "sessions.heartbeat_ms", "between 200 and 600000");
        c.require((1..=600).contains(&self.token_grace_s), "sessions.token_grace_s", "between 1 and 600 seconds");
        c.require(
            (1..=100_000).contains(&self.inflight_commands_max),
            "sessions.inflight_commands_max",
            "between 1 and 100000",
        );
        c.require((1..=100_000).contains(&self.ready_rooms_max), "sessions.ready_rooms_max", "between 1 and 100000");
        c.require(
            (65_536..=67_108_864).contains(&self.ready_bytes_max),
            "sessions.ready_bytes_max",
            "between 65536 and 67108864",
        );
        c.require((1..=100_000).contains(&self.resume_rooms_max), "sessions.resume_rooms_max", "between 1 and 100000");
        c.require(
            (1..=1_000_000).contains(&self.subscriptions_max),
            "sessions.subscriptions_max",
            "between 1 and 1000000",
        );
        c.require(self.outbox_bytes_max >= 4_096, "sessions.outbox_bytes_max", "at least 4096");
        c.require(
            self.outbox_bytes_limit > self.outbox_bytes_max,
            "sessions.outbox_bytes_limit",
            "more than sessions.outbox_bytes_max",
        );
        c.require(
            (1_000..=600_000).contains(&self.stalled_socket_ms),
            "sessions.stalled_socket_ms",
            "between 1000 and 600000",
        );
        c.require(
            (64..=10_000_000).contains(&self.hub_mailbox_max),
            "sessions.hub_mailbox_max",
            "between 64 and 10000000",
        );
    }
}
