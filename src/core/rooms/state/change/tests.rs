//! Teams in a room: who goes, who stays and as what, on what the room itself knows.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::order::Row;
use crate::rooms::config::ChatConfig;
use crate::rooms::facts::{Member, RoomFacts};
use crate::rooms::state::Snapshot;

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn team(n: u128) -> TeamId {
    TeamId(Uuid::from_u128(n))
}

/// Owned by user 1; team 10 is in it as admin with users 3 and 4, team 11 as guest with user 5.
fn room() -> RoomState {
    let member = |party: Party, role, via| (party, Member::from(role, 0), via);
    let members = [
        member(user(1).into(), Role::Owner, None),
        member(user(2).into(), Role::Member, None),
        member(Party::Team(team(10)), Role::Admin, None),
        member(user(3).into(), Role::Admin, Some(team(10))),
        member(user(4).into(), Role::Admin, Some(team(10))),
        member(Party::Team(team(11)), Role::Guest, None),
        member(user(5).into(), Role::Guest, Some(team(11))),
    ];
    let facts = RoomFacts::of_group(members.into_iter().collect());
    let snapshot = Snapshot { facts, last_event_at: None, last_seq: 0, departures: Vec::new(), recent: Vec::new() };
    RoomState::new(snapshot, 0, Arc::new(parlance_foundation::testing::defaults::<ChatConfig>("chat")))
}

fn decide(room: &RoomState, by: u128, right: Right, change: Change) -> Result<Decision, ChatError> {
    let wanted = WantedChange { by: user(by).into(), right, client_id: None, change };
    room.decide_change(Uuid::nil(), &wanted)
}

/// Takes the change, which has to be one, and what it is.
fn make(room: &mut RoomState, by: u128, right: Right, change: Change) -> CoreChange {
    let Ok(Decision::Write(body)) = decide(room, by, right, change) else { panic!("nothing to be done") };
    let row = Row { seq: room.taken_seq() + 1, at: chrono::DateTime::UNIX_EPOCH, body };
    let change = row.change().unwrap().clone();
    let event = row.event().unwrap();
    let told = wire::core_change(&event.kind, &event.payload).unwrap();
    assert_eq!(told, Some(change.clone()), "whoever reads the event anew reads the same");
    room.take(Arc::new(row));
    change
}

fn remove_team(n: u128, held: &[(u128, u128)]) -> Change {
    let held = held.iter().map(|(one, other)| (user(*one), team(*other))).collect();
    Change::RemoveMember { party: Party::Team(team(n)), held }
}

fn here(room: &RoomState, n: u128) -> Option<(Role, Option<TeamId>)> {
    Some((room.facts().role(user(n).into())?, room.facts().members.via(user(n))))
}

#[test]
fn who_was_given_a_role_of_their_own_meanwhile_stays_when_the_team_goes() {
    let mut room = room();
    // Decided on a read of before.
    let leaves = remove_team(10, &[]);
    make(&mut room, 1, Right::Own, Change::set_role(user(3), Role::Owner));
    let CoreChange::MemberRemoved { people, stay, .. } = make(&mut room, 1, Right::Own, leaves) else { panic!() };
    assert_eq!((people, stay), (vec![user(4)], Vec::new()));
    assert_eq!((here(&room, 3), here(&room, 4)), (Some((Role::Owner, None)), None));
}

#[test]
fn who_left_a_team_and_is_here_for_themselves_meanwhile_stays() {
    let mut room = room();
    make(&mut room, 1, Right::Own, Change::set_role(user(3), Role::Member));
    for of_team in [Change::remove(user(3)), Change::MoveMember { user: user(3), held: vec![team(11)] }] {
        let decided = decide(&room, 3, Right::OfTeam(team(10)), of_team);
        assert!(matches!(decided, Ok(Decision::Waiting(_))), "what made it so is not committed: {decided:?}");
    }
    let gone = make(&mut room, 4, Right::OfTeam(team(10)), Change::remove(user(4)));
    assert_eq!(gone, CoreChange::removed(user(4), false));
    let of_another = decide(&room, 5, Right::OfTeam(team(10)), Change::remove(user(5)));
    assert!(matches!(of_another, Ok(Decision::Settled(Some(Role::Guest)))), "{of_another:?}");
}

#[test]
fn a_role_of_their_own_keeps_somebody_also_if_it_is_what_the_team_is() {
    let mut room = room();
    let own = Change::set_role(user(3), Role::Admin);
    assert_eq!(decide(&room, 3, Right::Own, own.clone()).err(), Some(ChatError::NotAllowed), "not by themselves");
    make(&mut room, 1, Right::Own, own.clone());
    assert_eq!(here(&room, 3), Some((Role::Admin, None)));
    assert!(matches!(decide(&room, 1, Right::Own, own), Ok(Decision::Waiting(_) | Decision::Settled(_))));
    let CoreChange::MemberRemoved { people, .. } = make(&mut room, 1, Right::Own, remove_team(10, &[])) else {
        panic!()
    };
    assert_eq!(people, [user(4)]);
}

#[test]
fn who_stays_with_another_team_is_what_the_strongest_of_them_is() {
    let mut room = room();
    let added =
        Change::AddMember { party: Party::Team(team(12)), role: Role::Member, people: vec![user(6), user(2), user(3)] };
    let CoreChange::MemberAdded { people, .. } = make(&mut room, 1, Right::Own, added) else { panic!() };
    assert_eq!(people, [user(6)], "the others are here already");
    // 3 is in 11 and 12, and in 13, which is not here.
    let leaves = remove_team(10, &[(3, 11), (3, 12), (3, 13), (3, 10)]);
    let CoreChange::MemberRemoved { people, stay, .. } = make(&mut room, 1, Right::Own, leaves) else { panic!() };
    assert_eq!((people, stay), (vec![user(4)], vec![Stays { user: user(3), via: team(12), role: Role::Member }]));
    assert_eq!(here(&room, 3), Some((Role::Member, Some(team(12)))));
    // He leaves that one as well.
    let moved = make(&mut room, 3, Right::OfTeam(team(12)), Change::MoveMember { user: user(3), held: vec![team(11)] });
    let (party, via) = (user(3).into(), Some(team(11)));
    assert_eq!(moved, CoreChange::RoleChanged { party, role: Role::Guest, via, people: Vec::new() });
    assert_eq!(here(&room, 3), Some((Role::Guest, Some(team(11)))));
    let CoreChange::RoleChanged { people, .. } =
        make(&mut room, 1, Right::Own, Change::SetRole { party: Party::Team(team(11)), role: Role::Admin })
    else {
        panic!()
    };
    assert_eq!(people, [user(3), user(5)], "those who are here with it now");
}

#[test]
fn nobody_brings_people_in_as_more_than_they_may_give() {
    let room = room();
    let more = |people: &[u128]| Change::AddMember {
        party: Party::Team(team(10)),
        role: Role::Member,
        people: people.iter().copied().map(user).collect(),
    };
    let refused = decide(&room, 2, Right::Own, more(&[7]));
    assert_eq!(refused.err(), Some(ChatError::NotAllowed), "they would be admins, as the team is");
    let as_it_is = decide(&room, 2, Right::Own, more(&[3, 4]));
    assert!(matches!(as_it_is, Ok(Decision::Settled(Some(Role::Admin)))), "{as_it_is:?}");
    assert!(matches!(decide(&room, 1, Right::Own, more(&[7])), Ok(Decision::Write(_))));
    assert!(matches!(decide(&room, 7, Right::OfTeam(team(10)), more(&[7])), Ok(Decision::Write(_))));
}

#[test]
fn who_is_here_with_a_team_neither_leaves_nor_is_taken_out_alone_nor_moves_by_themselves() {
    let room = room();
    for by in [1, 3] {
        let refused = decide(&room, by, Right::Own, Change::remove(user(3)));
        assert_eq!(refused.err(), Some(ChatError::OfTeam(team(10).to_string())));
    }
    assert_eq!(decide(&room, 2, Right::Own, Change::remove(user(3))).err(), Some(ChatError::NotAllowed));
    let moves = Change::MoveMember { user: user(3), held: vec![team(11)] };
    assert_eq!(decide(&room, 3, Right::Own, moves).err(), Some(ChatError::NotAllowed));
}
