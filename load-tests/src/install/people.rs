//! The people of an installation: what they are called, and how a harness finds them again.

use uuid::Uuid;

use super::dice::Dice;
use super::room::uuid_at;
use super::text;

/// Everybody's, so that signing in can be measured and one hash is enough.
pub const PASSWORD: &str = "parlance at its size";
pub const NAME: &str = "large";

/// Sign-ins that are remembered: devices of a person, and tokens that each has used up.
const DEVICES_MAX: u64 = 3;
const TOKENS_MAX: u64 = 20;

mod places {
    pub const ID: u64 = 1;
    pub const NAME: u64 = 2;
    pub const DEVICES: u64 = 3;
    pub const TOKEN: u64 = 4;
}

/// Who somebody is to the outside issuer: `load-large-17`.
pub fn subject(name: &str, index: u64) -> String {
    format!("load-{name}-{index}")
}

/// What somebody signs in with.
pub fn email(name: &str, index: u64) -> String {
    format!("{}@example.org", subject(name, index))
}

/// Somebody. Ids rise with the index.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub id: Uuid,
    pub first_name: String,
    pub last_name: String,
    pub came: i64,
    dice: Dice,
}

/// A device that somebody is signed in on.
#[derive(Clone, Debug)]
pub struct Family {
    pub id: Uuid,
    pub user: Uuid,
    pub created: i64,
    pub used: i64,
    /// Their hashes, of which the last one is not used up.
    pub tokens: Vec<[u8; 32]>,
}

impl Somebody {
    /// All come one after the other, on the first day.
    pub fn of(dice: Dice, index: u64, users: u64, begun: i64) -> Self {
        let dice = dice.at(index);
        let day = 86_400_000_000_u128;
        let after = u128::from(index) * day / u128::from(users.max(1));
        let came = begun + i64::try_from(after).unwrap_or(0);
        let name = dice.at(places::NAME);
        Self {
            id: uuid_at(came, dice.at(places::ID)),
            first_name: text::name(name.at(0)),
            last_name: text::name(name.at(1)),
            came,
            dice,
        }
    }

    pub fn username(&self, index: u64) -> String {
        // Short enough for any name and index, and nobody else's because of the index.
        let first: String = self.first_name.to_lowercase().chars().take(8).collect();
        let last: String = self.last_name.to_lowercase().chars().take(12).collect();
        format!("{first}.{last}.{index}")
    }

    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// One to three devices, signed in within the last weeks.
    pub fn families(&self, now: i64) -> impl Iterator<Item = Family> + use<> {
        const WEEKS: u64 = 20 * 86_400_000_000;
        let (dice, user) = (self.dice.at(places::DEVICES), self.id);
        (0..1 + dice.below(DEVICES_MAX)).map(move |device| {
            let dice = dice.at(device);
            let age = i64::try_from(dice.at(0).below(WEEKS)).unwrap_or(0);
            let created = now - age;
            let used = created + i64::try_from(dice.at(1).below(age.unsigned_abs() + 1)).unwrap_or(0);
            let count = 1 + dice.at(2).below(TOKENS_MAX);
            let tokens = (0..count).map(|token| hash(dice.at(places::TOKEN).at(token))).collect();
            Family { id: uuid_at(created, dice.at(3)), user, created, used, tokens }
        })
    }
}

/// In the place of the hash of a token: nobody has the token.
fn hash(dice: Dice) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, part) in (0..).zip(bytes.chunks_mut(8)) {
        part.copy_from_slice(&dice.at(place).number().to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_such_as_the_schema_takes() {
        for index in [0, 17, 999_999] {
            let username = Somebody::of(Dice::of(1, "people"), index, 1_000_000, 0).username(index);
            assert!((3..=32).contains(&username.len()) && username.starts_with(|c: char| c.is_ascii_lowercase()));
        }
    }
}
