//! Who may change what in a team. Pure.

use super::error::TeamError;
use super::wire::TeamRole;

/// What two people are in a team, as read under its lock: who acts, and whom it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub own: Option<TeamRole>,
    pub target: Option<TeamRole>,
    /// Others than the target are in the team.
    pub has_others: bool,
    /// Others than the target own it.
    pub has_other_owner: bool,
}

/// Only owners run a team; to whom is not in it, it is not there.
pub fn require_owner(own: Option<TeamRole>) -> Result<(), TeamError> {
    match own {
        Some(TeamRole::Owner) => Ok(()),
        Some(TeamRole::Member) => Err(TeamError::NotAnOwner),
        None => Err(TeamError::NotFound),
    }
}

impl Standing {
    /// Whether the target may be taken out, by itself or by an owner; if so, whether that is still to be done.
    pub fn may_remove(&self, is_self: bool) -> Result<bool, TeamError> {
        if !is_self {
            require_owner(self.own)?;
        }
        let Some(target) = self.target else { return Ok(false) };
        if target == TeamRole::Owner && !self.has_other_owner && self.has_others {
            return Err(TeamError::LastOwner);
        }
        Ok(true)
    }

    /// Whether the target may be given the role; if so, whether that is still to be done.
    pub fn may_set_role(&self, role: TeamRole, is_self: bool) -> Result<bool, TeamError> {
        // Whoever has stepped down has lost the right to do so.
        let has_stepped_down = is_self && self.own == Some(role);
        if !has_stepped_down {
            require_owner(self.own)?;
        }
        let target = self.target.ok_or(TeamError::NotAMember)?;
        if target == TeamRole::Owner && role != TeamRole::Owner && !self.has_other_owner {
            return Err(TeamError::LastOwner);
        }
        Ok(target != role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TeamRole::{Member, Owner};

    fn standing(own: Option<TeamRole>, target: Option<TeamRole>, others: bool, owner: bool) -> Standing {
        Standing { own, target, has_others: others, has_other_owner: owner }
    }

    #[test]
    fn owners_run_a_team_and_everybody_may_leave() {
        assert!(matches!(standing(Some(Owner), Some(Member), true, true).may_remove(false), Ok(true)));
        assert!(matches!(standing(Some(Member), Some(Member), true, true).may_remove(true), Ok(true)));
        let refused = standing(Some(Member), Some(Member), true, true).may_remove(false);
        assert!(matches!(refused, Err(TeamError::NotAnOwner)));
        assert!(matches!(standing(None, Some(Member), true, true).may_remove(false), Err(TeamError::NotFound)));
        assert!(matches!(standing(None, None, true, true).may_remove(true), Ok(false)), "who left may leave again");
    }

    #[test]
    fn a_team_is_never_without_an_owner_while_somebody_is_in_it() {
        let last = standing(Some(Owner), Some(Owner), true, false);
        assert!(matches!(last.may_remove(true), Err(TeamError::LastOwner)));
        assert!(matches!(last.may_set_role(Member, true), Err(TeamError::LastOwner)));
        let alone = standing(Some(Owner), Some(Owner), false, false);
        assert!(matches!(alone.may_remove(true), Ok(true)), "the last one of all may leave");
        assert!(matches!(alone.may_set_role(Member, true), Err(TeamError::LastOwner)));
        let one_of_two = standing(Some(Owner), Some(Owner), true, true);
        assert!(matches!(one_of_two.may_remove(true), Ok(true)));
        assert!(matches!(one_of_two.may_set_role(Member, true), Ok(true)));
    }

    #[test]
    fn a_role_that_is_so_already_is_nothing_to_do() {
        assert!(matches!(standing(Some(Owner), Some(Member), true, true).may_set_role(Member, false), Ok(false)));
        assert!(matches!(standing(Some(Member), Some(Member), true, true).may_set_role(Member, true), Ok(false)));
        let refused = standing(Some(Member), Some(Member), true, true).may_set_role(Owner, true);
        assert!(matches!(refused, Err(TeamError::NotAnOwner)), "nobody makes themselves an owner");
        assert!(matches!(
            standing(Some(Owner), None, true, true).may_set_role(Owner, false),
            Err(TeamError::NotAMember)
        ));
    }
}
