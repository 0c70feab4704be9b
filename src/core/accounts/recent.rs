//! People who were here lately: what a request or a greeting needs to know of them, without asking Postgres.
//!
//! Kept are enabled accounts as their owners see them, people as everybody sees them, sign-ins that are known to be
//! live, and who a subject of an outside issuer is. Every change that this engine makes is forgotten after its commit;
//! every change at all is told by triggers (`parlance_tell_of_…` in the migrations) and reaches the second half of this file
//! through `changes`. While nobody listens to those, nothing is kept. A network that swallows them without a word is
//! noticed within half a minute (`storage::listen`): for so long, what is kept may be older than Postgres.
//!
//! Invariant: an account in `own` was enabled when it was read, and whoever disables it forgets it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::error::AuthError;
use super::handle::{Auth, SignOutReason, enabled};
use super::store::families::RevokedFamily;
use super::store::{accounts, families, users};
use super::wire::{Device, OwnUser, PublicUser};
use parlance_foundation::ids::{FamilyId, UserId};
use parlance_foundation::recent::Recent;

/// Ids that one statement asks about at most.
const ASKED_AT_ONCE: usize = 5_000;

/// Who is in by their tokens.
#[derive(Debug, Default)]
pub struct Admitted {
    pub users: HashSet<UserId>,
    pub families: HashSet<FamilyId>,
    /// Those by a token of an outside issuer.
    pub outside: HashSet<UserId>,
}

/// Of a sign-in's device as much as tells whether a hello says something new: two hundred characters for each of everybody's
/// sign-ins would be too much to keep.
#[derive(Clone, Copy, Debug)]
struct KnownDevice {
    has_id: bool,
    name: u64,
}

impl KnownDevice {
    fn of(device: &Device) -> Self {
        Self { has_id: device.id.is_some(), name: fingerprint(device.name.as_deref()) }
    }

    /// Whether the sign-in has all of it already. An id that it has stays: the sign-in replaced an earlier one by it.
    fn has(self, said: &Device) -> bool {
        (said.id.is_none() || self.has_id) && (said.name.is_none() || fingerprint(said.name.as_deref()) == self.name)
    }
}

/// Two names that have the same by chance cost one of them its place in a list.
fn fingerprint(name: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// See the module.
pub(super) struct RecentUsers {
    pub(super) own: Recent<UserId, Arc<OwnUser>>,
    people: Recent<UserId, Arc<PublicUser>>,
    /// With what is known of their devices.
    live_families: Recent<FamilyId, KnownDevice>,
    /// By issuer and subject.
    pub(super) subjects: Recent<(String, String), UserId>,
}

impl RecentUsers {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            own: Recent::new("users", entries_max),
            people: Recent::new("people", entries_max),
            live_families: Recent::new("sign_ins", entries_max),
            subjects: Recent::new("subjects", entries_max),
        }
    }

    /// After the commit that changed somebody.
    pub(super) fn forget(&self, user: UserId) {
        self.own.forget(&user);
        self.people.forget(&user);
    }
}

impl Auth {
    /// A person whose account is enabled and whose sign-in goes on, or why not. From memory where that is known; what is
    /// not is read at once and kept.
    pub(super) async fn require_open(&self, user: UserId, family: Option<FamilyId>) -> Result<Arc<OwnUser>, AuthError> {
        let recent = &self.0.recent;
        let known = recent.own.get(&user);
        let unknown_family = family.filter(|family| recent.live_families.get(family).is_none());
        if let (Some(own), None) = (&known, unknown_family) {
            return Ok(Arc::clone(own));
        }
        let token = recent.own.read_token(&user);
        let sign_in = unknown_family.map(|family| (family, recent.live_families.read_token(&family)));
        let mut conn = self.0.storage.read_as(user).await?;
        let own = match known {
            Some(own) => own,
            None => {
                let own = Arc::new(enabled(users::own_user(&mut conn, user).await?)?);
                recent.own.fill(user, token, Arc::clone(&own));
                own
            }
        };
        if let Some((family, token)) = sign_in {
            let device = families::live_device(&mut conn, family).await?.ok_or(AuthError::TokenInvalid)?;
            recent.live_families.fill(family, token, KnownDevice::of(&device));
        }
        Ok(own)
    }

    /// Whether a sign-in has all that a hello said of its device, as far as that is known without asking.
    pub fn knows_device(&self, family: FamilyId, said: &Device) -> bool {
        self.0.recent.live_families.get(&family).is_some_and(|known| known.has(said))
    }

    /// The sign-in has another device now.
    pub(super) fn device_noted(&self, family: FamilyId) {
        self.0.recent.live_families.forget(&family);
    }

    /// People as everybody sees them, for `by`; who is not there is left out.
    pub async fn people(&self, by: UserId, ids: &[UserId]) -> Result<HashMap<UserId, Arc<PublicUser>>, AuthError> {
        let recent = &self.0.recent.people;
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match recent.get(id) {
                Some(known) => drop(found.insert(*id, known)),
                None => missing.push(*id),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let tokens: HashMap<UserId, _> = missing.iter().map(|id| (*id, recent.read_token(id))).collect();
        let mut conn = self.0.storage.read_as(by).await?;
        for person in users::public_users(&mut conn, &missing).await? {
            let person = Arc::new(person);
            recent.fill(person.id, tokens.get(&person.id).copied().unwrap_or_default(), Arc::clone(&person));
            found.insert(person.id, person);
        }
        Ok(found)
    }

    /// Whether somebody hears of changes from here on; whatever is known is forgotten either way.
    pub fn trust_memory(&self, trusted: bool) {
        let recent = &self.0.recent;
        recent.own.trust(trusted);
        recent.people.trust(trusted);
        recent.live_families.trust(trusted);
        recent.subjects.trust(trusted);
    }

    /// Somebody was changed, perhaps elsewhere.
    pub fn user_changed(&self, user: UserId) {
        self.0.recent.forget(user);
    }

    /// Some subject of an outside issuer is somebody else now, or nobody.
    pub fn identities_changed(&self) {
        self.0.recent.subjects.forget_all();
    }

    /// A sign-in ended, perhaps elsewhere: from now on its tokens are refused here as well, and its sockets end.
    pub(super) fn sign_out_heard(&self, ended: RevokedFamily, reason: SignOutReason) {
        if !self.0.revoked.contains(ended.family_id) {
            self.end_families(&[ended], reason);
        }
    }

    /// Makes up for what was not heard: sign-ins that ended meanwhile end here, too.
    pub(super) async fn end_missed(&self) -> Result<(), AuthError> {
        let mut conn = self.0.storage.engine_read("missed_changes").acquire().await?;
        for ended in families::revoked_with_live_tokens(&mut conn, self.0.clock.now()).await? {
            self.sign_out_heard(ended, SignOutReason::Logout);
        }
        Ok(())
    }

    /// Who of `admitted` would not be let in any more: as Postgres has it, whatever is known here.
    pub async fn shut_out_among(&self, admitted: &Admitted) -> Result<Admitted, AuthError> {
        let mut conn = self.0.storage.engine_read("missed_changes").acquire().await?;
        let mut shut_out = Admitted::default();
        for users in in_parts(&admitted.users) {
            shut_out.users.extend(accounts::closed_among(&mut conn, &users).await?);
        }
        for families in in_parts(&admitted.families) {
            shut_out.families.extend(families::ended_among(&mut conn, &families).await?);
        }
        for users in in_parts(&admitted.outside) {
            shut_out.outside.extend(accounts::without_identity_among(&mut conn, &users).await?);
        }
        Ok(shut_out)
    }

    /// After the commit that ended them, here or elsewhere.
    pub(super) fn forget_families(&self, ended: &[RevokedFamily]) {
        for family in ended {
            self.0.recent.live_families.forget(&family.family_id);
        }
    }
}

fn in_parts<Id: Copy>(ids: &HashSet<Id>) -> Vec<Vec<Id>> {
    let ids: Vec<Id> = ids.iter().copied().collect();
    ids.chunks(ASKED_AT_ONCE).map(<[Id]>::to_vec).collect()
}
