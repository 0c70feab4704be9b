//! The door to teams: what their people change, and what rooms ask.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use super::config::PartiesConfig;
use super::error::TeamError;
use super::store::{self, Joining, NewTeam, TeamPeople};
use super::wire::{CreateTeam, Team, TeamRole, UpdateTeam};
use crate::jobs::JobsHandle;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::storage::Storage;
use parlance_foundation::text;

/// What [`Acquaintances`] answer.
pub type StrangersFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<UserId>, sqlx::Error>> + Send + 'a>>;

/// Who knows whom: rooms know it.
pub trait Acquaintances: Send + Sync {
    /// Those of `others` who may not be added by `by` without being asked.
    fn strangers<'a>(&'a self, by: UserId, others: &'a [UserId]) -> StrangersFuture<'a>;
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Teams {
    pub(super) config: Arc<PartiesConfig>,
    pub(super) clock: Clock,
    pub(super) storage: Storage,
    /// Woken after a change: rooms follow at once.
    jobs: JobsHandle,
    acquaintances: Arc<dyn Acquaintances>,
}

impl Teams {
    pub fn new(
        config: Arc<PartiesConfig>,
        clock: Clock,
        storage: Storage,
        jobs: JobsHandle,
        acquaintances: Arc<dyn Acquaintances>,
    ) -> Self {
        Self { config, clock, storage, jobs, acquaintances }
    }

    /// Makes a team, with `owner` in it, or finds the one of this client id. Whether it is new.
    pub async fn create(&self, owner: UserId, wanted: &CreateTeam) -> Result<(Team, bool), TeamError> {
        let client_id = wanted.client_id.as_deref();
        let check = |client_id| text::check_client_id(client_id, self.config.client_id_bytes_max);
        client_id.map(check).transpose().map_err(|wanted| TeamError::Invalid { field: "client_id", wanted })?;
        let name = self.name(&wanted.name)?;
        let description = wanted.description.as_deref().map(|text| self.description(text)).transpose()?;
        let team = NewTeam {
            id: TeamId::new(&self.clock),
            client_id,
            owner,
            name: &name,
            description: description.as_deref().filter(|text| !text.is_empty()),
            at: self.clock.now(),
            owned_max: self.config.teams_owned_max,
        };
        let (id, is_new) = store::create(&self.storage, &team).await?;
        Ok((store::team_of(&self.storage, owner, id).await?, is_new))
    }

    /// Renames a team or describes it anew.
    pub async fn describe(&self, by: UserId, team: TeamId, wanted: &UpdateTeam) -> Result<Team, TeamError> {
        let name = wanted.name.as_deref().map(|text| self.name(text)).transpose()?;
        let description = wanted.description.as_deref().map(|text| self.description(text)).transpose()?;
        let (name, description) = (name.as_deref(), description.as_deref());
        store::describe(&self.storage, team, by, name, description, self.clock.now()).await?;
        store::team_of(&self.storage, by, team).await
    }

    /// Takes the team out of its rooms, then deletes it.
    pub async fn delete(&self, by: UserId, team: TeamId) -> Result<(), TeamError> {
        store::end(&self.storage, team, by, self.clock.now()).await?;
        self.jobs.wake();
        Ok(())
    }

    /// Adds somebody. What they are in it now, and whether that is new.
    pub async fn add_member(
        &self,
        by: UserId,
        team: TeamId,
        user: UserId,
        role: TeamRole,
    ) -> Result<(TeamRole, bool), TeamError> {
        if !self.acquaintances.strangers(by, &[user]).await?.is_empty() && !self.is_in(user, team).await? {
            // An owner learns that they may not; others learn nothing.
            super::state::require_owner(store::team_of(&self.storage, by, team).await?.role)?;
            return Err(TeamError::Stranger);
        }
        let joining = Joining { user, role, at: self.clock.now(), people_max: self.config.team_people_max };
        let added = store::add_member(&self.storage, team, by, &joining).await?;
        self.jobs.wake();
        Ok(added)
    }

    /// Takes somebody out; oneself: leaves.
    pub async fn remove_member(&self, by: UserId, team: TeamId, user: UserId) -> Result<(), TeamError> {
        store::remove_member(&self.storage, team, by, user).await?;
        self.jobs.wake();
        Ok(())
    }

    /// The people of those of these teams that are there and not being deleted.
    pub async fn people_of(&self, teams: &[TeamId]) -> Result<HashMap<TeamId, TeamPeople>, sqlx::Error> {
        if teams.is_empty() { Ok(HashMap::new()) } else { store::people_of(&self.storage, teams).await }
    }

    /// A team came into a room or left it, and the room looks once more: at once, not with the next poll, so that whoever
    /// changes the team a moment later is still the one who did that.
    pub fn came_or_went(&self) {
        self.jobs.wake();
    }

    /// What the jobs of teams are run by.
    pub fn jobs(&self) -> &JobsHandle {
        &self.jobs
    }

    /// Deletes those teams whose end has begun and that no room has any more.
    pub async fn delete_ended(&self) -> Result<(), sqlx::Error> {
        store::delete_ended(&self.storage).await
    }

    async fn is_in(&self, user: UserId, team: TeamId) -> Result<bool, sqlx::Error> {
        Ok(self.people_of(&[team]).await?.get(&team).is_some_and(|team| team.people.contains(&user)))
    }

    fn name(&self, text: &str) -> Result<String, TeamError> {
        let name = line("name", text, self.config.name_chars_max)?;
        if name.is_empty() {
            return Err(TeamError::Invalid { field: "name", wanted: "must not be empty".into() });
        }
        Ok(name)
    }

    fn description(&self, text: &str) -> Result<String, TeamError> {
        line("description", text, self.config.description_chars_max)
    }
}

/// One line as people see it, of at most so many characters.
fn line(field: &'static str, typed: &str, chars_max: usize) -> Result<String, TeamError> {
    text::short_line(typed, chars_max).map_err(|wanted| TeamError::Invalid { field, wanted })
}
