//! Whether the engine has heard of a change in Postgres.

use std::time::Duration;

use serde_json::{Value, json};

use super::TestApp;
use super::process::until;

impl TestApp {
    /// Waits until the engine listens to changes, or has noticed that it does not.
    pub async fn until_listening(&self, listens: bool) {
        until("changes are listened to as they should", async || self.listener().await["listens"] == listens).await;
    }

    /// Waits until the engine has heard of everything that was committed before this.
    pub async fn heard_everything(&self) {
        self.until_listening(true).await;
        let marker = format!("user {}", uuid::Uuid::now_v7());
        self.sql(&format!("SELECT pg_notify('parlance_changes', '{marker}')")).await;
        until("the marker is heard", async || self.listener().await["last"] == marker).await;
    }

    /// What an operator does with `psql`, beside the engine.
    pub async fn sql(&self, statement: &str) {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
        statement.execute(self.database.storage.engine()).await.unwrap();
    }

    async fn listener(&self) -> Value {
        let reports = self.engine().supervisor.registry().reports(1_000, Duration::from_secs(10)).await;
        let found = reports.into_iter().find(|report| report.actor == "ChangeListener");
        found.map_or(json!({}), |report| report.state)
    }
}
