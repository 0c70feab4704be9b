//! Master keys: their text, their fingerprints, and the ring of those that this engine has. Pure.
//!
//! Invariant: no key is printed, and no complaint about a key holds any of it.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Secret;

pub(super) const KEY_BYTES: usize = 32;
pub(super) type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// More than this in one place are not rotated but hoarded.
pub(super) const KEYS_MAX: usize = 32;

const EITHER_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER_PADDING);

/// The fingerprint of a master key: 64 bits of a hash, which tell nothing of the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    fn of(key: &KeyBytes) -> Self {
        let hash = Sha256::new().chain_update(b"parlance vault 1: master key").chain_update(key.as_slice()).finalize();
        Self(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// As a row names it.
    pub(super) fn from_row(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One master key.
#[derive(Clone)]
pub(super) struct MasterKey {
    id: KeyId,
    bytes: KeyBytes,
}

impl MasterKey {
    pub fn random() -> Self {
        Self::of(Zeroizing::new(rand::random()))
    }

    pub fn of(bytes: KeyBytes) -> Self {
        Self { id: KeyId::of(&bytes), bytes }
    }

    pub fn id(&self) -> &KeyId {
        &self.id
    }

    pub(super) fn bytes(&self) -> &KeyBytes {
        &self.bytes
    }

    /// As a file or a variable has it.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// The master keys of this engine, the newest last. There may be none.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyring(Vec<MasterKey>);

/// Why a text is no ring of keys; which key of it, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeysError {
    #[error("key {0} of it is not 32 bytes in base64, as `openssl rand -base64 32` prints them")]
    NoKey(usize),
    #[error("it has no key: 32 bytes in base64, as `openssl rand -base64 32` prints them")]
    Empty,
    #[error("it has more than {KEYS_MAX} keys: `parlance vault rotate --forget-old` removes those that are not in use")]
    TooMany,
}

impl Keyring {
    /// Keys in base64, of either alphabet and with or without padding, apart by white space or commas; what follows a `#`
    /// on a line is for people.
    pub fn parse(text: &Secret) -> Result<Self, KeysError> {
        let text = text.reveal_text().ok_or(KeysError::NoKey(1))?;
        let words = text
            .lines()
            .filter_map(|line| line.split('#').next())
            .flat_map(|line| line.split(|c: char| c.is_whitespace() || c == ','))
            .filter(|word| !word.is_empty());
        let mut ring = Self::default();
        for (index, word) in words.enumerate() {
            ring.add(MasterKey::of(decoded(word).ok_or(KeysError::NoKey(index + 1))?));
        }
        match ring.0.len() {
            0 => Err(KeysError::Empty),
            1..=KEYS_MAX => Ok(ring),
            _ => Err(KeysError::TooMany),
        }
    }

    /// The same key twice is one.
    pub fn add(&mut self, key: MasterKey) {
        self.0.retain(|known| known.id != key.id);
        self.0.push(key);
    }

    pub fn newest(&self) -> Option<&MasterKey> {
        self.0.last()
    }

    pub fn find(&self, id: &KeyId) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.id == *id)
    }

    /// Removes the keys that are neither the newest nor one of `used`; answers how many went.
    pub fn forget_unless(&mut self, used: &[KeyId]) -> usize {
        let (before, newest) = (self.0.len(), self.newest().map(|key| key.id.clone()));
        self.0.retain(|key| Some(&key.id) == newest.as_ref() || used.contains(&key.id));
        before - self.0.len()
    }

    pub fn keys(&self) -> &[MasterKey] {
        &self.0
    }
}

fn decoded(word: &str) -> Option<KeyBytes> {
    let bytes = Zeroizing::new(STANDARD.decode(word).or_else(|_| URL_SAFE.decode(word)).ok()?);
    let key: &[u8; KEY_BYTES] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Result<Keyring, KeysError> {
        Keyring::parse(&Secret::from(text.to_owned()))
    }

    #[test]
    fn keys_are_read_as_people_write_them() {
        let (one, two) = (MasterKey::of(Zeroizing::new([0xfb; 32])), MasterKey::of(Zeroizing::new([0xff; 32])));
        let (a, b) = (one.to_text(), two.to_text());
        let url_safe = b.replace('/', "_").replace('=', "");
        for text in [
            format!("{}\n{}", *a, *b),
            format!("{},{}", *a, *b),
            format!("# first\r\n{} # of May\r\n\r\n  {url_safe}\n", *a),
            format!("{} {} {}", *b, *a, *b),
        ] {
            let ring = ring(&text).unwrap();
            assert_eq!(ring.keys().iter().map(MasterKey::id).collect::<Vec<_>>(), [one.id(), two.id()]);
            assert_eq!(ring.newest().unwrap().bytes(), two.bytes());
            assert_eq!(ring.find(one.id()).unwrap().bytes(), one.bytes());
        }
    }

    #[test]
    fn what_is_no_key_is_said_without_showing_it() {
        for text in ["", "\n# only words\n"] {
            assert_eq!(ring(text).unwrap_err(), KeysError::Empty);
        }
        let good = MasterKey::random().to_text();
        for bad in ["hunter2", "c2hvcnQ=", &format!("{}AAAA", &good[..40])] {
            let error = ring(&format!("{}\n{bad}", *good)).unwrap_err();
            assert_eq!(error, KeysError::NoKey(2));
            assert!(!error.to_string().contains(bad));
        }
        assert_eq!(Keyring::parse(&Secret::new(vec![0xff; 32])).unwrap_err(), KeysError::NoKey(1), "raw bytes");
        let many: String = (0..=KEYS_MAX).map(|_| format!("{}\n", *MasterKey::random().to_text())).collect();
        assert_eq!(ring(&many).unwrap_err(), KeysError::TooMany);
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = MasterKey::random();
        let mut ring = Keyring::default();
        ring.add(key.clone());
        let shown = format!("{key:?} {ring:#?}");
        assert!(!shown.contains(&*key.to_text()) && shown.contains(key.id().as_str()), "{shown}");
    }

    #[test]
    fn what_is_in_use_is_not_forgotten() {
        let keys: Vec<_> = (0..4).map(|_| MasterKey::random()).collect();
        let mut ring = Keyring::default();
        keys.iter().for_each(|key| ring.add(key.clone()));
        assert_eq!(ring.forget_unless(&[keys[1].id().clone()]), 2);
        assert_eq!(ring.keys().iter().map(MasterKey::id).collect::<Vec<_>>(), [keys[1].id(), keys[3].id()]);
    }
}
