//! The schema: the migrations of all features, compiled in.

use sqlx::migrate::Migrator;

/// Everything in `migrations/`, in the order of the names.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");
