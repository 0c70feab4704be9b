//! Envelope encryption. Pure, but for the randomness of keys and nonces.
//!
//! A value is encrypted under a data key of its own, which is used for nothing else; the data key is encrypted (*wrapped*)
//! under a master key. So a new master key asks for 32 bytes of each secret to be encrypted anew, not for the secret.
//! Both with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), whose nonces of 192 bits may be chosen at random.
//!
//! Invariant: what was sealed for one place (id, scope, name, version) opens in no other, and neither with another
//! value's data key: all of it is associated data of both. What is not as it was written is [`Damaged`], never garbage.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keys::{KEY_BYTES, KeyBytes, KeyId, MasterKey};
use super::{Secret, SecretName};

const NONCE_BYTES: usize = 24;

/// Where a value belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub id: Uuid,
    pub name: &'a SecretName,
    pub version: i32,
}

/// A value as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub ciphertext: Vec<u8>,
    pub wrapped_key: Vec<u8>,
    pub key_id: KeyId,
}

/// It was changed, belongs elsewhere, or the key is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not open")]
pub(super) struct Damaged;

/// Encrypts a value under a new data key, and that under `master`.
pub(super) fn seal(master: &MasterKey, place: Place<'_>, secret: &Secret) -> Result<Sealed, Damaged> {
    let data_key: KeyBytes = Zeroizing::new(rand::random());
    let ciphertext = encrypt(&data_key, secret.reveal(), &place.of_value())?;
    let wrapped_key = encrypt(master.bytes(), data_key.as_slice(), &place.of_key(master.id()))?;
    Ok(Sealed { ciphertext, wrapped_key, key_id: master.id().clone() })
}

/// Decrypts it; `master` is the key of `sealed.key_id`.
pub(super) fn open(master: &MasterKey, place: Place<'_>, sealed: &Sealed) -> Result<Secret, Damaged> {
    let data_key = unwrap(master, place, &sealed.wrapped_key)?;
    let value = decrypt(&data_key, &sealed.ciphertext, &place.of_value())?;
    Ok(Secret::new(value))
}

/// The same data key under another master key.
pub(super) fn rewrap(old: &MasterKey, new: &MasterKey, place: Place<'_>, wrapped: &[u8]) -> Result<Vec<u8>, Damaged> {
    let data_key = unwrap(old, place, wrapped)?;
    encrypt(new.bytes(), data_key.as_slice(), &place.of_key(new.id()))
}

fn unwrap(master: &MasterKey, place: Place<'_>, wrapped: &[u8]) -> Result<KeyBytes, Damaged> {
    let bytes = Zeroizing::new(decrypt(master.bytes(), wrapped, &place.of_key(master.id()))?);
    let key: &[u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| Damaged)?;
    Ok(Zeroizing::new(*key))
}

fn encrypt(key: &KeyBytes, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, Damaged> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let payload = Payload { msg: plain, aad: associated };
    let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload).map_err(|_| Damaged)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn decrypt(key: &KeyBytes, stored: &[u8], associated: &[u8]) -> Result<Vec<u8>, Damaged> {
    let (nonce, sealed) = stored.split_first_chunk::<NONCE_BYTES>().ok_or(Damaged)?;
    let payload = Payload { msg: sealed, aad: associated };
    cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| Damaged)
}

fn cipher(key: &KeyBytes) -> XChaCha20Poly1305 {
    let key: &Key = (&**key).into();
    XChaCha20Poly1305::new(key)
}

impl Place<'_> {
    fn of_value(&self) -> Vec<u8> {
        self.associated(&[b"parlance vault 1: value"])
    }

    fn of_key(&self, master: &KeyId) -> Vec<u8> {
        self.associated(&[b"parlance vault 1: key", master.as_str().as_bytes()])
    }

    /// Each part behind its length, so that no two places give the same bytes.
    fn associated(&self, what: &[&[u8]]) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        let place =
            [self.id.as_bytes().as_slice(), self.name.scope().as_bytes(), self.name.name().as_bytes(), &version];
        let mut bytes = Vec::new();
        for part in what.iter().copied().chain(place) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}
