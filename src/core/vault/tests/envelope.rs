//! Envelopes: what was changed or put elsewhere does not open.

use uuid::Uuid;

use crate::vault::envelope::{Damaged, Place, Sealed, open, rewrap, seal};
use crate::vault::keys::MasterKey;
use crate::vault::{Secret, SecretName};

fn place(name: &SecretName) -> Place<'_> {
    Place { id: Uuid::from_u128(7), name, version: 1 }
}

fn named(scope: &str, name: &str) -> SecretName {
    SecretName::new(scope, name).unwrap()
}

fn opens(master: &MasterKey, place: Place<'_>, sealed: &Sealed) -> Result<Vec<u8>, Damaged> {
    open(master, place, sealed).map(|secret| secret.reveal().to_vec())
}

#[test]
fn a_secret_of_any_size_comes_back_as_it_was() {
    let (master, name) = (MasterKey::random(), named("ai.provider", "x"));
    for value in [vec![], b"x".to_vec(), vec![0; 31], (0..=255).collect(), vec![0xa5; 65_536], vec![1; 1_048_576]] {
        let sealed = seal(&master, place(&name), &Secret::new(value.clone())).unwrap();
        assert_eq!((sealed.ciphertext.len(), sealed.wrapped_key.len()), (value.len() + 40, 72));
        assert_eq!(opens(&master, place(&name), &sealed), Ok(value));
    }
}

#[test]
fn the_same_secret_is_never_sealed_the_same() {
    let (master, name) = (MasterKey::random(), named("ai.provider", "x"));
    let (one, two) = (
        seal(&master, place(&name), &Secret::new(vec![1; 32])).unwrap(),
        seal(&master, place(&name), &Secret::new(vec![1; 32])).unwrap(),
    );
    assert!(one.ciphertext != two.ciphertext && one.wrapped_key != two.wrapped_key);
    assert!(!one.ciphertext.windows(8).any(|part| part == [1; 8]));
}

#[test]
fn a_changed_bit_anywhere_is_noticed() {
    let (master, name) = (MasterKey::random(), named("ai.provider", "x"));
    let sealed = seal(&master, place(&name), &Secret::new(b"value".to_vec())).unwrap();
    for index in 0..sealed.ciphertext.len() {
        let mut changed = sealed.clone();
        changed.ciphertext[index] ^= 1;
        assert_eq!(opens(&master, place(&name), &changed), Err(Damaged), "byte {index}");
    }
    for index in 0..sealed.wrapped_key.len() {
        let mut changed = sealed.clone();
        changed.wrapped_key[index] ^= 0x80;
        assert_eq!(opens(&master, place(&name), &changed), Err(Damaged), "byte {index} of the key");
        assert_eq!(rewrap(&master, &MasterKey::random(), place(&name), &changed.wrapped_key), Err(Damaged));
    }
    for length in [0, 1, 23, 24, 39, 40, sealed.ciphertext.len() - 1] {
        let mut cut = sealed.clone();
        cut.ciphertext.truncate(length);
        assert_eq!(opens(&master, place(&name), &cut), Err(Damaged), "cut to {length}");
        let mut cut = sealed.clone();
        cut.wrapped_key.truncate(length.min(71));
        assert_eq!(opens(&master, place(&name), &cut), Err(Damaged));
    }
}

#[test]
fn it_opens_in_its_own_place_only() {
    let (master, name) = (MasterKey::random(), named("ai.provider", "x"));
    let sealed = seal(&master, place(&name), &Secret::new(b"value".to_vec())).unwrap();
    let (scope, other, shifted) = (named("ai.providers", "x"), named("ai.provider", "y"), named("ai", "provider/x"));
    for elsewhere in [
        Place { id: Uuid::from_u128(8), ..place(&name) },
        Place { version: 2, ..place(&name) },
        place(&scope),
        place(&other),
        place(&shifted),
    ] {
        assert_eq!(opens(&master, elsewhere, &sealed), Err(Damaged), "{elsewhere:?}");
        assert_eq!(rewrap(&master, &master, elsewhere, &sealed.wrapped_key), Err(Damaged), "{elsewhere:?}");
    }
}

#[test]
fn neither_half_works_with_the_half_of_another() {
    let (master, name) = (MasterKey::random(), named("ai.provider", "x"));
    let [one, two] = [b"one", b"two"].map(|value| seal(&master, place(&name), &Secret::new(value.to_vec())).unwrap());
    let mixed = Sealed { ciphertext: one.ciphertext, ..two };
    assert_eq!(opens(&master, place(&name), &mixed), Err(Damaged));
}

#[test]
fn another_master_key_opens_nothing_and_a_rewrapped_one_opens_with_the_new_key_only() {
    let (old, new, name) = (MasterKey::random(), MasterKey::random(), named("ai.provider", "x"));
    let sealed = seal(&old, place(&name), &Secret::new(b"value".to_vec())).unwrap();
    assert_eq!(opens(&new, place(&name), &sealed), Err(Damaged));
    let wrapped_key = rewrap(&old, &new, place(&name), &sealed.wrapped_key).unwrap();
    let rewrapped = Sealed { wrapped_key, key_id: new.id().clone(), ..sealed.clone() };
    assert_eq!(rewrapped.ciphertext, sealed.ciphertext);
    assert_eq!(opens(&new, place(&name), &rewrapped).as_deref(), Ok(b"value".as_slice()));
    assert_eq!(opens(&old, place(&name), &rewrapped), Err(Damaged));
}
