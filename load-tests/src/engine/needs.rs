//! What a scenario needs of an engine that is started for it, beyond what that has by default.
//!
//! Invariants: a limit is only ever raised, and only as far as is needed; and a key that the engine's binary does not know
//! is not set, so that one from before it starts all the same.

use std::collections::HashMap;

use super::own::Launch;

/// A limit on what one account posts, where that is as much as the engine takes.
const NONE: u64 = 100_000_000;
const NO_BYTES: u64 = 4_000_000_000;

#[cfg(test)]
const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// See the module. The default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    settings: Vec<(&'static str, String)>,
    at_least: Vec<(&'static str, u64)>,
}

impl Needs {
    /// These settings as they are here.
    pub fn set(mut self, settings: &[(&'static str, &str)]) -> Self {
        self.settings.extend(settings.iter().map(|(key, value)| (*key, (*value).to_owned())));
        self
    }

    /// This limit as it is, or as high as this.
    pub fn at_least(mut self, key: &'static str, value: u64) -> Self {
        self.at_least.push((key, value));
        self
    }

    /// What both need.
    pub fn and(mut self, other: Self) -> Self {
        self.settings.extend(other.settings);
        self.at_least.extend(other.at_least);
        self
    }

    /// One account posts as fast as it is answered.
    pub fn no_limit_of_messages(self) -> Self {
        self.at_least("limits.messages_burst", NONE)
            .at_least("limits.messages_per_minute", NONE)
            .at_least("limits.bytes_burst", NO_BYTES)
            .at_least("limits.bytes_per_minute", NO_BYTES)
    }

    /// One account makes so many rooms and spaces and adds so many people, at once.
    pub fn made_by_one(self, rooms: usize, people: usize) -> Self {
        self.at_least("limits.rooms_burst", rooms as u64).at_least("limits.people_burst", people as u64)
    }

    /// One account posts so many messages of so many bytes a second, for long.
    pub fn posts_of_one(self, a_second: f64, bytes: u32) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates have bounds")]
        let a_minute = (a_second * 60.0).ceil() as u64;
        self.at_least("limits.messages_per_minute", a_minute)
            .at_least("limits.bytes_per_minute", (a_minute * u64::from(bytes)).min(NO_BYTES))
    }

    /// Sets what has to be set, given what the binary says that its configuration is by default.
    pub fn apply(&self, known: &Known, launch: &mut Launch) {
        // Nobody else is in there.
        let alone = [("demo.enabled", "false".to_owned())];
        let settings = alone.iter().chain(&self.settings).filter(|(key, _)| known.has(key));
        settings.for_each(|(key, value)| launch.set(key, value));
        let mut limits: HashMap<&str, u64> = HashMap::new();
        for (key, value) in &self.at_least {
            let highest = limits.entry(key).or_default();
            *highest = (*value).max(*highest);
        }
        let raised = limits.into_iter().filter(|(key, value)| known.number(key).is_some_and(|known| known < *value));
        raised.for_each(|(key, value)| launch.set(key, &value.to_string()));
    }

    /// The keys that are set in the engine's own default configuration.
    #[cfg(test)]
    pub fn set_of_defaults(&self) -> Vec<String> {
        let mut launch = Launch::new(std::path::Path::new("/parlance"), None).unwrap();
        let before = launch.settings().len();
        self.apply(&Known::of(DEFAULTS), &mut launch);
        let mut keys: Vec<String> = launch.settings()[before..].iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys
    }

    /// The keys that it does not have.
    #[cfg(test)]
    pub fn unknown_to_defaults(&self) -> Vec<&'static str> {
        let known = Known::of(DEFAULTS);
        let keys = self.settings.iter().map(|(key, _)| *key).chain(self.at_least.iter().map(|(key, _)| *key));
        keys.filter(|key| !known.has(key)).collect()
    }
}

/// The keys of a configuration and their values, as `parlance config` prints them.
#[derive(Debug, Default)]
pub struct Known(HashMap<String, String>);

impl Known {
    /// Of tables and keys, a line each; anything else in it is passed over.
    pub fn of(printed: &str) -> Self {
        let (mut keys, mut section) = (HashMap::new(), "");
        for line in printed.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name;
            } else if let Some((key, value)) = line.split_once(" = ") {
                keys.insert(format!("{section}.{key}"), value.to_owned());
            }
        }
        Self(keys)
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(needs: &Needs, printed: &str) -> Vec<(String, String)> {
        let mut launch = Launch::new(std::path::Path::new("/parlance"), None).unwrap();
        let before = launch.settings().len();
        needs.apply(&Known::of(printed), &mut launch);
        let mut set = launch.settings()[before..].to_vec();
        set.sort();
        set
    }

    #[test]
    fn limits_are_only_raised_and_unknown_keys_left_alone() {
        let needs = Needs::default()
            .set(&[("chat.content_bytes_max", "8"), ("chat.unheard_of", "1")])
            .at_least("limits.rooms_burst", 100)
            .at_least("limits.rooms_burst", 7)
            .at_least("limits.sockets_max", 101);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let printed = "[chat]\ncontent_bytes_max = 1\n\n[limits]\nrooms_burst = 100\nsockets_max = 100\n";
        let content = pair("chat.content_bytes_max", "8");
        assert_eq!(set(&needs, printed), [content.clone(), pair("limits.sockets_max", "101")]);
        let lower = printed.replace("rooms_burst = 100", "rooms_burst = 99");
        assert!(set(&needs, &lower).contains(&pair("limits.rooms_burst", "100")));
        assert_eq!(set(&needs, "[chat]\ncontent_bytes_max = 1\n"), [content]);
        assert!(set(&needs, "no configuration at all").is_empty());
    }

    #[test]
    fn what_is_set_of_an_unlimited_account_an_engine_takes() {
        let mut config = parlance::config::Config::defaults().unwrap();
        let limits = &mut config.limits;
        (limits.messages_burst, limits.messages_per_minute) = (NONE as u32, NONE as u32);
        (limits.bytes_burst, limits.bytes_per_minute) = (NO_BYTES as u32, NO_BYTES as u32);
        config.validate().unwrap();
    }
}
