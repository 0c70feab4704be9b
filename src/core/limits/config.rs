//! `[limits]`: what one account may do.

use serde::{Deserialize, Serialize};

use parlance_foundation::checks::Complaints;

const HOURS_OF_A_YEAR: u64 = 366 * 24;

/// What one account may do; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    pub messages_burst: u32,
    pub messages_per_minute: u32,
    pub bytes_burst: u32,
    pub bytes_per_minute: u32,
    pub rooms_burst: u32,
    pub rooms_per_hour: u32,
    pub people_burst: u32,
    pub people_per_hour: u32,
    pub sockets_max: u32,
}

impl LimitsConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        for (key, value) in [
            ("limits.messages_burst", self.messages_burst),
            ("limits.messages_per_minute", self.messages_per_minute),
            ("limits.rooms_burst", self.rooms_burst),
            ("limits.rooms_per_hour", self.rooms_per_hour),
            ("limits.people_burst", self.people_burst),
            ("limits.people_per_hour", self.people_per_hour),
            ("limits.sockets_max", self.sockets_max),
        ] {
            complaints.require((1..=100_000_000).contains(&value), key, "between 1 and 100000000");
        }
        for (key, value) in
            [("limits.bytes_burst", self.bytes_burst), ("limits.bytes_per_minute", self.bytes_per_minute)]
        {
            complaints.require((1_024..=4_000_000_000).contains(&value), key, "between 1024 and 4000000000");
        }
        for (key, burst, an_hour) in [
            ("limits.messages_burst", self.messages_burst, u64::from(self.messages_per_minute) * 60),
            ("limits.rooms_burst", self.rooms_burst, self.rooms_per_hour.into()),
            ("limits.people_burst", self.people_burst, self.people_per_hour.into()),
        ] {
            complaints.require(u64::from(burst) <= an_hour * HOURS_OF_A_YEAR, key, "no more than comes back in a year");
        }
    }
}
