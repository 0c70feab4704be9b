//! The people whom a run brings to an engine that outlives it. They leave its rooms again however the run ends.

use std::cell::RefCell;
use std::rc::Rc;

use super::accounts::{Accounts, Person};
use crate::engine::{Needs, TargetArgs};

/// Everybody whom a run made; clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Visitors(Rc<RefCell<Vec<Person>>>);

impl Visitors {
    pub fn note(&self, person: &Person) {
        self.0.borrow_mut().push(person.clone());
    }
}

/// Takes everybody out of the rooms and spaces of an engine that runs without us; one that was started for the run goes
/// with all that is in it.
pub async fn take_leave(target: &TargetArgs) -> anyhow::Result<()> {
    let people = target.visitors.0.take();
    if target.url.is_none() || people.is_empty() {
        return Ok(());
    }
    let left = async { Accounts::on(&target.open(&Needs::default()).await?)?.move_out(&people).await };
    left.await.map_err(|error: anyhow::Error| error.context("people of this run are still in its rooms"))
}
