//! Teams: each is made, filled, taken into a room and deleted by one act, so that a soak does not grow.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;
use super::actor::{Actor, ROLES, with};

/// What a team can be in a room.
const TEAM_ROLES: &[&str] = &["guest", "member", "admin"];

impl Actor {
    pub async fn look_at_parties(self) -> anyhow::Result<Outcome> {
        let Some(other) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        let ids = format!("user:{other},{},team:{}", self.device.person.id, Uuid::now_v7());
        self.call(Method::GET, &format!("/api/v1/parties?ids={ids}"), None, &[]).await
    }

    /// The whole life of a team, and of the group where it is.
    pub async fn team_life(self) -> anyhow::Result<Outcome> {
        let Some(other) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        let body = self.perhaps(48, json!({ "name": "a team" }), "description", "who comes along");
        let team = match self.make("/api/v1/teams", body).await? {
            Ok(team) => team,
            Err(outcome) => return Ok(outcome),
        };
        let lived = self.live(team, other).await;
        // Whatever became of it.
        let path = format!("/api/v1/teams/{team}");
        if self.one_in(8, 40) {
            self.call(Method::DELETE, &format!("{path}/members/{}", self.device.person.id), None, &[404, 409]).await?;
        }
        let deleted = self.call(Method::DELETE, &path, None, &[404]).await?;
        Ok(if matches!(lived, Ok(Outcome::Done)) { deleted } else { lived? })
    }

    async fn live(&self, team: Uuid, other: Uuid) -> anyhow::Result<Outcome> {
        let path = format!("/api/v1/teams/{team}");
        let role = self.pick(&["owner", "member"], 44).copied().unwrap_or_default();
        let body = self.perhaps(46, json!({ "user_id": other }), "role", role);
        let members = format!("{path}/members");
        let (field, text) = if self.one_in(2, 42) { ("name", "another name") } else { ("description", "") };
        let steps: [(Method, String, Option<Value>); 3] = [
            (Method::POST, members.clone(), Some(body)),
            (Method::PATCH, path.clone(), Some(with(json!({}), field, text))),
            (Method::PATCH, format!("{members}/{other}"), Some(json!({ "role": role }))),
        ];
        for (method, path, body) in steps {
            let done = self.call(method, &path, body, &[]).await?;
            if done != Outcome::Done {
                return Ok(done);
            }
        }
        let looked = match self.place(3, 36) {
            0 => self.call(Method::GET, &path, None, &[]).await?,
            1 => self.leaf_through("/api/v1/teams", &[]).await?,
            _ => self.leaf_through(&members, &[]).await?,
        };
        if looked != Outcome::Done {
            return Ok(looked);
        }
        self.take_into_group(team, other).await
    }

    /// A group with the team in it, which loses the team or one of its people.
    async fn take_into_group(&self, team: Uuid, other: Uuid) -> anyhow::Result<Outcome> {
        let body = json!({ "kind": "group", "name": "a group of a team", "member_ids": [] });
        let room = match self.make("/api/v1/rooms", body).await? {
            Ok(room) => room,
            Err(outcome) => return Ok(outcome),
        };
        let path = format!("/api/v1/rooms/{room}/members");
        let party = |kind: &str, id: Uuid| json!({ "party": { "type": kind, "id": id } });
        let role = self.pick(TEAM_ROLES, 34).copied().unwrap_or_default();
        let added = self.perhaps(32, party("team", team), "role", role);
        // Of other kinds there is nobody yet; a person comes as a party as well.
        let kind = self.pick(&["agent", "contact"], 30).copied().unwrap_or_default();
        let absent = Uuid::now_v7();
        let as_owner = with(party("user", other), "role", self.pick(&ROLES, 28).copied().unwrap_or_default());
        let alone = format!("/api/v1/teams/{team}/members/{other}");
        let steps: [(Method, String, Option<Value>, &[u16]); 6] = [
            (Method::POST, path.clone(), Some(added), &[]),
            (Method::POST, path.clone(), Some(party(kind, absent)), &[422]),
            (Method::PATCH, format!("{path}/team:{team}"), Some(json!({ "role": role })), &[]),
            (Method::POST, path.clone(), Some(as_owner), &[]),
            (Method::DELETE, alone, None, &[]),
            (Method::DELETE, format!("{path}/team:{team}"), None, &[]),
        ];
        for (n, (method, path, body, refusals)) in steps.into_iter().enumerate() {
            // In half of all acts the team is deleted while it is in the room.
            if n == 5 && self.one_in(2, 26) {
                break;
            }
            let done = self.call(method, &path, body, refusals).await?;
            if !matches!(done, Outcome::Done | Outcome::Refused) {
                return Ok(done);
            }
        }
        let own = format!("{path}/{}", self.device.person.id);
        // While others are there, they would be without an owner.
        let left = self.call(Method::DELETE, &own, None, &[409]).await?;
        Ok(if left == Outcome::Refused { Outcome::Done } else { left })
    }
}
