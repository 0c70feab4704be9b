//! What accounts hear of changes in Postgres: what is kept of people and sign-ins is forgotten, and sign-ins that ended
//! elsewhere end here as well.

use chrono::DateTime;

use super::error::AuthError;
use super::handle::{Auth, SignOutReason};
use super::store::families::RevokedFamily;
use crate::changes::{Hears, Known, Later, NotNow};
use parlance_foundation::ids::UserId;

impl Hears for Auth {
    fn topics(&self) -> &'static [&'static str] {
        &["user", "closed", "signed_out", "identity", "accounts"]
    }

    fn heard(&self, topic: &str, rest: &str) -> Known {
        match Change::parse(topic, rest) {
            Some(Change::User(user)) => self.user_changed(user),
            Some(Change::SignedOut(ended, reason)) => self.sign_out_heard(ended, reason),
            Some(Change::Identity) => self.identities_changed(),
            // Anything about accounts, told in one word because nobody counted.
            None => return Known::Anything,
        }
        Known::Yes
    }

    fn trust(&self, listens: bool) {
        self.trust_memory(listens);
    }

    /// Sign-ins that ended meanwhile end here, too.
    fn make_up(&self) -> Later<'_, Result<(), NotNow>> {
        Box::pin(async { Ok(self.end_missed().await?) })
    }
}

impl From<AuthError> for NotNow {
    fn from(error: AuthError) -> Self {
        Self(error.to_string())
    }
}

/// Whether this is understood of accounts; else whoever lives by one has to look it up.
pub fn is_understood(topic: &str, rest: &str) -> bool {
    Change::parse(topic, rest).is_some()
}

#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// What people see of somebody, or the standing of their account.
    User(UserId),
    SignedOut(RevokedFamily, SignOutReason),
    /// A subject of an outside issuer is somebody else now, or nobody.
    Identity,
}

impl Change {
    fn parse(topic: &str, rest: &str) -> Option<Self> {
        let words: Vec<&str> = rest.split(' ').collect();
        Some(match (topic, words.as_slice()) {
            ("user" | "closed", [user]) => Self::User(user.parse().ok()?),
            ("signed_out", [user, family, until, reason]) => {
                let ended = RevokedFamily {
                    user_id: user.parse().ok()?,
                    family_id: family.parse().ok()?,
                    access_expires_at: DateTime::from_timestamp(until.parse().ok()?, 0)?,
                };
                // A newer version may know more reasons; that it ended is what counts.
                Self::SignedOut(ended, SignOutReason::parse(reason).unwrap_or(SignOutReason::Logout))
            }
            ("identity", [user]) => {
                user.parse::<UserId>().ok()?;
                Self::Identity
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use parlance_foundation::ids::FamilyId;

    #[test]
    fn what_is_told_is_understood_or_refused() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ended = || RevokedFamily {
            user_id: UserId(a),
            family_id: FamilyId(b),
            access_expires_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        };
        let signed_out = |reason: &str| Change::parse("signed_out", &format!("{a} {b} 1800000000 {reason}"));
        for (told, reason) in
            [("too_many", SignOutReason::TooMany), ("reset", SignOutReason::Reset), ("bored", SignOutReason::Logout)]
        {
            assert_eq!(signed_out(told), Some(Change::SignedOut(ended(), reason)));
        }
        for topic in ["user", "closed"] {
            assert_eq!(Change::parse(topic, &a.to_string()), Some(Change::User(UserId(a))));
        }
        assert_eq!(Change::parse("identity", &a.to_string()), Some(Change::Identity));
        for (topic, rest) in
            [("accounts", ""), ("user", ""), ("user", "x"), ("closed", "1 2"), ("signed_out", "1 2 3 bored")]
        {
            assert_eq!(Change::parse(topic, rest), None, "{topic} {rest}");
        }
    }
}
