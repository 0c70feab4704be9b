//! What administrators look at: what waits to be done, and which secrets features keep.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::Outcome;
use super::actor::{Actor, done};

impl Actor {
    /// Looks at lists, and tries to change what is not there. Elsewhere, where nobody of ours is an admin, nobody may.
    pub async fn administer(self) -> anyhow::Result<Outcome> {
        let Some(admin) = &self.crew.admin else {
            let token = Some(self.device.person.token.as_str());
            let refused = self.see_refused(token, Method::GET, "/api/v1/admin/jobs", None, (403, "auth.not_an_admin"));
            return Ok(refused.await?.err().unwrap_or(Outcome::Done));
        };
        let token = Some(admin.token.as_str());
        let absent = Uuid::now_v7();
        for path in [
            "/api/v1/admin/jobs?limit=50".to_owned(),
            "/api/v1/admin/jobs?state=dead&kind=auth.delete_expired".to_owned(),
            format!("/api/v1/admin/jobs?before={absent}"),
            format!("/api/v1/admin/jobs?after={absent}"),
            "/api/v1/admin/secrets?limit=50&scope=ai.provider".to_owned(),
            format!("/api/v1/admin/secrets?before={absent}"),
            format!("/api/v1/admin/secrets?after={absent}"),
        ] {
            let reached = self.http_with(token, Method::GET, &path, None).await?;
            if let Err(outcome) = done(&Method::GET, &path, &reached, &[])? {
                return Ok(outcome);
            }
        }
        let (job, secret) = (format!("/api/v1/admin/jobs/{absent}"), format!("/api/v1/admin/secrets/{absent}"));
        let (retry, notices) = (format!("{job}/retry"), format!("/api/v1/admin/rooms/{absent}/notices"));
        for (method, path, body, code) in [
            (Method::POST, &retry, None, "jobs.not_found"),
            (Method::DELETE, &job, None, "jobs.not_found"),
            (Method::PUT, &secret, Some(json!({ "value": "new" })), "vault.not_found"),
            (Method::DELETE, &secret, None, "vault.not_found"),
            (Method::POST, &notices, Some(json!({ "client_id": absent, "content": "noon" })), "chat.room_not_found"),
        ] {
            if let Err(outcome) = self.see_refused(token, method, path, body, (404, code)).await? {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Done)
    }
}
