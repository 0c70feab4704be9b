//! Rotations: beside other engines, cut off, twice at once.

use std::time::Duration;

use futures_util::future::{join, join_all};

use super::bench::{Bench, ENGINE, name, secret, value};
use crate::vault::VaultError;

const LIKE_THE_FIRST: &str =
    "SELECT count(*) FROM vault_secrets WHERE key_id = (SELECT key_id FROM vault_secrets WHERE name = '0')";

async fn with_secrets(secrets: usize) -> Bench {
    let bench = Bench::with(|config| config.rotation_rows_max = 3).await;
    for n in 0..secrets {
        // By id they are in the order in which they were made.
        bench.clock.advance(Duration::from_millis(1));
        bench.put(&n.to_string(), &format!("value {n}")).await;
    }
    bench
}

async fn all_there(bench: &Bench, secrets: usize) {
    for vault in [&bench.vault, &bench.another().await] {
        for n in 0..secrets {
            assert_eq!(value(vault, &n.to_string()).await.unwrap(), format!("value {n}"));
        }
    }
}

#[actix_rt::test]
async fn every_secret_is_under_the_new_key_and_running_engines_learn_of_it() {
    let bench = with_secrets(10).await;
    let running = bench.another().await;
    let first = bench.keys();
    bench.sql("CREATE TABLE copies AS SELECT * FROM vault_secrets").await;
    bench.clock.advance(Duration::from_secs(5));
    let rotated = bench.vault.rotate(&ENGINE, false).await.unwrap();
    assert!(rotated.is_new && rotated.rewrapped == 10 && rotated.damaged.is_empty() && rotated.forgotten == 0);
    let both = bench.keys();
    assert_eq!((both.len(), &both[0]), (2, &first[0]), "the newest is the last");
    for n in 0..10 {
        assert_eq!(value(&running, &n.to_string()).await.unwrap(), format!("value {n}"));
    }
    let listed = running.list_meta(None, None, 100).await.unwrap();
    assert!(listed.iter().all(|meta| {
        meta.key_id == rotated.key_id.as_str() && meta.readable && meta.rotated_at == Some(bench.clock.now())
    }));
    let changed = "SELECT count(*) FROM vault_secrets v JOIN copies c USING (id) WHERE v.ciphertext <> c.ciphertext OR v.version <> c.version";
    assert_eq!(bench.count(changed).await, 0, "only the wrapping");
    assert_eq!(bench.audited().await.iter().filter(|(what, _)| what == "rotated").count(), 10);
    // A backup of before still opens.
    bench.sql("DELETE FROM vault_secrets; INSERT INTO vault_secrets SELECT * FROM copies").await;
    all_there(&bench, 10).await;
    let again = bench.vault.rotate(&ENGINE, true).await.unwrap();
    assert!(!again.is_new && again.rewrapped == 10, "the key that was made last is the newest");
    assert_eq!((again.forgotten, bench.keys().len()), (1, 1));
    all_there(&bench, 10).await;
}

#[actix_rt::test]
async fn an_engine_that_does_not_know_of_the_new_key_yet_writes_under_it() {
    let bench = with_secrets(2).await;
    let running = bench.another().await;
    value(&running, "0").await.unwrap();
    let rotated = bench.vault.rotate(&ENGINE, true).await.unwrap();
    assert_eq!(bench.keys().len(), 1, "the old one is gone");
    let put = running.put(&name("new"), "", &secret("x"), &ENGINE).await.unwrap();
    let replaced = running.replace(&name("0"), &secret("y"), &ENGINE).await.unwrap();
    assert_eq!([put.key_id.as_str(), replaced.key_id.as_str()], [rotated.key_id.as_str(); 2]);
}

#[actix_rt::test]
async fn what_was_cut_off_half_way_is_finished_by_the_next() {
    let bench = with_secrets(10).await;
    let running = bench.another().await;
    // The third batch fails, as when the process or its Postgres ends there.
    bench
        .sql(
            "CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.key_id <> OLD.key_id THEN RAISE 'cut off'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER cut_off BEFORE UPDATE ON vault_secrets FOR EACH ROW WHEN (OLD.name = '7')
             EXECUTE FUNCTION cut_off()",
        )
        .await;
    assert!(matches!(bench.vault.rotate(&ENGINE, true).await, Err(VaultError::Database(_))));
    assert_eq!(bench.count(LIKE_THE_FIRST).await, 6, "two batches were done");
    assert_eq!(bench.keys().len(), 2);
    for n in 0..10 {
        assert_eq!(value(&running, &n.to_string()).await.unwrap(), format!("value {n}"));
    }
    running.put(&name("meanwhile"), "", &secret("x"), &ENGINE).await.unwrap();
    bench.sql("DROP TRIGGER cut_off ON vault_secrets").await;
    let finished = bench.another().await.rotate(&ENGINE, true).await.unwrap();
    assert!(!finished.is_new && finished.forgotten == 1, "no third key");
    assert_eq!(finished.rewrapped, 4);
    assert_eq!(bench.keys().len(), 1);
    all_there(&bench, 10).await;
    assert!(bench.vault.rotate(&ENGINE, false).await.unwrap().is_new, "and the next one makes one");
}

#[actix_rt::test]
async fn writes_in_the_midst_of_rotations_lose_nothing() {
    let bench = with_secrets(10).await;
    let running = bench.another().await;
    let writes = async {
        for n in 10..40 {
            running.put(&name(&n.to_string()), "", &secret(&format!("value {n}")), &ENGINE).await.unwrap();
            running.replace(&name("0"), &secret("value 0"), &ENGINE).await.unwrap();
            assert_eq!(value(&running, "1").await.unwrap(), "value 1");
        }
    };
    let rotations = async {
        for _ in 0..4 {
            bench.vault.rotate(&ENGINE, true).await.unwrap();
        }
    };
    join(writes, rotations).await;
    all_there(&bench, 40).await;
    let last = bench.vault.rotate(&ENGINE, true).await.unwrap();
    assert_eq!(bench.keys().len(), 1);
    assert_eq!(bench.count(&format!("SELECT count(*) FROM vault_secrets WHERE key_id = '{}'", last.key_id)).await, 40);
    all_there(&bench, 40).await;
}

#[actix_rt::test]
async fn of_two_rotations_at_once_one_is_refused_or_comes_after() {
    let bench = with_secrets(4).await;
    let others = [bench.another().await, bench.another().await, bench.another().await];
    let done = join_all(others.iter().map(|vault| vault.rotate(&ENGINE, false))).await;
    let made = done.iter().filter(|done| done.as_ref().is_ok_and(|rotated| rotated.is_new)).count();
    assert!(made >= 1 && bench.keys().len() == 1 + made, "{done:?}");
    assert!(done.iter().all(|done| matches!(done, Ok(_) | Err(VaultError::Rotating))), "{done:?}");
    bench.vault.rotate(&ENGINE, false).await.unwrap();
    all_there(&bench, 4).await;
}

#[actix_rt::test]
async fn a_row_that_somebody_changed_does_not_stop_the_others_and_its_key_stays() {
    let bench = with_secrets(5).await;
    bench.sql("UPDATE vault_secrets SET wrapped_key = set_byte(wrapped_key, 30, 255 - get_byte(wrapped_key, 30)) WHERE name = '2'").await;
    let rotated = bench.vault.rotate(&ENGINE, true).await.unwrap();
    assert_eq!((rotated.rewrapped, rotated.damaged, rotated.forgotten), (4, vec!["test.kind/2".to_owned()], 0));
    assert_eq!(bench.keys().len(), 2, "what the row says it is under is not forgotten");
    // Nor does it keep the others from a newer key.
    let again = bench.vault.rotate(&ENGINE, true).await.unwrap();
    assert_eq!((again.is_new, again.rewrapped, again.damaged), (true, 4, vec!["test.kind/2".to_owned()]));
    assert_eq!((again.forgotten, bench.keys().len()), (1, 2));
    bench.vault.delete(&name("2"), &ENGINE).await.unwrap();
    let clean = bench.vault.rotate(&ENGINE, true).await.unwrap();
    assert!(clean.is_new && clean.damaged.is_empty());
    assert_eq!(bench.keys().len(), 1);
    for n in [0, 1, 3, 4] {
        assert_eq!(value(&bench.vault, &n.to_string()).await.unwrap(), format!("value {n}"));
    }
}

#[actix_rt::test]
async fn keys_are_not_hoarded() {
    let bench = with_secrets(1).await;
    for _ in 1..32 {
        assert!(bench.vault.rotate(&ENGINE, false).await.unwrap().is_new);
    }
    let full = bench.vault.rotate(&ENGINE, false).await.unwrap_err().to_string();
    assert!(full.contains("--forget-old") && full.contains("vault.key"), "{full}");
    assert_eq!(value(&bench.vault, "0").await.unwrap(), "value 0");
    assert_eq!(bench.vault.rotate(&ENGINE, true).await.unwrap().forgotten, 32);
    all_there(&bench, 1).await;
}
