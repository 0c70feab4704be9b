//! Parts of the configuration as `config/default.toml` has them.

use serde::de::DeserializeOwned;

/// One section.
pub fn defaults<T: DeserializeOwned>(section: &str) -> T {
    let mut sections: toml::Table = toml::from_str(include_str!("../../../config/default.toml")).unwrap();
    sections.remove(section).unwrap().try_into().unwrap()
}
