//! The devices that somebody is signed in on, seen and signed out from another of them.

use super::Caller;
use super::error::AuthError;
use super::handle::{Auth, SignOutReason};
use super::sign_in::to_the_end;
use super::store::devices;
use super::wire::{Device, DevicePage};
use parlance_foundation::ids::{FamilyId, UserId};

impl Auth {
    /// A page of the caller's devices, of at most `limit`.
    pub(super) async fn own_devices(
        &self,
        caller: &Caller,
        before: Option<FamilyId>,
        limit: usize,
    ) -> Result<DevicePage, AuthError> {
        let mut conn = self.0.storage.read_as(caller.user_id).await?;
        let now = self.0.clock.now();
        // One more than asked for tells whether there is a next page.
        let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut items = devices::devices(&mut conn, caller.user_id, caller.family_id, before, now, asked).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|device| device.id);
        Ok(DevicePage { items, next })
    }

    /// A connection said what device it is on: what its sign-in does not know yet is written down, and nothing else is. An id
    /// that the sign-in has stays, because an earlier one was replaced by it.
    pub async fn note_device(&self, user: UserId, family: FamilyId, said: &Device) -> Result<(), AuthError> {
        if self.knows_device(family, said) {
            return Ok(());
        }
        let mut conn = self.0.storage.engine().acquire().await?;
        if devices::note_device(&mut conn, user, family, said).await? {
            self.device_noted(family);
        }
        Ok(())
    }

    /// Ends one of a user's sign-ins: its tokens are refused from now on, and its sockets end. Ending it twice is no error.
    /// `from` is the sign-in that asks, if one does.
    pub(super) async fn sign_out(
        &self,
        user: UserId,
        family: FamilyId,
        from: Option<FamilyId>,
    ) -> Result<(), AuthError> {
        let reason = if from == Some(family) { SignOutReason::Logout } else { SignOutReason::Remote };
        let auth = self.clone();
        to_the_end(async move {
            let mut conn = auth.0.storage.engine().acquire().await?;
            let ended = devices::revoke_own(&mut conn, user, family, reason, auth.0.clock.now()).await?;
            if ended.is_none() && !devices::is_device(&mut conn, user, family).await? {
                return Err(AuthError::DeviceNotFound);
            }
            drop(conn);
            auth.families_ended(ended.as_slice(), reason);
            Ok(())
        })
        .await
    }

    /// Ends all of a user's sign-ins: for operators. Answers how many there were.
    pub(super) async fn sign_out_everywhere(&self, user: UserId) -> Result<usize, AuthError> {
        let reason = SignOutReason::Remote;
        let auth = self.clone();
        to_the_end(async move {
            let mut conn = auth.0.storage.engine().acquire().await?;
            let ended = devices::revoke_others(&mut conn, user, None, reason, auth.0.clock.now()).await?;
            drop(conn);
            auth.families_ended(&ended, reason);
            Ok(ended.len())
        })
        .await
    }
}
