//! Signing up, signing in, staying signed in, and signing out.
//!
//! Invariants: a pair of tokens leaves the engine only after the commit that recorded it. A refresh token has one
//! successor, however often it is sent: for a moment (`auth.refresh_grace_s`), and while the successor is unused, it is
//! answered with that one again, so that a lost answer or a second tab signs nobody out. After that its use ends the
//! family for both who hold it, because the engine cannot tell the thief from the owner. A thief who comes within the
//! moment shares the successor with the owner, and shows when the second of the two uses that.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Postgres, Transaction};

use super::address::ClientAddress;
use super::error::AuthError;
use super::handle::{Auth, SignOutReason};
use super::passwords::Checked;
use super::store::accounts::{self, NewAccount};
use super::store::families::{self, FoundToken, TokenTimes};
use super::store::users;
use super::tokens::{Bearer, RefreshToken};
use super::wire::{Device, SignedIn};
use super::{Caller, UserRole, input};
use parlance_foundation::ids::{FamilyId, UserId};

/// What somebody signs up with, not yet checked.
#[derive(Clone, Copy)]
pub struct SignUp<'a> {
    pub username: &'a str,
    pub email: &'a str,
    pub password: &'a str,
    pub full_name: Option<&'a str>,
    pub device: Option<&'a Device>,
}

impl Auth {
    /// Creates an account and signs it in.
    pub async fn register(&self, sign_up: SignUp<'_>, address: ClientAddress) -> Result<SignedIn, AuthError> {
        counted("parlance_registrations_total", self.try_register(sign_up, address).await)
    }

    /// Signs in with a username or an email and a password.
    pub async fn login(
        &self,
        login: &str,
        password: &str,
        device: Option<&Device>,
        address: ClientAddress,
    ) -> Result<SignedIn, AuthError> {
        counted("parlance_logins_total", self.try_login(login, password, device, address).await)
    }

    /// Gives a new pair of tokens for a refresh token that was not used before, or the same successor again for one that
    /// was a moment ago.
    pub async fn refresh(&self, refresh_token: &str, address: ClientAddress) -> Result<SignedIn, AuthError> {
        counted("parlance_refreshes_total", self.try_refresh(refresh_token, address).await)
    }

    /// Ends the sign-in that the caller's token came from; a token of an outside issuer has none here.
    pub async fn logout(&self, caller: &Caller) -> Result<(), AuthError> {
        match caller.family_id {
            Some(family) => self.end_sign_in(family).await,
            None => Ok(()),
        }
    }

    /// Ends the sign-in of an access token, or of a refresh token where that is none any more.
    pub async fn leave(
        &self,
        access_token: Result<&str, AuthError>,
        refresh_token: Option<&str>,
        address: ClientAddress,
    ) -> Result<(), AuthError> {
        let bearer = match access_token {
            Ok(token) => self.bearer(token).await,
            Err(refusal) => Err(refusal),
        };
        let family = match (bearer, refresh_token) {
            (Ok(Bearer { family_id: Some(family), .. }), _) => family,
            (_, Some(token)) => self.family_of(token, address).await?,
            // Of an outside issuer: nothing is signed in here.
            (Ok(_), None) => return Ok(()),
            (Err(refusal), None) => return Err(refusal),
        };
        self.end_sign_in(family).await
    }

    async fn family_of(&self, refresh_token: &str, address: ClientAddress) -> Result<FamilyId, AuthError> {
        self.0.limits.refresh(address)?;
        let token = RefreshToken::parse(refresh_token)?.hash();
        let mut conn = self.0.storage.engine().acquire().await?;
        families::family_of_token(&mut conn, &token).await?.ok_or(AuthError::RefreshRefused)
    }

    async fn end_sign_in(&self, family: FamilyId) -> Result<(), AuthError> {
        let auth = self.clone();
        to_the_end(async move {
            let mut conn = auth.0.storage.engine().acquire().await?;
            let ended = families::revoke(&mut conn, family, SignOutReason::Logout, auth.0.clock.now()).await?;
            auth.families_ended(ended.as_slice(), SignOutReason::Logout);
            Ok(())
        })
        .await
    }

    async fn try_register(&self, sign_up: SignUp<'_>, address: ClientAddress) -> Result<SignedIn, AuthError> {
        if !self.0.config.registration {
            return Err(AuthError::RegistrationClosed);
        }
        let username = input::username(sign_up.username)?;
        let email = input::email(sign_up.email)?;
        input::password(sign_up.password, self.0.config.password_chars_min, &username, Some(&email))?;
        let full_name = sign_up.full_name.map(input::full_name).transpose()?;
        let device = input::device(sign_up.device)?;
        self.0.limits.register(address)?;
        // Hashed before asking whether the names are free, so that the time does not tell.
        let password_hash = self.0.passwords.hash(sign_up.password).await?;
        let account = NewAccount {
            id: UserId::new(&self.0.clock),
            username: &username,
            full_name: full_name.as_deref(),
            avatar_url: None,
            email: Some(&email),
            password_hash: Some(&password_hash),
            now: self.0.clock.now(),
        };
        let mut transaction = self.0.storage.engine().begin().await?;
        if !accounts::create_account(&mut transaction, &account).await? {
            return Err(AuthError::RegistrationRefused);
        }
        let auth = self.clone();
        let user = account.id;
        let answer = to_the_end(async move { auth.open_family(transaction, user, &device).await }).await?;
        tracing::info!(user_id = %account.id, "an account was created");
        Ok(answer)
    }

    async fn try_login(
        &self,
        login: &str,
        password: &str,
        device: Option<&Device>,
        address: ClientAddress,
    ) -> Result<SignedIn, AuthError> {
        let login = input::login(login)?;
        input::given_password(password)?;
        let device = input::device(device)?;
        self.0.limits.login_from(address)?;
        if let Err(limited) = self.0.limits.login_to(&login, address)
            && !self.may_pass(&login, &device).await?
        {
            return Err(limited);
        }
        let mut conn = self.0.storage.engine().acquire().await?;
        let account = accounts::credentials(&mut conn, &login).await?;
        // Nobody waits for a connection because somebody waits for a hash.
        drop(conn);
        let stored = account.as_ref().and_then(|account| account.password_hash.clone());
        let checked = self.0.passwords.check(password, stored.clone()).await?;
        let (Some(account), Checked::Right { rehashed }) = (account, checked) else {
            return Err(AuthError::LoginRefused);
        };
        // Said only to somebody who knows the password.
        if account.disabled_at.is_some() {
            return Err(AuthError::AccountDisabled);
        }
        let mut transaction = self.0.storage.engine().begin().await?;
        // The hash took its time: a password that was changed meanwhile, and with it ended all sign-ins, opens nothing.
        let stored = stored.unwrap_or_default();
        if !accounts::hold_hash(&mut transaction, account.user_id, &stored).await? {
            return Err(AuthError::LoginRefused);
        }
        if let Some(fresh) = rehashed {
            accounts::replace_hash(&mut transaction, account.user_id, &stored, &fresh).await?;
        }
        let auth = self.clone();
        to_the_end(async move { auth.open_family(transaction, account.user_id, &device).await }).await
    }

    /// Whether a try past the account's allowance is from a device of its owner. Who guesses from many addresses, or from
    /// the owner's own, shuts out others and new devices for a minute, not this one. That the answer may take a read of
    /// Postgres tells nothing: it is a refusal unless somebody knows an id of the owner's devices.
    async fn may_pass(&self, login: &str, device: &Device) -> Result<bool, AuthError> {
        let Some(device_id) = &device.id else { return Ok(false) };
        let mut conn = self.0.storage.engine_read("known_device").acquire().await?;
        let owner = accounts::owner_of_device(&mut conn, login, device_id).await?;
        Ok(owner.is_some_and(|user| self.0.limits.login_on(user, device_id).is_ok()))
    }

    async fn try_refresh(&self, refresh_token: &str, address: ClientAddress) -> Result<SignedIn, AuthError> {
        self.0.limits.refresh(address)?;
        let token = RefreshToken::parse(refresh_token)?;
        let auth = self.clone();
        to_the_end(async move { auth.use_refresh_token(&token).await }).await
    }

    async fn use_refresh_token(&self, token: &RefreshToken) -> Result<SignedIn, AuthError> {
        let now = self.0.clock.now();
        let grace = Duration::from_secs(self.0.config.refresh_grace_s);
        let mut conn = self.0.storage.engine().begin().await?;
        let found = families::find_for_use(&mut conn, &token.hash()).await?.ok_or(AuthError::RefreshRefused)?;
        let successor = self.0.tokens.successor(token);
        match judge(&found, now, grace) {
            Verdict::Refuse => Err(AuthError::RefreshRefused),
            Verdict::RefuseDisabled => Err(AuthError::AccountDisabled),
            Verdict::EndFamily => self.end_reused(conn, &found, now).await,
            Verdict::Rotate => {
                let times = self.times(now);
                families::rotate(&mut conn, found.family_id, &token.hash(), &successor.hash(), times).await?;
                self.answer_refresh(conn, &found, successor, now).await
            }
            // A read of its own, for it must see what was committed while the first one waited for the lock.
            Verdict::AnswerAgain => {
                match families::unused_until(&mut conn, found.family_id, &successor.hash()).await? {
                    Some(expires_at) if expires_at <= now => Err(AuthError::RefreshRefused),
                    Some(_) => {
                        families::prolong_access(&mut conn, found.family_id, self.times(now).access_expires_at).await?;
                        let answer = self.answer_refresh(conn, &found, successor, now).await?;
                        metrics::counter!("parlance_refreshes_repeated_total").increment(1);
                        Ok(answer)
                    }
                    // The successor was used as well, or was made under another key: nobody can tell who sends this.
                    None => self.end_reused(conn, &found, now).await,
                }
            }
        }
    }

    /// The last step of a transaction: ends the family of a token that was used a second time.
    async fn end_reused(
        &self,
        mut conn: Transaction<'_, Postgres>,
        found: &FoundToken,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, AuthError> {
        let ended = families::revoke(&mut conn, found.family_id, SignOutReason::Reuse, now).await?;
        conn.commit().await?;
        tracing::warn!(
            user_id = %found.user_id, family_id = %found.family_id,
            "a refresh token was used twice; its device is signed out"
        );
        self.families_ended(ended.as_slice(), SignOutReason::Reuse);
        Err(AuthError::RefreshRefused)
    }

    /// The last step of a transaction: answers with the successor, whose access token is always a new one.
    async fn answer_refresh(
        &self,
        mut conn: Transaction<'_, Postgres>,
        found: &FoundToken,
        successor: RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, AuthError> {
        let answer = self.answer(&mut conn, found.user_id, found.family_id, found.role, successor, now).await?;
        conn.commit().await?;
        Ok(answer)
    }

    /// The last step of a transaction: signs the user in on the device, and commits.
    async fn open_family(
        &self,
        mut conn: Transaction<'_, Postgres>,
        user: UserId,
        device: &Device,
    ) -> Result<SignedIn, AuthError> {
        let now = self.0.clock.now();
        let family = FamilyId::new(&self.0.clock);
        let token = RefreshToken::random();
        let (role, disabled) = families::lock_account(&mut conn, user).await?.ok_or(AuthError::LoginRefused)?;
        if disabled {
            return Err(AuthError::AccountDisabled);
        }
        let replaced = match &device.id {
            Some(device_id) => families::revoke_device(&mut conn, user, device_id, now).await?,
            None => Vec::new(),
        };
        families::open_family(&mut conn, family, user, device, &token.hash(), self.times(now)).await?;
        let devices_max = i64::from(self.0.config.devices_max);
        let surplus = families::revoke_beyond(&mut conn, user, devices_max, now).await?;
        let answer = self.answer(&mut conn, user, family, role, token, now).await?;
        conn.commit().await?;
        self.families_ended(&replaced, SignOutReason::Replaced);
        self.families_ended(&surplus, SignOutReason::TooMany);
        Ok(answer)
    }

    /// Reads the person inside the transaction: were it read after the commit, an outage just then would cost the
    /// client a refresh token that it never saw.
    async fn answer(
        &self,
        conn: &mut sqlx::PgConnection,
        user: UserId,
        family: FamilyId,
        role: UserRole,
        refresh_token: RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, AuthError> {
        let gone = || AuthError::Internal("an account without its user".into());
        let (own, _) = users::own_user(conn, user).await?.ok_or_else(gone)?;
        Ok(SignedIn {
            user: own,
            access_token: self.0.tokens.sign(user, family, role, now)?,
            refresh_token: refresh_token.into_text(),
            expires_in: self.0.tokens.life_s(),
        })
    }

    fn times(&self, now: DateTime<Utc>) -> TokenTimes {
        TokenTimes {
            now,
            access_expires_at: now + Duration::from_secs(self.0.tokens.life_s()),
            refresh_expires_at: now + Duration::from_secs(self.0.config.refresh_token_s),
        }
    }
}

/// A handler is dropped when its client hangs up, and a page that signs out often closes at once: what a commit
/// ended must still be told, so the work goes on without the client.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, AuthError>> + Send + 'static,
) -> Result<T, AuthError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(AuthError::Internal(format!("signing in or out was cut off: {error}"))))
}

/// What to do about a refresh token that somebody sent.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Rotate,
    /// Used a moment ago: with the same successor, if that is unused.
    AnswerAgain,
    Refuse,
    RefuseDisabled,
    EndFamily,
}

fn judge(found: &FoundToken, now: DateTime<Utc>, grace: Duration) -> Verdict {
    let in_time = |used_at| now < used_at + grace;
    match found.used_at {
        _ if found.revoked_at.is_some() => Verdict::Refuse,
        Some(used_at) if !in_time(used_at) => Verdict::EndFamily,
        None if found.expires_at <= now => Verdict::Refuse,
        _ if found.disabled_at.is_some() => Verdict::RefuseDisabled,
        Some(_) => Verdict::AnswerAgain,
        None => Verdict::Rotate,
    }
}

fn counted(metric: &'static str, result: Result<SignedIn, AuthError>) -> Result<SignedIn, AuthError> {
    let outcome = result.as_ref().map_or_else(AuthError::outcome, |_| "ok");
    metrics::counter!(metric, "outcome" => outcome).increment(1);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlance_foundation::clock::Clock;

    const GRACE: Duration = Duration::from_secs(60);

    #[test]
    fn a_refresh_token_is_judged_by_what_happened_to_it() {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let now = clock.now();
        let (past, future) = (Some(now - Duration::from_secs(1)), now + Duration::from_secs(1));
        let long_ago = Some(now - GRACE);
        let fresh = || FoundToken {
            family_id: FamilyId::new(&clock),
            user_id: UserId::new(&clock),
            role: UserRole::User,
            used_at: None,
            expires_at: future,
            revoked_at: None,
            disabled_at: None,
        };
        let cases = [
            (fresh(), Verdict::Rotate),
            (FoundToken { expires_at: now, ..fresh() }, Verdict::Refuse),
            (FoundToken { disabled_at: past, ..fresh() }, Verdict::RefuseDisabled),
            (FoundToken { used_at: past, ..fresh() }, Verdict::AnswerAgain),
            // As another engine's clock may have it, which is ahead of ours.
            (FoundToken { used_at: Some(future), ..fresh() }, Verdict::AnswerAgain),
            (FoundToken { used_at: past, expires_at: now, ..fresh() }, Verdict::AnswerAgain),
            (FoundToken { used_at: past, disabled_at: past, ..fresh() }, Verdict::RefuseDisabled),
            (FoundToken { used_at: long_ago, ..fresh() }, Verdict::EndFamily),
            (FoundToken { used_at: long_ago, expires_at: now, ..fresh() }, Verdict::EndFamily),
            (FoundToken { used_at: long_ago, disabled_at: past, ..fresh() }, Verdict::EndFamily),
            (FoundToken { used_at: past, revoked_at: past, ..fresh() }, Verdict::Refuse),
            (FoundToken { revoked_at: past, ..fresh() }, Verdict::Refuse),
        ];
        for (found, verdict) in cases {
            assert_eq!(judge(&found, now, GRACE), verdict, "{found:?}");
        }
        let strict = FoundToken { used_at: past, ..fresh() };
        assert_eq!(judge(&strict, now, Duration::ZERO), Verdict::EndFamily, "a grace of nothing is none");
    }
}
