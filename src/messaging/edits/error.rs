//! Why a message cannot be edited or deleted.

use parlance_core::rooms::error::ChatError;
use parlance_foundation::problem::Problem;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("Only its author may edit a message.")]
    NotYours,
    #[error("Only its author may delete this message, or an owner or admin of the room who ranks above them.")]
    NotYoursToDelete,
    #[error("The message has been deleted. Send another one.")]
    Deleted,
    #[error("Only owners and admins of the room see what messages were before.")]
    NotAModerator,
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        let detail = error.to_string();
        match error {
            EditError::NotYours | EditError::NotYoursToDelete => Self::forbidden("message.not_yours", detail),
            EditError::Deleted => Self::conflict("message.deleted", detail),
            EditError::NotAModerator => Self::forbidden("message.not_a_moderator", detail),
        }
    }
}

impl From<EditError> for ChatError {
    fn from(error: EditError) -> Self {
        Self::OfFeature(Box::new(error.into()))
    }
}
