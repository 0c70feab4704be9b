//! A smaller run that breaks the same promise: fewer steps, faults and users.

use clap::ValueEnum;

use super::check::Invariant;
use super::plan::{Fault, Plan};
use super::run;

/// The smallest plan found that breaks the same promise as `plan` does.
pub fn shrink(plan: Plan) -> anyhow::Result<Plan> {
    let Some((failure, step)) = run(plan.clone())?.failure else { return Ok(plan) };
    let mut search = Search { best: plan, wanted: failure.invariant };
    search.try_out(|plan| plan.steps = (step + 1).min(plan.steps))?;
    search.drop_steps()?;
    for fault in Fault::value_variants() {
        search.try_out(|plan| plan.without.extend([*fault]))?;
    }
    for users in 1..search.best.users {
        if search.try_out(|plan| plan.users = users)? {
            break;
        }
    }
    search.drop_steps()?;
    Ok(search.best)
}

struct Search {
    best: Plan,
    wanted: Invariant,
}

impl Search {
    /// Keeps a change when the same promise still breaks.
    fn try_out(&mut self, change: impl FnOnce(&mut Plan)) -> anyhow::Result<bool> {
        let mut plan = self.best.clone();
        change(&mut plan);
        let is_same = run(plan.clone())?.failure.is_some_and(|(failure, _)| failure.invariant == self.wanted);
        if is_same {
            self.best = plan;
        }
        Ok(is_same)
    }

    /// Leaves out ever smaller parts of the steps.
    fn drop_steps(&mut self) -> anyhow::Result<()> {
        let mut size = self.best.steps.div_ceil(2);
        while size > 0 {
            for from in (0..self.best.steps).step_by(size) {
                let to = (from + size).min(self.best.steps);
                if (from..to).any(|step| !self.best.skips(step)) {
                    self.try_out(|plan| plan.skip = joined(plan, from, to))?;
                }
            }
            size /= 2;
        }
        Ok(())
    }
}

/// The plan's left out steps and these, as few ranges as possible.
fn joined(plan: &Plan, from: usize, to: usize) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for step in (0..plan.steps).filter(|step| plan.skips(*step) || (from..to).contains(step)) {
        match ranges.last_mut() {
            Some(last) if last.1 == step => last.1 = step + 1,
            _ => ranges.push((step, step + 1)),
        }
    }
    ranges
}
