//! Names and avatars of parties of every kind. Each kind is a source of its own: one more kind is one more source.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use super::store;
use super::wire::PartyProfile;
use crate::accounts::{Auth, AuthError};
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::party::{Party, PartyKind};
use parlance_foundation::problem::Problem;
use parlance_foundation::storage::Storage;
use uuid::Uuid;

/// What a source answers.
pub type ProfilesFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<PartyProfile>, Problem>> + Send + 'a>>;

/// Who knows the parties of one kind.
pub trait ProfileSource: Send + Sync {
    fn kind(&self) -> PartyKind;

    /// Of these, those who are there and whom `by` may see, in any order.
    fn profiles<'a>(&'a self, by: UserId, ids: &'a [Uuid]) -> ProfilesFuture<'a>;
}

/// The door to profiles. Cheap to clone.
#[derive(Clone)]
pub struct Profiles(Arc<[Arc<dyn ProfileSource>]>);

impl Profiles {
    /// Of people and teams, and of what `more` knows.
    pub fn new(auth: Auth, storage: Storage, more: Vec<Arc<dyn ProfileSource>>) -> Self {
        let own: [Arc<dyn ProfileSource>; 2] = [Arc::new(People(auth)), Arc::new(TeamNames(storage))];
        Self(own.into_iter().chain(more).collect())
    }

    /// Who these are, as far as `by` may see them. Asks each source once.
    pub async fn of(&self, by: UserId, parties: &[Party]) -> Result<HashMap<Party, PartyProfile>, Problem> {
        let mut found = HashMap::with_capacity(parties.len());
        for source in self.0.iter() {
            let mut ids: Vec<Uuid> =
                parties.iter().filter(|party| party.kind() == source.kind()).map(|party| party.uuid()).collect();
            ids.sort_unstable();
            ids.dedup();
            if !ids.is_empty() {
                let profiles = source.profiles(by, &ids).await?;
                found.extend(profiles.into_iter().map(|profile| (profile.party(), profile)));
            }
        }
        Ok(found)
    }
}

/// People, from what accounts keep in memory.
struct People(Auth);

impl ProfileSource for People {
    fn kind(&self) -> PartyKind {
        PartyKind::User
    }

    fn profiles<'a>(&'a self, by: UserId, ids: &'a [Uuid]) -> ProfilesFuture<'a> {
        Box::pin(async move {
            let ids: Vec<UserId> = ids.iter().copied().map(UserId).collect();
            let people = self.0.people(by, &ids).await.map_err(|error: AuthError| Problem::from(error))?;
            Ok(people.values().map(|person| PartyProfile::from(person.as_ref())).collect())
        })
    }
}

/// Teams, from Postgres: those that somebody is in, or shares a room with.
struct TeamNames(Storage);

impl ProfileSource for TeamNames {
    fn kind(&self) -> PartyKind {
        PartyKind::Team
    }

    fn profiles<'a>(&'a self, by: UserId, ids: &'a [Uuid]) -> ProfilesFuture<'a> {
        Box::pin(async move {
            let names = store::names(&self.0, by, ids).await?;
            let profile = |(id, name): (TeamId, String)| PartyProfile::named(Party::Team(id), name);
            Ok(names.into_iter().map(profile).collect())
        })
    }
}
