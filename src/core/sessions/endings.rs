//! Sockets end with what they live by: an account that was closed, a subject of an outside issuer that is somebody else now, a
//! log that is not the one that it was.
//!
//! Invariant: nobody stays connected whose account or sign-in ended while nobody listened, or in a way that is told of in no
//! more than a word: then every session's is looked up again.

use super::Hubs;
use crate::accounts::{self, Auth, AuthError};
use crate::changes::{Hears, Known, Later, NotNow};
use crate::wire::close;
use parlance_foundation::ids::UserId;

/// See the module. Hears after `accounts`: a hello under way is refused by the one or found by the other.
pub struct Endings {
    pub auth: Auth,
    pub hubs: Hubs,
}

impl Hears for Endings {
    fn topics(&self) -> &'static [&'static str] {
        &["user", "closed", "signed_out", "identity", "accounts"]
    }

    fn heard(&self, topic: &str, rest: &str) -> Known {
        match (topic, rest.parse::<UserId>()) {
            ("closed", Ok(user)) => self.hubs.end_user(user),
            // Whoever came by an outside issuer's token comes back as whoever that token stands for now, if anybody.
            ("identity", Ok(user)) => self.hubs.end_outside(user),
            // `Auth` ends the sockets of a sign-in that it understood.
            ("user" | "signed_out", _) if accounts::is_understood(topic, rest) => {}
            _ => return Known::Anything,
        }
        Known::Yes
    }

    fn make_up(&self) -> Later<'_, Result<(), NotNow>> {
        Box::pin(async { Ok(self.end_missed().await?) })
    }

    /// A hello under way reads what is, or is found and comes back.
    fn begin_anew(&self) -> Later<'_> {
        self.hubs.close_all(close::UNAVAILABLE);
        crate::changes::now(())
    }
}

impl Endings {
    /// Ends here what ended unheard, also what left no trace: every connected session is looked up again. One that is
    /// being greeted asks Postgres once more after it can be found here, or knows only what was read after this began.
    async fn end_missed(&self) -> Result<(), AuthError> {
        let shut_out = self.auth.shut_out_among(&self.hubs.admitted().await).await?;
        for user in shut_out.users {
            self.auth.user_changed(user);
            self.hubs.end_user(user);
        }
        shut_out.families.into_iter().for_each(|family| self.hubs.end_family(family));
        for user in shut_out.outside {
            self.auth.identities_changed();
            self.hubs.end_outside(user);
        }
        Ok(())
    }
}
