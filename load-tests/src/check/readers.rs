//! Those who read: each with one device that stays, comes and goes, or is slow, and resumes from what it was shown.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use uuid::Uuid;

use super::events::{Event, event};
use super::history::{NOWHERE, Record, RoomNo, Who};
use super::line::{Heard, Line};
use super::marking::Mark;
use super::view::View;
use super::world::{Tally, World};

const TICK: Duration = Duration::from_millis(50);
const MARK_EVERY: Duration = Duration::from_millis(600);
/// A page that failed is asked for again no sooner.
const ASK_PAUSE: Duration = Duration::from_millis(200);

/// How a device behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Steady,
    /// Reads a little, then nothing for a while.
    Slow,
    /// Is away now and then.
    Restless,
}

/// A device that reads.
pub struct Reader {
    pub(super) world: Rc<World>,
    pub(super) me: Who,
    lane: usize,
    pub(super) rng: StdRng,
    habit: Habit,
    pub(super) views: HashMap<RoomNo, View>,
    connection: u32,
    /// The step at which it said hello the last time.
    said: u64,
    /// Of the last `ready`.
    pub(super) epoch: Option<Uuid>,
}

/// What one connection waits for.
#[derive(Default)]
struct Talk {
    number: u64,
    /// Pages by the number of their command, with the step at which they were asked for.
    pages: HashMap<u64, (RoomNo, u64)>,
    marks: HashMap<u64, Mark>,
    /// Up to where everything that is to be said was acknowledged.
    marked: HashMap<RoomNo, u64>,
    marked_at: Option<Instant>,
    ask_from: Option<Instant>,
}

impl Reader {
    pub fn new(world: &Rc<World>, me: Who, lane: usize) -> Self {
        let habit = match me % 4 {
            1 => Habit::Slow,
            3 => Habit::Restless,
            _ => Habit::Steady,
        };
        let views = world.room_numbers().map(|room| (room, View::default())).collect();
        let rng = world.rng(&format!("reader {me}"));
        Self { world: Rc::clone(world), me, lane, rng, habit, views, connection: 0, said: 0, epoch: None }
    }

    /// Until it has been shown the end of every room that it is in, and has marked that.
    pub async fn read(mut self) {
        loop {
            let (asked, said) = (self.asked(), self.world.recorder.step());
            let Some(line) = Line::open(&self.world, self.lane, self.me, &self.kept(&asked)).await else {
                self.world.pause(&mut self.rng, 300).await;
                continue;
            };
            self.connection += 1;
            self.said = said;
            self.views.values_mut().for_each(View::connected);
            self.take_ready(&line.ready, &asked, said);
            if self.talk(line).await {
                return;
            }
            if self.habit == Habit::Restless && self.world.ends.get().is_none() {
                self.world.pause(&mut self.rng, 3_000).await;
            }
        }
    }

    /// Until the connection ends; `true` when there is nothing more to come.
    async fn talk(&mut self, mut line: Line) -> bool {
        let mut talk = Talk { number: 1, ..Talk::default() };
        let leaves_at = Instant::now() + Duration::from_millis(self.rng.random_range(500..6_000));
        loop {
            let frames = match line.hear_within(TICK).await {
                Heard::Frames(frames) => frames,
                Heard::Nothing => Vec::new(),
                Heard::End => return false,
            };
            for frame in &frames {
                self.take(frame, &mut talk);
            }
            if self.has_all(&talk) {
                line.close().await;
                return true;
            }
            if !self.speak(&mut line, &mut talk).await {
                return false;
            }
            if self.world.ends.get().is_none() {
                match self.habit {
                    Habit::Slow if self.rng.random_ratio(1, 20) => self.world.pause(&mut self.rng, 2_500).await,
                    // Without a word, as a phone that loses its network.
                    Habit::Restless if Instant::now() > leaves_at => return false,
                    Habit::Steady | Habit::Slow | Habit::Restless => {}
                }
            }
        }
    }

    fn has_all(&self, talk: &Talk) -> bool {
        let Some(ends) = self.world.ends.get() else { return false };
        (0..).zip(ends).filter(|(_, end)| end.members.contains(&self.me)).all(|(room, end)| {
            let shown = self.views.get(&room).is_some_and(|view| view.shown >= end.last_seq);
            shown && talk.marked.get(&room).is_some_and(|marked| *marked >= end.last_seq)
        })
    }

    fn take(&mut self, frame: &Value, talk: &mut Talk) {
        let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
        let room = frame.get("room_id").and_then(|id| self.world.numbers().room(id));
        match (kind, room) {
            ("ok" | "error", _) => self.take_answer(kind == "ok", frame, talk),
            ("room.joined", _) => {
                let room = frame.pointer("/room/id").and_then(|id| self.world.numbers().room(id));
                self.announce(room, frame.pointer("/room/last_seq"));
            }
            ("room.lagged", room) => {
                Tally::count(&self.world.tally.lagged);
                self.announce(room, frame.get("last_seq"));
            }
            ("receipt.updated", Some(room)) => self.note_receipt(room, frame),
            _ => {
                if let Some(event) = event(self.world.numbers(), frame) {
                    let shows = self.views.get_mut(&event.room).is_some_and(|view| view.live(event.seq));
                    self.note(shows, &event, None);
                }
            }
        }
    }

    fn announce(&mut self, room: Option<RoomNo>, last_seq: Option<&Value>) {
        if let (Some(view), Some(last_seq)) =
            (room.and_then(|room| self.views.get_mut(&room)), last_seq.and_then(Value::as_u64))
        {
            view.announce(last_seq);
        }
    }

    /// Notes an event that came; what is not shown is judged as well.
    fn note(&self, shows: bool, event: &Event, asked: Option<u64>) {
        let Event { seq, frame, says, .. } = *event;
        let (reader, said) = (self.me, self.said);
        let came = if shows {
            Tally::count(&self.world.tally.shown);
            Record::Saw { reader, seq, frame, says, asked, said }
        } else {
            Record::Came { reader, seq, frame, says, asked, said }
        };
        self.world.recorder.note(event.room, came);
    }

    fn note_receipt(&self, room: RoomNo, frame: &Value) {
        let number = |field: &str| frame.get(field).and_then(Value::as_u64).unwrap_or(0);
        let Some(of) = frame.get("user_id").and_then(|id| self.world.numbers().who(id)) else { return };
        let (delivered, read) = (number("delivered_seq"), number("read_seq"));
        let told = Record::Told { reader: self.me, connection: self.connection, of, delivered, read };
        self.world.recorder.note(room, told);
    }

    fn take_answer(&mut self, ok: bool, frame: &Value, talk: &mut Talk) {
        let Some(re) = frame.get("re").and_then(Value::as_u64) else { return };
        if let Some(Mark { room, marks, whole }) = talk.marks.remove(&re) {
            if ok {
                let marked = talk.marked.entry(room).or_default();
                *marked = whole.max(*marked);
                Tally::count(&self.world.tally.marks);
                self.world.recorder.note(room, Record::Marked { by: self.me, marks });
            }
        } else if let Some((room, asked)) = talk.pages.remove(&re) {
            if ok {
                self.take_page(room, asked, frame);
            } else if let Some(view) = self.views.get_mut(&room) {
                view.page_failed(frame.get("retry").is_some_and(|retry| retry != "never"));
                talk.ask_from = Some(Instant::now() + ASK_PAUSE);
            }
        } else {
            self.world.note_answered_again(self.me, frame);
        }
    }

    fn take_page(&mut self, room: RoomNo, asked: u64, frame: &Value) {
        let events = frame.get("events").and_then(Value::as_array).into_iter().flatten();
        for event in events.filter_map(|frame| event(self.world.numbers(), frame)) {
            if event.room != room {
                let what = format!("an event of room {} in a page of room {room}", event.room);
                self.world.recorder.note(NOWHERE, Record::Leaked { to: self.me, what });
            }
            let view = self.views.get_mut(&room).filter(|_| event.room == room);
            let shows = view.is_some_and(|view| view.paged(event.seq));
            self.note(shows, &event, Some(asked));
        }
        if let Some(view) = self.views.get_mut(&room) {
            let last_seq = frame.get("last_seq").and_then(Value::as_u64).unwrap_or(0);
            view.page_ended(last_seq, frame.get("more").and_then(Value::as_bool).unwrap_or(false));
        }
    }

    /// Asks for pages and marks what was shown; `false` when the connection has ended.
    async fn speak(&mut self, line: &mut Line, talk: &mut Talk) -> bool {
        for frame in self.requests(talk) {
            if !line.say(&frame).await {
                return false;
            }
        }
        true
    }

    fn requests(&mut self, talk: &mut Talk) -> Vec<String> {
        let mut frames = Vec::new();
        let marks_now = talk.marked_at.is_none_or(|at| at.elapsed() > MARK_EVERY);
        let asks_now = talk.ask_from.is_none_or(|from| from <= Instant::now());
        if marks_now {
            talk.marked_at = Some(Instant::now());
        }
        for (room, view) in &mut self.views {
            let Some(id) = self.world.room(*room) else { continue };
            if asks_now && let Some(after) = view.ask() {
                talk.number += 1;
                talk.pages.insert(talk.number, (*room, self.world.recorder.step()));
                Tally::count(&self.world.tally.pages);
                frames.push(
                    json!({ "type": "room.catch_up", "id": talk.number, "room_id": id, "after": after }).to_string(),
                );
            }
            // What an earlier connection had marked is marked again: a crash may have taken it back.
            if marks_now && view.shown > talk.marked.get(room).copied().unwrap_or(0) {
                talk.number += 1;
                let unread = self.world.leaves_unread(self.me, *room);
                let mark = Mark::of(&mut self.rng, *room, view.shown, unread);
                talk.marks.insert(talk.number, mark);
                self.world.recorder.note(*room, Record::Marking { by: self.me, marks: mark.marks });
                frames.push(mark.command(talk.number, id));
            }
        }
        frames
    }
}
