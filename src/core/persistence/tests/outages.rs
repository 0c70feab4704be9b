//! Commits through a Postgres that goes away.

use super::*;

#[actix_rt::test]
async fn a_commit_whose_answer_was_lost_is_told_as_committed() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let proxy = Proxy::before(&bench.database.url()).await;
    let options = parlance_foundation::storage::parse_url(proxy.url()).unwrap();
    let storage = Storage::connect(options, &defaults("storage"), migrations().await).await.unwrap();
    let mut line = Line::new(&storage, |_| {});
    for (seq, heard) in [(1, true), (2, false)] {
        let marker = format!("lose-{seq}");
        proxy.trap(&marker, &marker, heard);
        line.enqueue(seq as u64, write(room, vec![bench.message(seq, &marker)])).await;
        assert_eq!(line.outcomes(1).await, [(seq as u64, Outcome::Committed)]);
        assert!(proxy.sprung());
    }
    // A try that is fenced by someone else in the meantime is told so, not taken for ours.
    proxy.trap("lose-3", "lose-3", false);
    let mut connection = bench.database.storage.dedicated_connection().await.unwrap();
    flush(&mut connection, &batch(vec![write(room, vec![bench.message(3, "other")])])).await.unwrap();
    line.enqueue(3, write(room, vec![bench.message(3, "lose-3")])).await;
    assert_eq!(line.outcomes(1).await, [(3, Outcome::Fenced)]);
    assert_eq!(bench.order(room).await.0, 3);
    storage.close().await;
}

#[actix_rt::test]
async fn when_postgres_goes_away_amid_writes_one_by_one_the_rest_does_not_wait_each_for_itself() {
    let bench = Bench::new().await;
    let rooms = [bench.room().await, bench.room().await, bench.room().await];
    let proxy = Proxy::before(&bench.database.url()).await;
    let options = parlance_foundation::storage::parse_url(proxy.url()).unwrap();
    let storage = Storage::connect(options, &defaults("storage"), migrations().await).await.unwrap();
    let mut line = Line::new(&storage, |config| config.write_timeout_ms = 1);
    line.enqueue(1, write(rooms[0], vec![bench.message(1, "first")])).await;
    assert_eq!(line.outcomes(1).await, [(1, Outcome::Committed)]);
    // Once it was asked what the first of them had come to.
    proxy.trap("parts::text AS parts", "lost", false);
    let tray = Tray::new(rooms[0], line.persisters.clone());
    let mark = Watermark { party: bench.ada.into(), delivered_seq: 1, read_seq: 1 };
    tray.enqueue(rooms[0], Job::Watermarks(rooms[0], vec![mark])).unwrap();
    let rows = [bench.message(2, "first"), bench.message(1, "lost"), bench.message(1, "after it")];
    for ((room, row), ticket) in rooms.into_iter().zip(rows).zip(2..) {
        let claim = Claim::new(ticket, line.lane.clone());
        tray.enqueue(room, Job::Write(Write { claim, ..write(room, vec![row]) })).unwrap();
    }
    assert!(tray.hand_over());
    let outcomes = line.outcomes(3).await;
    assert!(matches!(&outcomes[0], (2, Outcome::Duplicate(_))), "{outcomes:?}");
    assert_eq!(outcomes[1..], [(3, Outcome::Unavailable), (4, Outcome::Unavailable)]);
    line.persisters.settle(rooms[0]).await.unwrap();
    assert_eq!(bench.marks(rooms[0], bench.ada).await, (1, 1));
    storage.close().await;
}

#[actix_rt::test]
async fn whoever_waits_for_read_marks_waits_through_an_outage() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let proxy = Proxy::before(&bench.database.url()).await;
    let options = parlance_foundation::storage::parse_url(proxy.url()).unwrap();
    let storage = Storage::connect(options, &defaults("storage"), migrations().await).await.unwrap();
    let mut line = Line::new(&storage, |config| config.write_timeout_ms = 100);
    proxy.cut();
    let mark = Watermark { party: bench.ada.into(), delivered_seq: 5, read_seq: 4 };
    line.hand_over(room, Job::Watermarks(room, vec![mark])).await;
    let settled = {
        let persisters = line.persisters.clone();
        actix_rt::spawn(async move { persisters.settle(room).await })
    };
    // Given up, with the mark before it, which nobody gives up.
    line.enqueue(1, write(room, vec![bench.message(1, "away")])).await;
    assert_eq!(line.outcomes(1).await, [(1, Outcome::Unavailable)]);
    proxy.mend();
    settled.await.unwrap().unwrap();
    assert_eq!(bench.marks(room, bench.ada).await, (5, 4));
    storage.close().await;
}
