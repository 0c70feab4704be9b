//! Coming back: everybody at once, each until they have what they missed, and on from there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::ResumeArgs;
use crate::client::{Crowd, Heard, Message, Person, RoomKey, Session, hear};
use crate::engine::Target;
use crate::measure::{Meter, Progress};

/// A session that has not got everything after this long has lost something.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a session has to reach: by room, the seq that it has and the one that is newest.
#[derive(Clone, Debug)]
pub struct Goal {
    rooms: HashMap<RoomKey, (u64, u64)>,
    /// Rooms in which something is missing.
    open: usize,
    /// What came that should not have.
    wrong: Option<&'static str>,
}

impl Goal {
    /// Of rooms with the seq that the session has and the newest.
    pub fn new(rooms: impl Iterator<Item = (RoomKey, u64, u64)>) -> Self {
        let rooms: HashMap<_, _> = rooms.map(|(room, last, newest)| (room, (last, newest))).collect();
        let open = rooms.values().filter(|(last, newest)| last < newest).count();
        Self { rooms, open, wrong: None }
    }

    fn hear(&mut self, heard: &Heard<'_>) {
        match heard {
            Heard::Event { room, seq, .. } => {
                if let Err(wrong) = self.advance(*room, *seq) {
                    self.wrong.get_or_insert(wrong);
                }
            }
            Heard::Lagged { .. } => {
                self.wrong.get_or_insert("a backlog was shed");
            }
            _ => {}
        }
    }

    fn advance(&mut self, room: RoomKey, seq: u64) -> Result<(), &'static str> {
        let (last, newest) = self.rooms.get_mut(&room).ok_or("an event of somebody else's room")?;
        if seq <= *last {
            return Err("a repetition");
        }
        if seq > *newest {
            return Err("an event that nobody made");
        }
        let is_next = seq == *last + 1;
        *last = seq;
        self.open -= usize::from(last == newest);
        if is_next { Ok(()) } else { Err("a gap") }
    }
}

/// Those who are back. They read on: what comes when they have everything comes once too often.
pub struct Back {
    meter: Rc<Meter>,
    crowd: RefCell<Option<Crowd>>,
    closing: Rc<Cell<bool>>,
    begun: Instant,
    turns: Semaphore,
    left: Cell<usize>,
    all: Notify,
    progress: Progress,
}

/// Everybody comes back at once.
pub async fn come_back(
    args: &ResumeArgs,
    target: &Target,
    people: &[Person],
    goals: Vec<Goal>,
    meter: &Rc<Meter>,
) -> Rc<Back> {
    let back = Rc::new(Back::new(args, people.len(), meter));
    for (person, goal) in people.iter().cloned().zip(goals) {
        let (back, address) = (Rc::clone(&back), target.address);
        tokio::task::spawn_local(async move {
            // Never closed.
            let turn = back.turns.acquire().await;
            match tokio::time::timeout(PATIENCE, back.catch_up(address, &person, goal, turn.ok())).await {
                Ok(Ok(session)) => back.keep(session),
                Ok(Err(error)) => back.meter.fault(&format!("{error:#}")),
                Err(_) => back.meter.fault(&format!("not everything came within {} s", PATIENCE.as_secs())),
            }
            back.progress.add(1);
            back.left.set(back.left.get() - 1);
            if back.left.get() == 0 {
                back.all.notify_one();
            }
        });
    }
    back.all.notified().await;
    back
}

impl Back {
    fn new(args: &ResumeArgs, people: usize, meter: &Rc<Meter>) -> Self {
        let closing = Rc::new(Cell::new(false));
        let (heard, ended, is_over) = (Rc::clone(meter), Rc::clone(meter), Rc::clone(&closing));
        let on_frame = move |_, what: Heard<'_>, _: &[u8]| {
            if matches!(what, Heard::Event { .. } | Heard::Lagged { .. }) {
                heard.fault("something came to somebody who had everything");
            }
        };
        let on_end = move |_, code: Option<u16>| match code {
            _ if is_over.get() => {}
            Some(code) => ended.fault(&format!("a connection that was back was closed with {code}")),
            None => ended.fault("a connection that was back was lost"),
        };
        Self {
            meter: Rc::clone(meter),
            crowd: RefCell::new(Some(Crowd::new([], on_frame, on_end))),
            closing,
            begun: Instant::now(),
            turns: Semaphore::new(usize::try_from(args.parallel).unwrap_or(1)),
            left: Cell::new(people),
            all: Notify::new(),
            progress: Progress::of("back", people as u64),
        }
    }

    fn keep(&self, session: Session) {
        if let Some(crowd) = self.crowd.borrow_mut().as_mut() {
            crowd.add(session);
        }
    }

    /// Ends the session of everybody.
    pub async fn leave(&self) {
        self.closing.set(true);
        let crowd = self.crowd.take();
        if let Some(crowd) = crowd {
            crowd.close().await;
        }
    }

    async fn catch_up(
        &self,
        address: SocketAddr,
        person: &Person,
        goal: Goal,
        turn: Option<SemaphorePermit<'_>>,
    ) -> anyhow::Result<Session> {
        let resume: Vec<(Uuid, u64)> =
            goal.rooms.iter().map(|(room, (last, _))| (Uuid::from_u128(*room), *last)).collect();
        let goal = RefCell::new(goal);
        let hear_one = |heard: &Heard<'_>| {
            Meter::count(&self.meter.received, u64::from(matches!(heard, Heard::Event { .. })));
            goal.borrow_mut().hear(heard);
        };
        let (session, _) = Session::start(address, &person.token, &resume, |heard, _| hear_one(&heard)).await?;
        self.meter.record(1, self.begun.elapsed());
        drop(turn);
        while goal.borrow().open > 0 {
            let each = |message: Message<'_>| {
                if let Message::Text(frame) = message {
                    hear_one(&hear(frame));
                }
            };
            anyhow::ensure!(session.socket.read(each).await?, "the connection ended before everything had come");
        }
        if let Some(wrong) = goal.borrow().wrong {
            anyhow::bail!("{wrong}");
        }
        self.meter.record(0, self.begun.elapsed());
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: &[(RoomKey, u64)]) -> Goal {
        // Two events are missing in the first room, none in the second.
        let mut goal = Goal::new([(1, 5, 7), (2, 3, 3)].into_iter());
        for (room, seq) in events {
            goal.hear(&Heard::Event { kind: b"message.posted", room: *room, seq: *seq });
        }
        goal
    }

    #[test]
    fn everything_in_order_and_once_is_right() {
        for (events, open, wrong) in [
            (&[][..], 1, None),
            (&[(1, 6)], 1, None),
            (&[(1, 6), (1, 7)], 0, None),
            (&[(1, 7)], 0, Some("a gap")),
            (&[(1, 6), (1, 6), (1, 7)], 0, Some("a repetition")),
            (&[(1, 6), (1, 7), (1, 7)], 0, Some("a repetition")),
            (&[(1, 6), (1, 7), (1, 8)], 0, Some("an event that nobody made")),
            (&[(1, 6), (1, 7), (2, 4)], 0, Some("an event that nobody made")),
            (&[(1, 6), (3, 1), (1, 7)], 0, Some("an event of somebody else's room")),
        ] {
            let goal = after(events);
            assert_eq!((goal.open, goal.wrong), (open, wrong), "{events:?}");
        }
    }
}
