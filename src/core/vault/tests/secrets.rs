//! Secrets are put, used, replaced, deleted and listed.

use std::time::Duration;

use futures_util::future::join_all;

use super::bench::{Bench, ENGINE, name, secret, value};
use crate::vault::{AuditQuery, By, Secret, SecretName, VaultError};
use parlance_foundation::ids::UserId;

#[actix_rt::test]
async fn a_secret_is_kept_under_a_name_and_used() {
    let bench = Bench::new().await;
    let put = bench.vault.put(&name("a"), "OpenAI", &secret("sk-0123456789abcdefwxyz"), &ENGINE).await.unwrap();
    assert_eq!((put.scope.as_str(), put.name.as_str(), put.label.as_str()), ("test.kind", "a", "OpenAI"));
    assert_eq!((put.hint.as_deref(), put.version, put.readable, put.last_used_at), (Some("…wxyz"), 1, true, None));
    assert_eq!(value(&bench.vault, "a").await.unwrap(), "sk-0123456789abcdefwxyz");
    assert_eq!(value(&bench.another().await, "a").await.unwrap(), "sk-0123456789abcdefwxyz", "after a restart");
    assert!(matches!(value(&bench.vault, "b").await, Err(VaultError::NotFound)));
    let listed = bench.vault.list_meta(None, None, 10).await.unwrap();
    assert_eq!(listed[0].last_used_at, Some(bench.clock.now()));
    // What a copy of the database has.
    let kept = "SELECT count(*) FROM vault_secrets WHERE position('sk-01'::bytea IN ciphertext) > 0 OR vault_secrets::text ~ 'sk-01'";
    assert_eq!(bench.count(kept).await, 0);
}

#[actix_rt::test]
async fn what_is_no_secret_is_refused() {
    let bench = Bench::with(|config| (config.secret_bytes_max, config.secrets_max) = (65_536, 2)).await;
    let put = async |of: &str, value: Vec<u8>| bench.vault.put(&name(of), "", &Secret::new(value), &ENGINE).await;
    assert!(matches!(put("a", vec![]).await, Err(VaultError::Empty)));
    assert!(matches!(put("a", vec![1; 65_537]).await, Err(VaultError::TooLarge { bytes_max: 65_536 })));
    put("a", vec![0xff; 65_536]).await.unwrap();
    assert_eq!(bench.vault.get(&name("a"), &ENGINE).await.unwrap().reveal(), [0xff; 65_536]);
    assert!(matches!(put("a", vec![1]).await, Err(VaultError::Taken)));
    for label in ["x".repeat(201), "a\nb".to_owned()] {
        let labelled = bench.vault.put(&name("b"), &label, &secret("x"), &ENGINE).await;
        assert!(matches!(labelled, Err(VaultError::InvalidLabel)));
    }
    put("b", vec![1]).await.unwrap();
    assert!(matches!(put("c", vec![1]).await, Err(VaultError::Full { secrets_max: 2 })));
    for missing in [
        bench.vault.replace(&name("c"), &secret("x"), &ENGINE).await.err(),
        bench.vault.delete(&name("c"), &ENGINE).await.err(),
    ] {
        assert!(matches!(missing, Some(VaultError::NotFound)));
    }
    assert_eq!(bench.audited().await.len(), 3, "what was refused was not done: {:?}", bench.audited().await);
}

#[actix_rt::test]
async fn a_replaced_secret_has_another_value_and_its_old_one_does_not_come_back() {
    let bench = Bench::new().await;
    let id = bench.put("a", "first").await;
    bench.sql("CREATE TABLE copies AS SELECT * FROM vault_secrets").await;
    bench.clock.advance(Duration::from_secs(5));
    let replaced = bench.vault.replace(&name("a"), &secret("second"), &ENGINE).await.unwrap();
    assert_eq!((replaced.id, replaced.version, replaced.replaced_at), (id, 2, Some(bench.clock.now())));
    assert_eq!((replaced.label.as_str(), replaced.hint), ("a label", None));
    assert_eq!(value(&bench.vault, "a").await.unwrap(), "second");
    bench.sql("UPDATE vault_secrets SET ciphertext = c.ciphertext, wrapped_key = c.wrapped_key FROM copies c").await;
    assert!(matches!(value(&bench.vault, "a").await, Err(VaultError::Damaged(_))));
    bench.vault.replace(&name("a"), &secret("third"), &ENGINE).await.unwrap();
    assert_eq!(value(&bench.vault, "a").await.unwrap(), "third", "that heals it");
}

#[actix_rt::test]
async fn rows_that_were_changed_or_swapped_by_sql_do_not_open() {
    let bench = Bench::new().await;
    bench.put("a", "of a").await;
    bench.put("b", "of b").await;
    bench.sql("CREATE TABLE copies AS SELECT * FROM vault_secrets").await;
    for (field, from) in [
        ("ciphertext", "other.ciphertext"),
        ("wrapped_key", "other.wrapped_key"),
        ("(ciphertext, wrapped_key, version)", "(other.ciphertext, other.wrapped_key, other.version)"),
        ("version", "mine.version + 1"),
        ("id", "gen_random_uuid()"),
        (
            "(ciphertext, wrapped_key)",
            "(set_byte(mine.ciphertext, 30, 255 - get_byte(mine.ciphertext, 30)), mine.wrapped_key)",
        ),
    ] {
        bench
            .sql(&format!(
                "UPDATE vault_secrets SET {field} = {from} FROM copies mine, copies other
             WHERE vault_secrets.name = 'a' AND mine.name = 'a' AND other.name = 'b'"
            ))
            .await;
        let error = value(&bench.vault, "a").await.unwrap_err();
        assert!(matches!(error, VaultError::Damaged(_)), "{field}: {error}");
        assert!(error.to_string().contains("test.kind/a"), "{error}");
        assert_eq!(value(&bench.vault, "b").await.unwrap(), "of b", "the other is none the worse");
        bench.sql("DELETE FROM vault_secrets; INSERT INTO vault_secrets SELECT * FROM copies").await;
        assert_eq!(value(&bench.vault, "a").await.unwrap(), "of a");
    }
    // Under another name.
    bench.sql("UPDATE vault_secrets SET name = 'c' WHERE name = 'a'").await;
    assert!(matches!(value(&bench.vault, "c").await, Err(VaultError::Damaged(_))));
}

#[actix_rt::test]
async fn of_those_who_put_the_same_name_at_once_one_has_put_it_and_replacements_take_turns() {
    let bench = Bench::new().await;
    let other = bench.another().await;
    let vaults = [&bench.vault, &other];
    let put = async |n: usize| vaults[n % 2].put(&name("a"), "", &secret(&format!("value {n}")), &ENGINE).await;
    let done = join_all((0..12).map(put)).await;
    let won: Vec<usize> = (0..12).filter(|n| done[*n].is_ok()).collect();
    assert_eq!(won.len(), 1, "{done:?}");
    assert!(
        done.iter().flatten().count() == 1
            && done.iter().filter_map(|put| put.as_ref().err()).all(|e| matches!(e, VaultError::Taken))
    );
    assert_eq!(value(&bench.vault, "a").await.unwrap(), format!("value {}", won[0]));

    let replace = async |n: usize| vaults[n % 2].replace(&name("a"), &secret(&format!("next {n}")), &ENGINE).await;
    let replaced = join_all((0..12).map(replace)).await;
    let mut versions: Vec<(i32, usize)> =
        replaced.into_iter().enumerate().map(|(n, meta)| (meta.unwrap().version, n)).collect();
    versions.sort_unstable();
    assert_eq!(versions.iter().map(|(version, _)| *version).collect::<Vec<_>>(), (2..=13).collect::<Vec<_>>());
    assert_eq!(value(&other, "a").await.unwrap(), format!("next {}", versions[11].1), "the last one is in force");
}

#[actix_rt::test]
async fn a_deleted_secret_is_gone_and_its_name_is_free() {
    let bench = Bench::new().await;
    let id = bench.put("a", "first").await;
    assert_eq!(bench.vault.name_of(id).await.unwrap(), name("a"));
    bench.vault.delete(&name("a"), &ENGINE).await.unwrap();
    assert!(matches!(value(&bench.vault, "a").await, Err(VaultError::NotFound)));
    assert!(matches!(bench.vault.name_of(id).await, Err(VaultError::NotFound)));
    assert_ne!(bench.put("a", "second").await, id);
    assert_eq!(value(&bench.vault, "a").await.unwrap(), "second");
}

#[actix_rt::test]
async fn secrets_are_listed_by_page_and_scope() {
    let bench = Bench::new().await;
    for n in 0..5 {
        bench.clock.advance(Duration::from_millis(1));
        bench.put(&n.to_string(), "x").await;
    }
    let other = SecretName::new("other", "1").unwrap();
    bench.vault.put(&other, "", &secret("x"), &ENGINE).await.unwrap();
    let names = async |scope, after, limit| {
        let page = bench.vault.list_meta(scope, after, limit).await.unwrap();
        (page.last().map(|meta| meta.id), page.into_iter().map(|meta| meta.name).collect::<Vec<_>>())
    };
    let (last, first) = names(Some("test.kind"), None, 3).await;
    assert_eq!(first, ["0", "1", "2"]);
    assert_eq!(names(Some("test.kind"), last, 3).await.1, ["3", "4"]);
    assert_eq!(names(Some("other"), None, 3).await.1, ["1"]);
    assert_eq!(names(None, None, 100).await.1.len(), 6);
    assert!(matches!(bench.vault.list_meta(Some("No Scope"), None, 1).await, Err(VaultError::InvalidName(_))));
}

#[actix_rt::test]
async fn who_did_what_and_when_is_written_down_and_uses_once_a_minute() {
    let bench = Bench::new().await;
    let admin = UserId::new(&bench.clock);
    let by = By::User(admin);
    bench.vault.put(&name("a"), "", &secret("x"), &by).await.unwrap();
    let bridge = By::Engine("bridges");
    for second in 0..150 {
        bench.clock.advance(Duration::from_secs(1));
        bench.vault.get(&name("a"), &ENGINE).await.unwrap();
        if second == 0 {
            bench.vault.get(&name("a"), &bridge).await.unwrap();
        }
    }
    bench.clock.advance(Duration::from_secs(1));
    bench.vault.replace(&name("a"), &secret("y"), &By::Operator("root".into())).await.unwrap();
    bench.clock.advance(Duration::from_secs(1));
    bench.vault.delete(&name("a"), &by).await.unwrap();
    let of_a = AuditQuery { name: Some(name("a")), limit: 100, ..AuditQuery::default() };
    let mut entries = bench.vault.audit(&of_a).await.unwrap();
    entries.sort_by_key(|entry| entry.at);
    let count = |what: &str, by: &str| {
        entries.iter().filter(|entry| entry.what == what && entry.by_name.as_deref() == Some(by)).count()
    };
    assert_eq!((count("read", "tests"), count("read", "bridges"), count("replaced", "root")), (3, 1, 1));
    assert_eq!(entries.len(), 7);
    let (first, last) = (&entries[0], &entries[6]);
    assert_eq!((first.what.as_str(), first.origin.as_str(), first.user_id), ("created", "user", Some(admin.0)));
    assert_eq!((last.what.as_str(), last.at), ("deleted", bench.clock.now()));

    bench.clock.advance(Duration::from_secs(86_400 * 365 - 60));
    assert_eq!(bench.vault.delete_old_audit().await.unwrap(), 4, "those of the first minutes");
    bench.clock.advance(Duration::from_secs(86_400));
    assert_eq!(bench.vault.delete_old_audit().await.unwrap(), 3);
    assert!(bench.audited().await.is_empty());
}

#[actix_rt::test]
async fn a_use_that_cannot_be_written_down_does_not_happen() {
    let bench = Bench::new().await;
    bench.put("a", "x").await;
    bench.sql("ALTER TABLE vault_audit RENAME TO audit_elsewhere").await;
    assert!(matches!(value(&bench.vault, "a").await, Err(VaultError::Database(_))));
    bench.sql("ALTER TABLE audit_elsewhere RENAME TO vault_audit").await;
    assert_eq!(value(&bench.vault, "a").await.unwrap(), "x");
}
