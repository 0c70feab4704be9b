//! The law about answers: every command has one.

use crate::check::tale::Tale;

/// Commands without an answer on a connection that worked, and with several.
pub fn not_once(tale: &Tale<'_>) -> Vec<String> {
    tale.misanswered.iter().map(|(by, what)| format!("person {by}: {what}")).collect()
}
