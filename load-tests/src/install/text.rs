//! Names and texts, made of syllables: as long and as varied as what people write, and nobody's.

use super::dice::Dice;

const ONSETS: [&str; 20] =
    ["b", "br", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "w", "z"];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ea", "ou"];
const CODAS: [&str; 8] = ["", "", "", "l", "n", "r", "s", "t"];

/// Bytes that all texts are cut from.
const POOL_BYTES: usize = 256 * 1024;
/// Most messages are short; a few fill a screen.
const LONG_ONE_IN: u64 = 100;
const SHORT_BYTES_MAX: u64 = 320;
const LONG_BYTES_MAX: u64 = 3_000;

/// What messages are cut from.
pub struct Texts(String);

impl Texts {
    pub fn new(dice: Dice) -> Self {
        let mut pool = String::with_capacity(POOL_BYTES + 16);
        for place in 0.. {
            if pool.len() >= POOL_BYTES {
                break;
            }
            pool.push_str(&word(dice.at(place)));
            pool.push(' ');
        }
        Self(pool)
    }

    /// A text of a message: about a hundred bytes in the mean.
    pub fn text(&self, dice: Dice) -> &str {
        let long = dice.at(0).below(LONG_ONE_IN) == 0;
        let (most, power) = if long { (LONG_BYTES_MAX, 1) } else { (SHORT_BYTES_MAX, 3) };
        let bytes = 8 + usize::try_from(dice.at(1).skewed_below(most, power)).unwrap_or(0);
        let from = usize::try_from(dice.at(2).below((self.0.len() - bytes) as u64)).unwrap_or(0);
        // All of it is ASCII.
        self.0.get(from..from + bytes).unwrap_or_default()
    }
}

/// A word of one to three syllables.
pub fn word(dice: Dice) -> String {
    let syllables = 1 + dice.at(0).below(3);
    (1..=syllables).map(|place| syllable(dice.at(place))).collect()
}

/// A name of two or three syllables, with a capital.
pub fn name(dice: Dice) -> String {
    let text: String = (0..2 + dice.at(9).below(2)).map(|place| syllable(dice.at(place))).collect();
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

fn syllable(dice: Dice) -> String {
    format!("{}{}{}", pick(&ONSETS, dice.at(0)), pick(&VOWELS, dice.at(1)), pick(&CODAS, dice.at(2)))
}

fn pick<'a>(choices: &[&'a str], dice: Dice) -> &'a str {
    usize::try_from(dice.below(choices.len() as u64)).ok().and_then(|index| choices.get(index)).unwrap_or(&"a")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_about_a_hundred_bytes_long() {
        let dice = Dice::of(1, "text");
        let texts = Texts::new(dice);
        let lengths: Vec<usize> = (0..10_000).map(|place| texts.text(dice.at(place)).len()).collect();
        let mean = lengths.iter().sum::<usize>() / lengths.len();
        assert!((80..130).contains(&mean), "{mean}");
        assert!(lengths.iter().all(|length| (8..=3_008).contains(length)));
        let longest_name = (0..10_000).map(|place| name(dice.at(place)).len()).max().unwrap();
        assert!(longest_name <= 15, "two of them and a number fit a username: {longest_name}");
    }
}
