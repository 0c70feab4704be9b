//! The store on a real Postgres, and the actor with handlers that tell what happens to them.

mod running;
mod store;

use serde::{Deserialize, Serialize};

use super::Job;

/// A job whose order and dedupe the test chooses.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Note {
    text: String,
    key: Option<String>,
    dedupe: Option<String>,
}

impl Note {
    fn of(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    fn keyed(text: &str, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::of(text) }
    }

    fn once(text: &str, dedupe: &str) -> Self {
        Self { dedupe: Some(dedupe.to_owned()), ..Self::of(text) }
    }
}

impl Job for Note {
    const KIND: &'static str = "test.note";

    fn key(&self) -> Option<String> {
        self.key.clone()
    }

    fn dedupe(&self) -> Option<String> {
        self.dedupe.clone()
    }
}
