//! What a room tells its listeners when what it took does not all commit.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use uuid::Uuid;

use super::*;
use crate::order::{EventPayload, EventRow, MessageRow};
use crate::persistence::{FirstResult, QueueFull};
use crate::publish::{Publication, Publish};
use crate::rooms::action::{RoomAction, Scene};
use crate::rooms::facts::RoomFacts;
use crate::rooms::permissions::Role;
use crate::rooms::state::{Change, Right};
use parlance_foundation::ids::MessageId;

/// Who was told to have come or gone, in order.
#[derive(Default)]
struct Probe {
    told: Mutex<Vec<(&'static str, UserId)>>,
    /// What those who came were told.
    joined: Mutex<Vec<ByteString>>,
    jobs: Mutex<Vec<Job>>,
    /// Takes no more of them.
    is_full: AtomicBool,
}

impl Probe {
    fn told(&self) -> Vec<(&'static str, UserId)> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn jobs(&self) -> Vec<Job> {
        std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rows that were handed over to be committed.
    fn written(&self) -> Vec<Arc<Row>> {
        let rows = self.jobs().into_iter().map(|job| match job {
            Job::Write(write) => write.rows,
            Job::Watermarks(..) | Job::Barrier(..) => Vec::new(),
        });
        rows.flatten().collect()
    }

    /// The read marks that were handed over to be committed.
    fn marked(&self) -> Vec<Watermark> {
        let marks = self.jobs().into_iter().map(|job| match job {
            Job::Watermarks(_, marks) => marks,
            Job::Write(_) | Job::Barrier(..) => Vec::new(),
        });
        marks.flatten().collect()
    }
}

impl Audience for Probe {
    fn deliver(&self, delivery: Delivery) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.extend(delivery.joined.iter().map(|(user, _)| ("came", *user)));
        let frames = delivery.joined.iter().map(|(_, frame)| frame.clone());
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).extend(frames);
        told.extend(delivery.left.iter().map(|user| ("went", *user)));
    }

    fn join(&self, _: RoomId, _: i64, _: Vec<(UserId, ByteString)>) {}
}

impl Publish for Probe {
    fn publish_all(&self, _: Publication) {}
}

impl TakesJobs for Probe {
    fn enqueue(&self, _: RoomId, job: Job) -> Result<(), QueueFull> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(QueueFull(job));
        }
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        Ok(())
    }
}

fn wanted(by: UserId, change: Change) -> WantedChange {
    WantedChange { by: by.into(), right: Right::Own, client_id: None, change }
}

fn person(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn snapshot(last_seq: i64, members: &[u128], recent: Vec<Row>) -> Snapshot {
    let owner = |n: &u128| (person(*n).into(), Member::from(Role::Owner, 0));
    let facts = RoomFacts::of_group(members.iter().map(owner).collect());
    Snapshot { facts, last_event_at: None, last_seq, departures: Vec::new(), recent }
}

/// A room of 1 and 2 that has been shown, and who hears it.
fn room() -> (RoomLife, Arc<Probe>) {
    let probe = Arc::new(Probe::default());
    (opened(&probe, LiveCard::new(None), 0), probe)
}

/// A life of that room, with the card that an earlier one left, at its beginning.
fn opened(probe: &Arc<Probe>, card: Arc<LiveCard>, last_seq: i64) -> RoomLife {
    let config: ChatConfig = parlance_foundation::testing::defaults("chat");
    let around = Around {
        config: Arc::new(config.clone()),
        clock: Clock::manual(Default::default()),
        jobs: Arc::clone(probe) as Arc<dyn TakesJobs>,
        audience: Arc::clone(probe) as Arc<dyn Audience>,
        memory: RoomMemory::new(&config),
        latest: Arc::new(AtomicI64::new(NOT_LOADED)),
        card,
    };
    let (mut life, _) = RoomLife::new(RoomId(Uuid::nil()), around);
    life.loaded(Ok(Some((snapshot(last_seq, &[1, 2], Vec::new()), Vec::new()))));
    life
}

fn ask(life: &mut RoomLife, change: Change) {
    life.obey(Command::Change(ChangeRoom { wanted: wanted(person(1), change), reply: Reply::new(|_| ()) }));
}

/// 1 posts the message `id`.
fn post(life: &mut RoomLife, id: u128, reply: Reply<Posted>) {
    let message = MessageRow {
        id: MessageId(Uuid::from_u128(id)),
        sender: Some(person(1).into()),
        client_id: Some(id.to_string()),
        kind: "text".into(),
        content: "hello".to_owned(),
        parts: None,
        reply_to: None,
        edited_at: None,
        deleted_at: None,
    };
    life.obey(Command::Post(PostMessage { by: Some(person(1).into()), message, reply }));
}

fn add(n: u128) -> Change {
    Change::add(person(n), Role::Member)
}

fn remove(n: u128) -> Change {
    Change::remove(person(n))
}

#[test]
fn a_coming_is_told_even_if_a_going_was_taken_that_never_commits() {
    let (mut life, probe) = room();
    ask(&mut life, add(3));
    ask(&mut life, remove(3));
    life.settle(vec![(0, Outcome::Committed)]);
    assert_eq!(probe.told(), [("came", person(3))]);
    life.settle(vec![(1, Outcome::Unavailable)]);
    assert_eq!(probe.told(), []);
}

#[test]
fn a_going_is_told_even_if_a_coming_was_taken_that_never_commits() {
    let (mut life, probe) = room();
    ask(&mut life, remove(2));
    ask(&mut life, add(2));
    life.settle(vec![(0, Outcome::Committed), (1, Outcome::Unavailable)]);
    assert_eq!(probe.told(), [("went", person(2))]);
}

#[test]
fn the_first_change_of_a_new_room_is_told_after_an_outage_too() {
    let (mut life, probe) = room();
    ask(&mut life, add(3));
    life.settle(vec![(0, Outcome::Unavailable)]);
    life.loaded(Err(ChatError::Unavailable));
    assert!(!life.may_be_let_go(), "only it knows what was shown");
    life.load_again();
    let member = wire::EventMember::new(person(3).into(), Role::Member);
    let told = wire::MemberAdded { member, people: Vec::new() };
    let change = Some(CoreChange::added(person(3), Role::Member));
    let event = EventRow { change, ..EventRow::new(Uuid::nil(), Some(person(1).into()), &told) };
    let row = Row { seq: 1, at: Default::default(), body: RowBody::Event(event) };
    life.loaded(Ok(Some((snapshot(1, &[1, 2, 3], vec![row]), Vec::new()))));
    assert_eq!(probe.told(), [("came", person(3))]);
    assert!(life.may_be_let_go());
}

#[test]
fn a_fenced_change_that_was_committed_late_is_not_made_again() {
    let (mut life, probe) = room();
    let (reply, answers) = std::sync::mpsc::channel();
    let change = remove(2);
    let reply = Reply::new(move |answer| reply.send(answer).unwrap());
    life.obey(Command::Change(ChangeRoom { wanted: wanted(person(1), change), reply }));
    let row = probe.written().pop().unwrap();
    life.settle(vec![(0, Outcome::Fenced)]);
    life.loaded(Ok(Some((snapshot(1, &[1], vec![Row::clone(&row)]), Vec::new()))));
    assert_eq!(answers.try_recv().unwrap(), Ok(Changed { is_new: false, role: None, row: Some(row) }));
    assert_eq!(probe.written(), []);
    assert_eq!(probe.told(), [("went", person(2))]);
}

#[test]
fn read_marks_of_whoever_was_about_to_leave_outlive_an_outage() {
    let (mut life, _) = room();
    ask(&mut life, add(3));
    life.settle(vec![(0, Outcome::Committed)]);
    let (by, reply) = (person(2), Reply::new(|_| ()));
    life.obey(Command::Mark(MarkReceipt { by: by.into(), delivered_seq: Some(1), read_seq: Some(1), reply }));
    ask(&mut life, remove(2));
    life.settle(vec![(1, Outcome::Unavailable)]);
    life.loaded(Ok(Some((snapshot(1, &[1, 2, 3], Vec::new()), Vec::new()))));
    let mark = Watermark { party: by.into(), delivered_seq: 1, read_seq: 1 };
    assert!(life.state().unwrap().facts().marks().contains(&mark));
}

#[test]
fn read_marks_that_a_crash_kept_from_postgres_are_written_after_it() {
    let (mut life, probe) = room();
    ask(&mut life, add(3));
    life.settle(vec![(0, Outcome::Committed)]);
    let (by, reply) = (person(2), Reply::new(|_| ()));
    life.obey(Command::Mark(MarkReceipt { by: by.into(), delivered_seq: Some(1), read_seq: Some(1), reply }));
    let card = Arc::clone(&life.around.card);
    drop(life);
    let mut life = opened(&probe, card, 1);
    assert!(life.take_wishes().contains(&Wish::FlushMarks));
    probe.jobs();
    life.flush_marks();
    assert_eq!(probe.marked(), [Watermark { party: by.into(), delivered_seq: 1, read_seq: 1 }]);
    life.flush_marks();
    assert_eq!(probe.marked(), []);
}

#[test]
fn a_room_that_is_too_busy_to_compare_its_members_says_so() {
    let (mut life, _) = room();
    ask(&mut life, add(3));
    life.settle(vec![(0, Outcome::Unavailable)]);
    let (told, answers) = std::sync::mpsc::channel();
    let mut compare = || {
        let told = told.clone();
        let reply = Reply::new(move |looked| told.send(looked).unwrap());
        life.obey(Command::Compare(CompareMembers { parties: vec![person(2).into()], are_members: true, reply }));
    };
    (0..parlance_foundation::testing::defaults::<ChatConfig>("chat").room_pending_max).for_each(|_| compare());
    assert!(answers.try_recv().is_err());
    compare();
    assert_eq!(answers.try_recv(), Ok(Err(ChatError::Busy)));
    life.loaded(Ok(Some((snapshot(0, &[1, 2], Vec::new()), Vec::new()))));
    assert_eq!(answers.try_recv(), Ok(Ok(())));
}

#[test]
fn who_came_and_went_by_another_hand_is_told_of_a_room_that_is_loaded_anew() {
    let (mut life, probe) = room();
    let reply = Reply::new(|_| ());
    life.obey(Command::Compare(CompareMembers { parties: vec![person(2).into()], are_members: false, reply }));
    life.loaded(Ok(Some((snapshot(0, &[1, 3], Vec::new()), Vec::new()))));
    assert_eq!(probe.told(), [("went", person(2)), ("came", person(3))]);
}

#[test]
fn who_went_while_a_room_was_closed_is_told_when_it_opens() {
    let (mut life, probe) = room();
    let went = |n| CompareMembers { parties: vec![person(n).into()], are_members: false, reply: Reply::new(|_| ()) };
    life.obey(Command::Compare(went(3)));
    assert_eq!(probe.told(), [("went", person(3))]);
    // Not who is just leaving, and may yet stay.
    ask(&mut life, remove(2));
    life.obey(Command::Compare(went(2)));
    assert_eq!(probe.told(), []);
    life.settle(vec![(0, Outcome::Committed)]);
    assert_eq!(probe.told(), [("went", person(2))]);
}

#[test]
fn who_comes_is_not_told_what_may_never_be() {
    let (mut life, probe) = room();
    ask(&mut life, add(3));
    ask(&mut life, Change::Describe { name: Some("not yet".to_owned()), topic: None });
    ask(&mut life, add(4));
    life.settle(vec![(0, Outcome::Committed), (1, Outcome::Unavailable), (2, Outcome::Unavailable)]);
    let joined = std::mem::take(&mut *probe.joined.lock().unwrap());
    let joined: serde_json::Value = serde_json::from_str(&joined[0]).unwrap();
    let room = &joined["room"];
    assert_eq!((&room["name"], room["member_count"].as_i64()), (&serde_json::Value::Null, Some(3)));
}

#[test]
fn a_send_that_postgres_knew_is_known_after_the_load_that_follows() {
    let (mut life, probe) = room();
    let send = |life: &mut RoomLife| {
        post(life, 7, Reply::new(|_| ()));
        probe.written()
    };
    let row = send(&mut life).remove(0);
    life.settle(vec![(0, Outcome::Duplicate(FirstResult { row }))]);
    life.loaded(Ok(Some((snapshot(900, &[1, 2], Vec::new()), Vec::new()))));
    assert_eq!(send(&mut life), []);
    assert_eq!(life.phase(), "ready");
}

#[test]
fn a_room_that_is_gone_is_let_go_and_greets_nobody() {
    let (mut life, _) = room();
    let compare = CompareMembers { parties: vec![person(2).into()], are_members: false, reply: Reply::new(|_| ()) };
    life.obey(Command::Compare(compare));
    assert!(life.take_wishes().iter().any(|wish| matches!(wish, Wish::Load(_))));
    life.loaded(Ok(None));
    assert_eq!(life.take_wishes(), [Wish::Release]);
    assert!(life.may_be_let_go() && life.around.card.read(|_| ()).is_none());
}

/// That room, where 2 has left the space that it is in.
fn departed(last_seq: i64) -> (Snapshot, Departure) {
    let departure = Departure { id: Uuid::from_u128(77), user_id: person(2), by: person(1), at: Default::default() };
    (Snapshot { departures: vec![departure], ..snapshot(last_seq, &[1], Vec::new()) }, departure)
}

fn went(n: u128) -> Command {
    Command::Compare(CompareMembers { parties: vec![person(n).into()], are_members: false, reply: Reply::new(|_| ()) })
}

#[test]
fn who_left_with_the_space_reads_nothing_more_and_hears_of_it_with_the_event() {
    let (mut life, probe) = room();
    life.obey(went(2));
    life.loaded(Ok(Some((departed(0).0, Vec::new()))));
    let row = probe.written().pop().unwrap();
    let event = row.event();
    assert_eq!(
        event.map(|event| (event.id, &*event.kind, event.by)),
        Some((Uuid::from_u128(77), "member.removed", Some(person(1).into())))
    );
    assert_eq!(life.state().unwrap().catch_up(person(2).into(), 0, 10), Err(ChatError::RoomNotFound));
    // Told twice by Postgres, and once by the room: after the commit, by the event.
    life.obey(went(2));
    assert_eq!(probe.told(), []);
    life.settle(vec![(0, Outcome::Committed)]);
    assert_eq!(probe.told(), [("went", person(2))]);
    assert!(life.may_be_let_go());
}

#[test]
fn a_departure_that_did_not_commit_is_told_after_the_next_load_and_one_that_did_is_not_told_again() {
    let (mut life, probe) = room();
    life.obey(went(2));
    life.loaded(Ok(Some((departed(0).0, Vec::new()))));
    for (ticket, outcome) in [(0, Outcome::Fenced), (1, Outcome::Unavailable)] {
        assert_eq!(probe.written().len(), 1);
        life.settle(vec![(ticket, outcome)]);
        life.loaded(Ok(Some((departed(0).0, Vec::new()))));
    }
    let row = probe.written().pop().unwrap();
    life.settle(vec![(2, Outcome::Fenced)]);
    life.loaded(Ok(Some((snapshot(1, &[1], vec![Row::clone(&row)]), Vec::new()))));
    assert_eq!(probe.written(), []);
    assert_eq!(probe.told(), [("went", person(2))]);
}

#[test]
fn who_left_comes_back_after_that_was_told() {
    let (mut life, probe) = room();
    life.obey(went(2));
    ask(&mut life, add(2));
    life.loaded(Ok(Some((departed(0).0, Vec::new()))));
    let kinds: Vec<_> = probe.written().iter().filter_map(|row| row.event().map(|event| event.kind.clone())).collect();
    assert_eq!(kinds, ["member.removed", "member.added"]);
}

#[test]
fn nobody_posts_past_a_departure_that_finds_the_queue_full() {
    let (mut life, probe) = room();
    life.obey(went(2));
    probe.is_full.store(true, Ordering::Relaxed);
    life.loaded(Ok(Some((departed(0).0, Vec::new()))));
    for id in 1..=2 {
        let (reply, answer) = Reply::channel();
        post(&mut life, id, reply);
        assert_eq!(answer.now_or_never().unwrap().unwrap_err(), ChatError::Busy);
    }
    let again = life.take_wishes().into_iter().filter(|wish| *wish == Wish::DepartAgain).count();
    assert_eq!((again, probe.written()), (1, Vec::new()));
    // There is room again, before the time has come to try again: the departure goes first all the same.
    probe.is_full.store(false, Ordering::Relaxed);
    post(&mut life, 3, Reply::new(|_| ()));
    let kinds: Vec<_> = probe.written().iter().map(|row| row.event().map(|event| event.kind.to_string())).collect();
    assert_eq!(kinds, [Some("member.removed".to_owned()), None]);
    life.depart_again();
    assert_eq!(probe.written(), []);
}

/// Says once more what a message says, which may be done once.
#[derive(Debug)]
struct SayAgain(MessageId);

#[derive(serde::Serialize)]
struct SaidAgain {}

impl EventPayload for SaidAgain {
    const KIND: &'static str = "message.said_again";
}

impl RoomAction for SayAgain {
    fn kind(&self) -> &'static str {
        SaidAgain::KIND
    }

    fn target(&self) -> Option<MessageId> {
        Some(self.0)
    }

    fn decide(&self, scene: &Scene<'_>) -> Result<Option<EventRow>, ChatError> {
        let (place, message) = scene.message()?;
        if message.edited_at.is_some() {
            return Err(ChatError::Refused);
        }
        let form = MessageRow { edited_at: Some(scene.at), ..message.clone() };
        Ok(Some(EventRow::new(scene.id, Some(scene.by), &SaidAgain {}).making(place, form)))
    }
}

/// What the second of two that say message 7 again is answered when the first one ends so.
fn second_is_answered(outcome: Outcome) -> Option<Option<ChatError>> {
    let (mut life, _) = room();
    post(&mut life, 7, Reply::new(|_| ()));
    life.settle(vec![(0, Outcome::Committed)]);
    let (sender, answers) = std::sync::mpsc::channel();
    for nth in 0..2 {
        let sender = sender.clone();
        let reply = Reply::new(move |answer: Result<Acted, ChatError>| sender.send((nth, answer.err())).unwrap());
        let action = Arc::new(SayAgain(MessageId(Uuid::from_u128(7))));
        life.obey(Command::Act(Act { wanted: WantedAction::new(person(1).into(), None, action), reply }));
    }
    assert!(answers.try_recv().is_err(), "the first is not committed, and may never be");
    life.settle(vec![(1, outcome)]);
    answers.try_iter().find(|(nth, _)| *nth == 1).map(|(_, error)| error)
}

#[test]
fn a_refusal_that_rests_on_a_change_waits_for_its_commit() {
    assert_eq!(second_is_answered(Outcome::Committed), Some(Some(ChatError::Refused)));
    assert_eq!(second_is_answered(Outcome::Unavailable), Some(Some(ChatError::Restarted)));
}
