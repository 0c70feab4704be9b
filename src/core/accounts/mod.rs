//! Accounts: who somebody is, how they prove it, and on which devices they are signed in.
//!
//! [`Auth`] is the only door. There are no actors here: everything is a short transaction, a signature or a
//! password hash, and the hashes have threads of their own.
//!
//! - **Tokens.** An access token is a JWT that says who and until when. A refresh token works once, and belongs to a
//!   *family*: one sign-in on one device. Sent again within `auth.refresh_grace_s` it gets the same answer; later that, as
//!   signing out and disabling the account do, ends the family, and [`Auth::on_signed_out`] tells those who hold its sockets.
//! - **Every door asks the same.** [`Auth::verify`] is behind each HTTP request, `hello` and `auth.renew`: the signature,
//!   then whether the account is enabled and the sign-in goes on. That is known from memory for whoever was here lately
//!   (`recent.rs` says what is kept and why it is right), and read from Postgres for others, and for everybody while this
//!   engine does not hear of changes. So whatever shuts somebody out, on whichever engine or by hand in Postgres, is in
//!   force as soon as it is committed and heard of, and a request costs no read of its own.
//! - **Outside issuers.** Tokens of configured issuers are accepted; their subjects become users here.
//! - **New passwords** end the sign-ins that were made with the old one. Who forgot theirs gets a link from an admin.
//! - **Persists** `users`, `accounts`, `token_families`, `refresh_tokens`, `external_identities`, `password_resets`.
//!
//! Invariants: nobody comes in whose account is disabled or gone or whose sign-in has ended, whatever their token says; a
//! role is never read from anything that a user can write; an answer never tells whether an account
//! exists to somebody who does not hold its password; no password, token or email is logged.

pub mod config;

mod address;
mod admin;
mod caller;
mod demo;
mod devices;
mod error;
mod external;
mod handle;
mod heard;
mod http;
pub mod input;
pub mod jobs;
mod jwks;
mod limits;
mod metrics;
mod new_password;
mod passwords;
mod recent;
mod revoked;
mod sign_in;
pub mod store;
mod subjects;
#[cfg(test)]
mod tests;
mod tokens;
pub mod wire;

pub use address::{ClientAddress, TrustForwardedFor};
pub use admin::{Listed, NewPerson};
pub use caller::{Admin, Caller, UserRole};
pub use demo::{DemoLogin, DemoPerson, forget_demo_logins};
pub use error::{AuthError, InvalidInput};
pub use handle::{Auth, SignOutReason, SignedOut};
pub use heard::is_understood;
pub use http::{ApiDoc, routes};
pub use metrics::describe_metrics;
pub use parlance_foundation::secret_file::random_text as random_secret;
pub use recent::Admitted;
pub use sign_in::SignUp;
pub use store::families::RevokedFamily as EndedFamily;
