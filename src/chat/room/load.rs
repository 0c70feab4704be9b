//! A room from Postgres into memory, at its start and after a write that went wrong.

use super::show::event_of;
use super::*;

impl Room {
    /// Reads the room from Postgres, after every write that is still on its way there.
    pub(super) fn load(&mut self, ctx: &mut Context<Self>) {
        let (id, parts, sends) = (self.id, self.parts.clone(), self.undecided_sends());
        let reading = async move {
            parts.persisters.settle(id).await.map_err(|_| ChatError::Busy)?;
            let Some(snapshot) = store::load_room(&parts.storage, id, &parts.config).await? else { return Ok(None) };
            // Looked up together: each repeated send would else cost a refused batch and another load.
            Ok(Some((snapshot, store::sent_before(&parts.storage, id, &sends).await?)))
        };
        // A Postgres that is there and says nothing is away, too.
        let work = async { tokio::time::timeout(LOAD_PATIENCE, reading).await.unwrap_or(Err(ChatError::Unavailable)) };
        ctx.spawn(work.into_actor(self).map(|loaded, room, ctx| {
            match loaded {
                Ok(Some((snapshot, sent))) => room.become_ready(snapshot, sent, ctx),
                Ok(None) => {
                    room.fail_parked(ChatError::RoomNotFound);
                    room.release();
                }
                Err(error) => {
                    room.fail_parked(error);
                    // Also without a command: listeners may have missed what an outage left committed but untold.
                    ctx.run_later(LOAD_AGAIN_AFTER, |room, ctx| room.load_again(ctx));
                }
            }
            if room.stopping {
                room.stop_when_idle(ctx);
            }
        }));
    }

    pub(super) fn load_again(&mut self, ctx: &mut Context<Self>) {
        if let Phase::Unloaded { next_ticket } = self.phase {
            self.phase = Phase::Loading { parked: VecDeque::new(), redo: Vec::new(), next_ticket };
            self.load(ctx);
        }
    }

    /// The sends that wait for the room to be ready, by sender and client id.
    pub(super) fn undecided_sends(&self) -> Vec<(UserId, String)> {
        let Phase::Loading { parked, redo, .. } = &self.phase else { return Vec::new() };
        let parked = parked.iter().filter_map(|command| match command {
            Command::Post(post) => Some(&post.message),
            Command::Change(_) | Command::CatchUp(_) | Command::Mark(_) | Command::Compare(_) => None,
        });
        let redone = redo.iter().filter_map(|change| match &change.row.body {
            RowBody::Message(message) => Some(message),
            RowBody::Event(_) => None,
        });
        parked.chain(redone).filter_map(|message| Some((message.sender, message.client_id.clone()?))).collect()
    }

    pub(super) fn become_ready(&mut self, mut snapshot: Snapshot, sent: Vec<Row>, ctx: &mut Context<Self>) {
        let unloaded = Phase::Unloaded { next_ticket: 0 };
        let (parked, redo, next_ticket) = match std::mem::replace(&mut self.phase, unloaded) {
            Phase::Loading { parked, redo, next_ticket } => (parked, redo, next_ticket),
            other => {
                self.phase = other;
                return;
            }
        };
        let last_seq = snapshot.last_seq;
        // What this room, or its life before a crash, had shown.
        let shown_seq = self.latest.load(Ordering::Acquire);
        let untold: Vec<EventRow> = snapshot
            .recent
            .iter()
            .filter(|row| shown_seq > 0 && row.seq > shown_seq)
            .filter_map(event_of)
            .cloned()
            .collect();
        self.restore_marks(&mut snapshot);
        self.card.replace(Card::of(&snapshot));
        let mut state = RoomState::new(snapshot, next_ticket, Arc::clone(&self.parts.config));
        state.recall(sent);
        self.phase = Phase::Ready(Box::new(state));
        self.latest.store(last_seq, Ordering::Release);
        self.forget_rosters(&untold);
        // Whoever follows this room may have missed what was committed while nobody was there to tell.
        let (joined, left) = self.comings_and_goings(&untold, last_seq);
        self.deliver(last_seq + 1, Vec::new(), joined, left);
        for change in redo {
            self.decide_again(change);
        }
        for command in parked {
            self.obey(command, ctx);
        }
    }

    pub(super) fn fail_parked(&mut self, error: ChatError) {
        if let Phase::Loading { parked, redo, next_ticket } = &mut self.phase {
            let next_ticket = *next_ticket;
            let (parked, redo) = (std::mem::take(parked), std::mem::take(redo));
            self.phase = Phase::Unloaded { next_ticket };
            for answer in redo.into_iter().flat_map(|change| change.replies) {
                answer.send(Err(error.clone()));
            }
            for command in parked {
                command.fail(error.clone());
            }
        }
    }

    /// A fenced change, decided anew on the state as it is now.
    pub(super) fn decide_again(&mut self, change: Redo) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let Redo { row, replies } = change;
        let decided = match &row.body {
            RowBody::Message(message) => state.decide_post(message.sender, message.clone()),
            RowBody::Event(event) => match (event.actor, store::change_of(event)) {
                (Some(by), Some(change)) => state.decide_change(by, event.id, &change).map(Decision::Write),
                _ => Err(ChatError::Restarted),
            },
        };
        let failed = match decided {
            Ok(Decision::Write(body)) => return self.write(body, replies),
            Ok(Decision::Already(row)) => Ok(Posted { row, repeated: true }),
            Ok(Decision::Waiting(ticket)) => match self.waiting.get_mut(&ticket) {
                Some(waiting) => return waiting.replies.extend(replies),
                None => Err(ChatError::Restarted),
            },
            Err(error) => Err(error),
        };
        for answer in replies {
            answer.send(failed.clone());
        }
    }
}
