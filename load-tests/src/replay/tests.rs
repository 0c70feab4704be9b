//! The promises hold under many seeds; and a simulation of a broken engine says so.

use super::plan::{Broken, Plan};
use super::{run, shrink};

const STEPS: usize = 120;
/// Half of what `parlance-load replay` runs by default: about half a minute of a development build.
const SEEDS: u64 = 1_000;

#[test]
fn every_promise_holds_under_many_seeds() {
    for seed in 0..SEEDS {
        let plan = Plan::new(seed, STEPS);
        let failure = run(plan.clone()).unwrap().failure;
        assert!(failure.is_none(), "{failure:?}; again: {}", plan.command());
    }
}

#[test]
fn a_broken_engine_is_found() {
    use Broken::*;
    const SEEDS_MAX: u64 = 400;
    let all = [
        AcknowledgeBeforeCommit,
        ForgetTheFence,
        ForgetClientIds,
        DeliverTwice,
        SkipAPage,
        LoseRecall,
        KeepTellingWhoLeft,
        LoseAReply,
        NeverShed,
        ForgetMarks,
        MoveBack,
        RefuseInSilence,
        TrustAnOldTarget,
        KeepWhatWasEdited,
        LoseAForm,
    ];
    for broken in all {
        let finds = |seed: &u64| {
            let plan = Plan { broken: Some(broken), ..Plan::new(*seed, STEPS) };
            run(plan).unwrap().failure.is_some()
        };
        let found = (0..SEEDS_MAX).find(finds);
        assert!(found.is_some(), "{broken:?} passes {SEEDS_MAX} seeds");
    }
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let story = || run(Plan { is_told: true, ..Plan::new(7, STEPS) }).unwrap().trace;
    let told = story();
    assert!(told.len() > STEPS);
    let differs = told.iter().zip(story()).position(|(first, second)| *first != second);
    assert_eq!(differs, None, "the first line that differs");
}

#[test]
fn a_failure_is_made_smaller_and_stays_the_same() {
    let broken = |seed| Plan { broken: Some(Broken::DeliverTwice), ..Plan::new(seed, STEPS) };
    let failing = (0..200).find(|seed| run(broken(*seed)).unwrap().failure.is_some()).unwrap();
    let first = run(broken(failing)).unwrap().failure.unwrap().0.invariant;
    let small = shrink::shrink(broken(failing)).unwrap();
    let again = run(small.clone()).unwrap().failure.unwrap().0.invariant;
    assert_eq!(first, again);
    let left = (0..small.steps).filter(|step| !small.skips(*step)).count();
    assert!(left < STEPS / 4, "{left} steps are left");
}
