//! What clients may say over the WebSocket, and what they hear: the lists of all features, joined. One line a feature.

use serde_json::Value;

use crate::commands::Protocol;
use crate::messaging::edits;
use crate::messaging::edits::commands::EditDoors;
use crate::rooms::commands::RoomDoors;
use crate::rooms::http::ChatParts;
use crate::{rooms, sessions};

/// What the features' commands get their doors from.
pub struct Doors {
    pub chat: ChatParts,
}

/// Every command and every frame.
pub fn protocol() -> Protocol<Doors> {
    Protocol::of(sessions::COMMANDS, sessions::wire::FRAMES)
        .with(rooms::commands::COMMANDS, |doors: &Doors| RoomDoors::new(&doors.chat), rooms::wire::FRAMES)
        .with(edits::commands::COMMANDS, |doors: &Doors| EditDoors::new(&doors.chat), edits::commands::FRAMES)
}

/// The AsyncAPI document.
pub fn document() -> Value {
    protocol().document()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_and_each_schema_is_one_features() {
        let protocol = protocol();
        let kinds = protocol.commands().map(|command| command.kind).chain(protocol.frames().map(|frame| frame.kind));
        let mut seen = BTreeSet::new();
        let twice: Vec<&str> = kinds.filter(|kind| !seen.insert(*kind)).collect();
        assert!(twice.is_empty(), "another feature has a command or frame of this kind: {twice:?}");
        let names = protocol.commands().flat_map(|command| [command.name(), command.answer_name()]);
        let names = names.chain(protocol.frames().map(|frame| frame.name()));
        let mut seen = BTreeSet::new();
        let twice: Vec<String> = names.filter(|name| !seen.insert(name.clone())).collect();
        assert!(
            twice.is_empty(),
            "kinds that differ only by a dot or a line have one name among the schemas: {twice:?}"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn every_command_says_what_it_is_and_which_codes_refuse_it() {
        for command in protocol().commands() {
            let named = command.errors.iter().all(|code| code.contains('.') && !code.contains(' '));
            assert!(!command.summary.is_empty() && named, "{}", command.kind);
        }
    }
}
