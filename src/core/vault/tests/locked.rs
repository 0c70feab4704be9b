//! Keys that are not here: a restored database, another machine's folder, a file that is lost or no file of keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::bench::{Bench, ENGINE, name, secret, value};
use crate::vault::{By, FirstKey, Vault, VaultError};

/// The engine starts, says what is missing, keeps nothing, and is whole again without a restart when the file is back.
async fn is_locked_until(bench: &Bench, vault: &Vault, words: &[&str], bring_back: impl FnOnce()) {
    let file = bench.key_file().display().to_string();
    for error in [
        value(vault, "a").await.unwrap_err(),
        vault.put(&name("new"), "", &secret("x"), &ENGINE).await.unwrap_err(),
        vault.replace(&name("a"), &secret("x"), &ENGINE).await.unwrap_err(),
        vault.rotate(&ENGINE, false).await.unwrap_err(),
        vault.rotate(&ENGINE, true).await.unwrap_err(),
    ] {
        let said = error.to_string();
        assert!(matches!(error, VaultError::Locked(_)), "{said}");
        for word in words.iter().chain(&[file.as_str(), "vault.master_key_file", "parlance vault delete --unreadable"])
        {
            assert!(said.contains(word), "{word:?} is not in: {said}");
        }
    }
    let listed = vault.list_meta(None, None, 10).await.unwrap();
    assert!(listed.len() == 1 && !listed[0].readable);
    assert_eq!(vault.count_unreadable().await.unwrap(), 1);
    bring_back();
    assert_eq!(value(vault, "a").await.unwrap(), "x");
    vault.put(&name("new"), "", &secret("y"), &ENGINE).await.unwrap();
    assert_eq!(vault.count_unreadable().await.unwrap(), 0);
}

#[actix_rt::test]
async fn the_first_start_makes_a_key_that_only_the_engine_reads() {
    let bench = Bench::new().await;
    assert_eq!(bench.keys().len(), 1);
    assert_eq!(fs::metadata(bench.key_file()).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(bench.key_file()).unwrap();
    bench.another().await;
    assert_eq!(fs::read(bench.key_file()).unwrap(), before);
    // A command beside the engine makes none.
    fs::remove_file(bench.key_file()).unwrap();
    let beside = bench.open(&bench.config, FirstKey::Leave).await;
    let refused = beside.put(&name("a"), "", &secret("x"), &ENGINE).await.unwrap_err();
    assert!(refused.to_string().contains("--data-dir"), "{refused}");
    assert!(!bench.key_file().exists());
    // The engine does, as long as nothing is under the one that is gone.
    bench.put("a", "x").await;
    assert_eq!(value(&bench.vault, "a").await.unwrap(), "x");
}

#[actix_rt::test]
async fn a_database_whose_file_is_not_here_gets_no_other_key() {
    let bench = Bench::new().await;
    bench.put("a", "x").await;
    let (file, aside) = (bench.key_file(), bench.folder.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    let vault = bench.another().await;
    is_locked_until(&bench, &vault, &["it is not there"], || fs::rename(&aside, &file).unwrap()).await;
}

#[actix_rt::test]
async fn a_database_with_the_file_of_another_machine_is_told_which_key_is_missing() {
    let (bench, elsewhere) = (Bench::new().await, Bench::new().await);
    bench.put("a", "x").await;
    let own = fs::read(bench.key_file()).unwrap();
    fs::copy(elsewhere.key_file(), bench.key_file()).unwrap();
    let vault = bench.another().await;
    let key = bench.vault.list_meta(None, None, 1).await.unwrap().remove(0).key_id;
    let words = ["it lacks the key", key.as_str()];
    is_locked_until(&bench, &vault, &words, || fs::write(bench.key_file(), own).unwrap()).await;
}

#[actix_rt::test]
async fn keys_that_may_be_of_another_database_are_not_forgotten() {
    let (bench, elsewhere) = (Bench::new().await, Bench::new().await);
    // The other machine has an older key and a newer one.
    elsewhere.put("b", "y").await;
    elsewhere.vault.rotate(&ENGINE, false).await.unwrap();
    let file = fs::read(elsewhere.key_file()).unwrap();
    fs::write(bench.key_file(), &file).unwrap();
    // A database without a secret tells nothing of whose they are.
    assert_eq!(bench.another().await.rotate(&ENGINE, true).await.unwrap().forgotten, 0);
    assert!(fs::read_to_string(bench.key_file()).unwrap().lines().filter(|line| line.contains(" # ")).count() >= 2);

    let bench = Bench::new().await;
    bench.put("a", "x").await;
    fs::write(bench.key_file(), &file).unwrap();
    assert!(matches!(bench.another().await.rotate(&ENGINE, true).await, Err(VaultError::Locked(_))));
    assert_eq!(fs::read(bench.key_file()).unwrap(), file, "with secrets under another key");
    fs::write(bench.key_file(), "no keys").unwrap();
    assert!(matches!(bench.another().await.delete_unreadable(1, &ENGINE).await, Err(VaultError::Locked(_))));
    assert_eq!(bench.vault.list_meta(None, None, 9).await.unwrap().len(), 1, "unreadable is not lost");
}

#[actix_rt::test]
async fn a_running_engine_goes_on_reading_while_its_file_is_away() {
    let bench = Bench::new().await;
    bench.put("a", "x").await;
    bench.put("b", "y").await;
    let (file, aside) = (bench.key_file(), bench.folder.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    bench.vault.delete(&name("b"), &ENGINE).await.unwrap();
    assert_eq!(bench.vault.count_unreadable().await.unwrap(), 1, "by what the file says");
    assert_eq!(value(&bench.vault, "a").await.unwrap(), "x");
    let refused = bench.vault.put(&name("c"), "", &secret("x"), &ENGINE).await;
    assert!(matches!(refused, Err(VaultError::Locked(_))), "what is not on disk is written under no more");
    fs::rename(&aside, &file).unwrap();
    bench.vault.put(&name("c"), "", &secret("x"), &ENGINE).await.unwrap();
}

#[actix_rt::test]
async fn a_file_that_is_none_of_keys_is_named() {
    let bench = Bench::new().await;
    bench.put("a", "x").await;
    let own = fs::read(bench.key_file()).unwrap();
    fs::write(bench.key_file(), "hunter2hunter2\n").unwrap();
    let vault = bench.another().await;
    let said = value(&vault, "a").await.unwrap_err().to_string();
    assert!(!said.contains("hunter2"), "{said}");
    let words = ["no file of keys", "32 bytes in base64"];
    is_locked_until(&bench, &vault, &words, || fs::write(bench.key_file(), own).unwrap()).await;
}

#[actix_rt::test]
async fn what_is_under_a_lost_key_is_given_up_and_the_rest_stays() {
    let bench = Bench::new().await;
    bench.put("a", "lost").await;
    fs::remove_file(bench.key_file()).unwrap();
    let vault = bench.another().await;
    bench.clock.advance(Duration::from_secs(1));
    for other in [0, 2] {
        let refused = vault.delete_unreadable(other, &ENGINE).await.unwrap_err();
        assert!(matches!(refused, VaultError::OtherCount { unreadable: 1, .. }), "{refused}");
    }
    assert_eq!(vault.delete_unreadable(1, &By::Operator("root".into())).await.unwrap(), 1);
    assert_eq!(bench.audited().await.last().unwrap(), &("deleted".to_owned(), "a".to_owned()));
    vault.put(&name("a"), "", &secret("anew"), &ENGINE).await.unwrap();
    assert_eq!((bench.keys().len(), value(&vault, "a").await.unwrap()), (1, "anew".to_owned()));
    assert_eq!(vault.delete_unreadable(0, &ENGINE).await.unwrap(), 0);
    assert_eq!(value(&vault, "a").await.unwrap(), "anew");
}

#[actix_rt::test]
async fn of_two_engines_with_a_first_key_each_one_decides_which_it_is() {
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (storage, clock) = (bench.database.storage.clone(), bench.clock.clone());
    let elsewhere = Vault::open(&bench.config, storage, clock, folder.path(), FirstKey::Make).await.unwrap();
    let (first, second, value) = (name("first"), name("second"), secret("x"));
    let put = futures_util::future::join(
        bench.vault.put(&first, "", &value, &ENGINE),
        elsewhere.put(&second, "", &value, &ENGINE),
    );
    let (ours, theirs) = put.await;
    assert_ne!(ours.is_ok(), theirs.is_ok(), "{ours:?} {theirs:?}");
    let refused = ours.err().or(theirs.err()).unwrap().to_string();
    assert!(refused.contains("it lacks the key"), "{refused}");
    assert_eq!(bench.count("SELECT count(DISTINCT key_id) FROM vault_secrets").await, 1);
}

#[actix_rt::test]
async fn what_a_cut_off_write_left_beside_the_keys_is_removed_by_the_next_start() {
    let bench = Bench::new().await;
    let left = bench.folder.path().join("vault.0123456789abcdef.new");
    let file = fs::File::create(&left).unwrap();
    file.set_modified(file.metadata().unwrap().modified().unwrap() - Duration::from_secs(3_600)).unwrap();
    bench.open(&bench.config, FirstKey::Leave).await;
    assert!(left.exists(), "a command leaves it");
    bench.another().await;
    assert!(!left.exists());
}

#[actix_rt::test]
async fn one_secret_under_a_lost_key_can_be_deleted_by_name() {
    let bench = Bench::new().await;
    bench.put("a", "lost").await;
    fs::remove_file(bench.key_file()).unwrap();
    let vault = bench.another().await;
    vault.delete(&name("a"), &ENGINE).await.unwrap();
    vault.put(&name("b"), "", &secret("anew"), &ENGINE).await.unwrap();
}

#[actix_rt::test]
async fn keys_of_the_configuration_need_no_file() {
    let (one, two) = ("q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=", "EjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vA=");
    let bench = Bench::with(|config| config.master_key = Some(secret(one))).await;
    bench.put("a", "x").await;
    assert!(!bench.key_file().exists());
    let unchanged = bench.vault.rotate(&ENGINE, true).await.unwrap();
    assert!(!unchanged.is_new && unchanged.rewrapped == 0);
    let mut config = bench.config.clone();
    config.master_key = Some(secret(&format!("{one},{two}")));
    let both = bench.open(&config, FirstKey::Make).await;
    assert_eq!(value(&both, "a").await.unwrap(), "x");
    let rotated = both.rotate(&ENGINE, false).await.unwrap();
    assert!(!rotated.is_new && rotated.rewrapped == 1);
    config.master_key = Some(secret(two));
    assert_eq!(value(&bench.open(&config, FirstKey::Make).await, "a").await.unwrap(), "x");
    let said = value(&bench.vault, "a").await.unwrap_err().to_string();
    assert_eq!(value(&bench.another().await, "a").await.unwrap_err().to_string(), said);
    assert!(said.contains("PARLANCE__VAULT__MASTER_KEY") && !said.contains(one), "{said}");
}
