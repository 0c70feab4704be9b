//! What every part of Parlance stands on; no word of rooms or messages.
//!
//! | where | what |
//! |---|---|
//! | [`ids`], [`party`], [`clock`], [`text`] | who and what, when, and in which characters |
//! | [`problem`] | how a failure reaches a client |
//! | [`checks`] | what is wrong with a configuration |
//! | [`supervision`] | how actors live, die and come back |
//! | [`storage`] | Postgres, embedded or the operator's own; reads under row level security |
//! | [`requests`] | what every endpoint reads alike: pages of lists, JSON bodies |
//! | [`recent`] | what is kept of Postgres in memory |
//! | [`secret_file`] | keys in files that only we may read |
//! | [`telemetry`] | logs and metrics |

pub mod checks;
pub mod clock;
pub mod ids;
pub mod party;
pub mod problem;
pub mod recent;
pub mod requests;
pub mod secret_file;
pub mod storage;
pub mod supervision;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "compiled for tests only")]
pub mod testing;
pub mod text;
