//! What a room has for its persister, until the room has read all of its mailbox.
//!
//! What was asked for together is handed over together, and so committed together: sent one by one, the first of eight
//! rows would begin a commit that the other seven have to wait for.
//!
//! Invariants
//! - A job has its place in the queue before it lies here: a full queue is told to whoever asked, not found out later.
//! - Jobs that a restarting persister does not take stay here, in order; whoever holds the tray tries again.
//! - Writes that are still here when the tray is dropped are answered `Unavailable`, by their claims.

use std::sync::{Mutex, PoisonError};

use super::{Job, Persisters, Places, QueueFull, TakesJobs};
use parlance_foundation::ids::RoomId;

/// The jobs of one room that nobody has taken yet. Shared by the room's logic, which adds, and its actor, which hands over.
pub struct Tray {
    room: RoomId,
    persisters: Persisters,
    jobs: Mutex<Vec<(Job, Places)>>,
}

impl Tray {
    pub fn new(room: RoomId, persisters: Persisters) -> Self {
        Self { room, persisters, jobs: Mutex::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Hands all jobs to the room's persister; `false`: it is starting again, and they are still here.
    pub fn hand_over(&self) -> bool {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_empty() {
            return true;
        }
        match self.persisters.send(self.room, std::mem::take(&mut *jobs)) {
            Ok(()) => true,
            Err(back) => {
                *jobs = back;
                false
            }
        }
    }
}

impl TakesJobs for Tray {
    fn enqueue(&self, room: RoomId, job: Job) -> Result<(), QueueFull> {
        let Some(places) = self.persisters.reserve(room, job.rows()) else { return Err(QueueFull(job)) };
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push((job, places));
        Ok(())
    }
}
