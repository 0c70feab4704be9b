//! Who may change who is in a space. Pure: what it needs to know is read under a lock of the space.

use super::error::ChatError;
use super::permissions::{Action, Role, may_in_space, outranks};

/// What the one who acts and the one who is acted upon are in a space.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub own: Option<Role>,
    pub target: Option<Role>,
    /// Beside the target.
    pub has_others: bool,
    pub has_other_owner: bool,
}

impl Standing {
    fn require(&self, action: Action) -> Result<Role, ChatError> {
        let own = self.own.ok_or(ChatError::SpaceNotFound)?;
        if may_in_space(own, action) { Ok(own) } else { Err(ChatError::NotAllowed) }
    }
}

/// Whether the target is to be taken out; if not, they are out already. `is_self`: they leave.
pub fn may_take_out(standing: &Standing, is_self: bool) -> Result<bool, ChatError> {
    if is_self && standing.target.is_none() {
        // They may have left without hearing the answer. Of a space that is not theirs this says nothing.
        return Ok(false);
    }
    let own = standing.require(if is_self { Action::Leave } else { Action::RemoveMember })?;
    let Some(target) = standing.target else { return Ok(false) };
    if !is_self && !outranks(own, target) {
        return Err(ChatError::NotAllowed);
    }
    // The last person may always leave: an empty space needs no owner.
    if target == Role::Owner && standing.has_others && !standing.has_other_owner {
        return Err(ChatError::LastOwner);
    }
    Ok(true)
}

/// Whether the target is to be made this; if not, they are that already.
pub fn may_set_role(standing: &Standing, role: Role, is_self: bool) -> Result<bool, ChatError> {
    // Whoever has stepped down may have lost the right to do so.
    if is_self && standing.target == Some(role) {
        return Ok(false);
    }
    let own = standing.require(Action::SetRole)?;
    let target = standing.target.ok_or(ChatError::NotAMember)?;
    // An admin may step down, which is acting on an equal: oneself.
    let acts = is_self || (outranks(own, target) && outranks(own, role));
    if !acts || role > own {
        return Err(ChatError::NotAllowed);
    }
    // Also when alone: a space without an owner could never get one again.
    if target == Role::Owner && role != Role::Owner && !standing.has_other_owner {
        return Err(ChatError::LastOwner);
    }
    Ok(target != role)
}

#[cfg(test)]
mod tests {
    use super::Role::{Admin, Guest, Member, Owner};
    use super::*;

    fn standing(own: Role, target: Role, has_other_owner: bool) -> Standing {
        Standing { own: Some(own), target: Some(target), has_others: true, has_other_owner }
    }

    #[test]
    fn an_owner_hands_over_and_goes_but_the_last_one_stays() {
        assert_eq!(may_take_out(&standing(Owner, Owner, false), true), Err(ChatError::LastOwner));
        assert_eq!(may_set_role(&standing(Owner, Owner, false), Admin, true), Err(ChatError::LastOwner));
        assert_eq!(may_set_role(&standing(Owner, Member, true), Owner, false), Ok(true));
        assert_eq!(may_set_role(&standing(Owner, Owner, true), Member, true), Ok(true));
        assert_eq!(may_take_out(&standing(Owner, Owner, true), true), Ok(true));
        let alone = Standing { has_others: false, ..standing(Owner, Owner, false) };
        assert_eq!(may_take_out(&alone, true), Ok(true));
        assert_eq!(may_set_role(&alone, Member, true), Err(ChatError::LastOwner));
    }

    #[test]
    fn nobody_acts_on_someone_above_or_raises_above_themselves() {
        for (own, target) in [(Admin, Owner), (Admin, Admin), (Member, Guest), (Guest, Guest)] {
            assert_eq!(
                may_take_out(&standing(own, target, true), false),
                Err(ChatError::NotAllowed),
                "{own:?} {target:?}"
            );
        }
        assert_eq!(may_set_role(&standing(Admin, Member, true), Admin, false), Err(ChatError::NotAllowed));
        assert_eq!(may_set_role(&standing(Admin, Admin, true), Owner, true), Err(ChatError::NotAllowed));
        assert_eq!(may_set_role(&standing(Admin, Guest, true), Member, false), Ok(true));
        assert_eq!(may_set_role(&standing(Admin, Admin, true), Guest, true), Ok(true));
        assert_eq!(may_set_role(&standing(Member, Guest, true), Guest, false), Err(ChatError::NotAllowed));
    }

    #[test]
    fn asking_again_is_harmless() {
        let out = |own| Standing { own, target: None, has_others: true, has_other_owner: true };
        assert_eq!(may_take_out(&out(Some(Admin)), false), Ok(false));
        assert_eq!(may_take_out(&out(None), true), Ok(false));
        assert_eq!(may_take_out(&out(None), false), Err(ChatError::SpaceNotFound));
        // An admin who has stepped down and did not hear so.
        assert_eq!(may_set_role(&standing(Member, Member, true), Member, true), Ok(false));
        assert_eq!(may_set_role(&standing(Owner, Admin, true), Admin, false), Ok(false));
    }
}
