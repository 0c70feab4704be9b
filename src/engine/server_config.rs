//! `[server]`: the listening socket, its threads, and what a stranger may cost before anybody knows who it is.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::checks::Complaints;

const KIB: usize = 1_024;
const MIB: usize = 1_024 * KIB;

/// How the engine listens.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    pub host: IpAddr,
    pub port: u16,
    /// HTTP worker threads; 0 means one a core.
    pub workers: usize,
    pub request_bytes_max: usize,
    pub connections_max: usize,
    pub request_timeout_ms: u64,
    pub transfer_window_ms: u64,
    pub transfer_bytes_per_s_min: u64,
    pub unfinished_per_address_max: usize,
    pub bodies_bytes_max: usize,
    pub trust_forwarded_for: bool,
    pub allowed_origins: Vec<String>,
    pub stop_timeout_ms: u64,
}

impl ServerConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        complaints.require(self.workers <= 256, "server.workers", "at most 256 (0 means one a core)");
        complaints.require(
            (KIB..=64 * MIB).contains(&self.request_bytes_max),
            "server.request_bytes_max",
            "between 1024 and 67108864 bytes",
        );
        complaints.require(self.connections_max >= 16, "server.connections_max", "at least 16");
        complaints.require(
            (1_000..=3_600_000).contains(&self.request_timeout_ms),
            "server.request_timeout_ms",
            "between 1000 and 3600000 milliseconds",
        );
        complaints.require(
            (100..=self.request_timeout_ms).contains(&self.transfer_window_ms),
            "server.transfer_window_ms",
            "between 100 milliseconds and server.request_timeout_ms",
        );
        complaints.require(
            (1..=MIB as u64).contains(&self.transfer_bytes_per_s_min),
            "server.transfer_bytes_per_s_min",
            "between 1 and 1048576 bytes a second",
        );
        complaints.require(
            (1..=1_000_000).contains(&self.unfinished_per_address_max),
            "server.unfinished_per_address_max",
            "between 1 and 1000000",
        );
        complaints.require(
            self.bodies_bytes_max / 4 >= self.request_bytes_max,
            "server.bodies_bytes_max",
            "at least four times server.request_bytes_max, or the largest body would not fit into an address's quarter",
        );
        complaints.require(
            self.allowed_origins.iter().all(|origin| is_origin(origin)),
            "server.allowed_origins",
            "origins as browsers write them, such as https://app.example.com or http://localhost:3000, or \"*\" for all",
        );
        complaints.require(
            (500..=9_000).contains(&self.stop_timeout_ms),
            "server.stop_timeout_ms",
            "between 500 and 9000 milliseconds",
        );
    }
}

/// What is written in another way is never what a browser sends, and so would allow nobody.
fn is_origin(text: &str) -> bool {
    text == "*"
        || reqwest::Url::parse(text)
            .is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == text)
}
