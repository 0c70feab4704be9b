//! `[parties]`: limits of teams and profiles.

use serde::{Deserialize, Serialize};

use parlance_foundation::checks::Complaints;

/// Limits of teams and profiles; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PartiesConfig {
    pub team_people_max: usize,
    pub teams_owned_max: usize,
    pub name_chars_max: usize,
    pub description_chars_max: usize,
    pub client_id_bytes_max: usize,
    pub profiles_max: usize,
}

impl PartiesConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        let c = complaints;
        // One event of a room names them all.
        c.require((1..=500).contains(&self.team_people_max), "parties.team_people_max", "between 1 and 500");
        c.require((1..=10_000).contains(&self.teams_owned_max), "parties.teams_owned_max", "between 1 and 10000");
        c.require((1..=1_000).contains(&self.name_chars_max), "parties.name_chars_max", "between 1 and 1000");
        c.require(self.description_chars_max <= 10_000, "parties.description_chars_max", "at most 10000");
        // Random UUIDs, the usual choice of clients, are 36 characters.
        c.require((36..=200).contains(&self.client_id_bytes_max), "parties.client_id_bytes_max", "between 36 and 200");
        // Each may take 45 characters of the query.
        c.require((1..=100).contains(&self.profiles_max), "parties.profiles_max", "between 1 and 100");
    }
}
