//! Before a run: people, rooms, and the network between them and the engine.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::{Context, bail};
use uuid::Uuid;

use super::CheckArgs;
use super::history::{Cast, Founding, Who};
use super::proxy::Lane;
use super::world::{Scene, World};
use crate::client::{Accounts, Person};
use crate::engine::Target;

pub async fn gather(
    args: &CheckArgs,
    seed: u64,
    target: &Target,
    accounts: &Accounts,
) -> anyhow::Result<(Rc<World>, Cast)> {
    let mut people = accounts.people(usize::from(args.users) + 1).await?;
    let outsider = people.pop().context("a run needs people")?;
    let others = rooms_of(accounts, &people).await?;
    let Some((_, founders)) = people.split_last() else { bail!("a run needs people") };
    let mut rooms = Vec::new();
    let mut founding = Vec::new();
    for room in 0..usize::from(args.rooms) {
        // As `World` chooses owners: the settled people in turn.
        let owner = room % (people.len() - (people.len() / 4).max(2));
        let mut members: Vec<Person> = founders.to_vec();
        members.swap(0, owner);
        let id = accounts.group(&members).await?;
        let role = |who: usize| if who == owner { "owner" } else { "member" };
        let members = (0..founders.len()).filter_map(|who| Some((Who::try_from(who).ok()?, role(who).to_owned())));
        founding.push(Founding { id, name: Some("load".to_owned()), members: members.collect() });
        rooms.push(id);
    }
    let mut lanes = Vec::new();
    for _ in 0..people.len() * 2 + rooms.len() + 1 {
        lanes.push(Lane::before(target.address).await?);
    }
    let cast = Cast {
        people: people.iter().map(|person| person.id).collect(),
        rooms: founding,
        readers: (0..args.users).collect(),
    };
    let scene = Scene { people, outsider, rooms, others, lanes };
    Ok((World::new(seed, scene)?, cast))
}

/// The rooms that people are in already; an engine elsewhere may have some for everybody.
async fn rooms_of(accounts: &Accounts, people: &[Person]) -> anyhow::Result<HashSet<(Who, Uuid)>> {
    let mut rooms = HashSet::new();
    for (who, person) in (0..).zip(people) {
        let listed = accounts.pages("/api/v1/rooms", &person.token).await?;
        let ids = listed.iter().filter_map(|room| Uuid::parse_str(room.get("id")?.as_str()?).ok());
        rooms.extend(ids.map(|id| (who, id)));
    }
    Ok(rooms)
}
