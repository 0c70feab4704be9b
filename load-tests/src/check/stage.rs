//! Before a run: people, rooms, and the network between them and the engine.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::CheckArgs;
use super::history::{Cast, Founding, Who};
use super::proxy::Lane;
use super::world::{Scene, World};
use crate::client::{Accounts, Person};
use crate::engine::Target;

/// As groups of a run are named.
const NAME: &str = "load";

pub async fn gather(
    args: &CheckArgs,
    seed: u64,
    target: &Target,
    accounts: &Accounts,
) -> anyhow::Result<(Rc<World>, Cast)> {
    let mut people = accounts.people(usize::from(args.users) + 1).await?;
    let outsider = people.pop().context("a run needs people")?;
    let others = rooms_of(accounts, &people).await?;
    let mut founding = Vec::new();
    for room in 0..usize::from(args.rooms) {
        // As `World` chooses owners: the settled people in turn.
        let owner = room % (people.len() - (people.len() / 4).max(2));
        // One of several is a channel.
        let is_channel = room > 0 && room + 1 == usize::from(args.rooms);
        founding.push(found(accounts, &people, owner, is_channel).await?);
    }
    let rooms: Vec<Uuid> = founding.iter().map(|room| room.id).collect();
    let mut lanes = Vec::new();
    for _ in 0..people.len() * 2 + rooms.len() + 1 {
        lanes.push(Lane::before(target.address).await?);
    }
    let cast = Cast {
        people: people.iter().map(|person| person.id).collect(),
        rooms: founding,
        readers: (0..args.users).collect(),
        resumed_max: None,
    };
    let scene = Scene { people, outsider, rooms, others, lanes };
    Ok((World::new(seed, scene)?, cast))
}

/// A room of everybody but the last, who comes late; a channel is in a space of all of them.
async fn found(accounts: &Accounts, people: &[Person], owner: usize, is_channel: bool) -> anyhow::Result<Founding> {
    let Some((_, founders)) = people.split_last() else { bail!("a run needs people") };
    let mut members: Vec<Person> = founders.to_vec();
    members.swap(0, owner);
    let id = if is_channel { channel(accounts, people, &members).await? } else { accounts.group(&members).await? };
    let role = |who: Who| if usize::from(who) == owner { "owner" } else { "member" };
    let everybody = (0..people.len()).filter_map(|who| Who::try_from(who).ok());
    let members = everybody.clone().take(founders.len()).map(|who| (who, role(who).to_owned())).collect();
    let finders = if is_channel { everybody.collect() } else { Vec::new() };
    Ok(Founding { id, name: Some(NAME.to_owned()), members, finders })
}

/// A channel in a space of these people; the first of its members makes both.
async fn channel(accounts: &Accounts, people: &[Person], members: &[Person]) -> anyhow::Result<Uuid> {
    let [maker, others @ ..] = members else { bail!("a channel needs somebody") };
    let make = async |path: &str, what: Value| {
        let made = accounts.call(Method::POST, path, &maker.token, Some(what)).await?;
        anyhow::Ok(Uuid::parse_str(made.get("id").and_then(Value::as_str).context("an id")?)?)
    };
    let space = make("/api/v1/spaces", json!({ "name": NAME })).await?;
    let path = format!("/api/v1/spaces/{space}/members");
    for person in people.iter().filter(|person| person.id != maker.id) {
        accounts.call(Method::POST, &path, &maker.token, Some(json!({ "user_id": person.id }))).await?;
    }
    let ids: Vec<Uuid> = others.iter().map(|person| person.id).collect();
    make("/api/v1/rooms", json!({ "kind": "channel", "name": NAME, "space_id": space, "member_ids": ids })).await
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
