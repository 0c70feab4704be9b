//! What can go wrong with teams and parties, and the one table from there to what a client sees.

use parlance_foundation::problem::Problem;

/// Why something could not be done with a team or party.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// Also said of teams that are there and not the caller's to see: ids reveal nothing.
    #[error("There is no such team, or you are not in it.")]
    NotFound,
    #[error("Only an owner of the team may do that. Ask one of them.")]
    NotAnOwner,
    #[error("That person is not in the team.")]
    NotAMember,
    #[error("The team would be without an owner. Make somebody else an owner first.")]
    LastOwner,
    #[error("The team is full: it may have {0} people.")]
    Full(usize),
    #[error("You own {0} teams, as many as one person may. Delete one, or pass one on.")]
    TooMany(usize),
    #[error("You share no room or space with that person. Invite them to a room first; once they are in it, add them.")]
    Stranger,
    #[error("There is no such user.")]
    UserNotFound,
    #[error("{field} {wanted}.")]
    Invalid { field: &'static str, wanted: String },
    #[error("ids {0}.")]
    InvalidParties(String),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<TeamError> for Problem {
    fn from(error: TeamError) -> Self {
        use TeamError as E;
        let detail = error.to_string();
        match error {
            E::NotFound => Self::not_found("team.not_found", detail),
            E::NotAnOwner => Self::forbidden("team.not_an_owner", detail),
            E::NotAMember => Self::not_found("team.not_a_member", detail),
            E::LastOwner => Self::conflict("team.last_owner", detail),
            E::Full(_) => Self::conflict("team.full", detail),
            E::TooMany(_) => Self::conflict("team.too_many", detail),
            E::Stranger => Self::forbidden("team.stranger", detail),
            E::UserNotFound => Self::invalid("team.user_not_found", detail),
            E::Invalid { .. } => Self::invalid("team.invalid", detail),
            E::InvalidParties(_) => Self::invalid("parties.invalid_ids", detail),
            E::Database(error) => error.into(),
        }
    }
}
