//! Which life of the log this is.
//!
//! Clients keep the newest `seq` of each room. A database that came back from a backup gives the same numbers to other
//! events; its epoch is another one, so that clients read anew instead of lacking what they believe to have.

use std::sync::Arc;

use arc_swap::ArcSwap;
use sqlx::PgConnection;
use uuid::Uuid;

/// The epoch as last read. Cheap to clone; clones are one.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<ArcSwap<Uuid>>);

impl Epoch {
    pub fn current(&self) -> Uuid {
        **self.0.load()
    }

    /// Reads the epoch of the database, which begins its first one now if it has none.
    pub(super) async fn read_or_begin(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "INSERT INTO log_epoch (epoch, begun_at) VALUES ($1, now()) ON CONFLICT DO NOTHING",
            Uuid::now_v7()
        )
        .execute(&mut *connection)
        .await?;
        let epoch = sqlx::query_scalar!("SELECT epoch FROM log_epoch").fetch_one(connection).await?;
        self.0.store(Arc::new(epoch));
        Ok(())
    }
}
