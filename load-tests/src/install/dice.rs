//! Numbers that follow from a seed and a place: any row of an installation can be made on its own, in any order, and
//! comes out the same.

/// A number at a place; other places below it have numbers of their own.
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64, name: &str) -> Self {
        name.bytes().fold(Self(mix(seed)), |dice, byte| dice.at(u64::from(byte)))
    }

    /// The dice of a place below this one.
    #[must_use]
    pub fn at(self, place: u64) -> Self {
        Self(mix(self.0 ^ mix(place)))
    }

    pub fn number(self) -> u64 {
        self.0
    }

    /// A number from 0 up to, and not including, `end`; 0 when that is 0.
    pub fn below(self, end: u64) -> u64 {
        // The high half of a product: no division, and no bias that anybody could measure.
        u64::try_from((u128::from(self.0) * u128::from(end)) >> 64).unwrap_or(0)
    }

    /// From 0 up to, and not including, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
    pub fn fraction(self) -> f64 {
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to `end`, small ones more often the larger `power` is: their mean is `end / (power + 1)`.
    pub fn skewed_below(self, end: u64, power: i32) -> u64 {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let number = (self.fraction().powi(power) * end as f64) as u64;
        number.min(end.saturating_sub(1))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), which spreads any change over all bits.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_has_the_same_number_and_others_are_spread() {
        let dice = Dice::of(7, "large");
        assert_eq!(dice.at(3).number(), Dice::of(7, "large").at(3).number());
        let mut counts = [0_u32; 10];
        for place in 0..10_000 {
            counts[usize::try_from(dice.at(place).below(10)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        let mean = (0..10_000).map(|place| dice.at(place).skewed_below(1_000, 3)).sum::<u64>() / 10_000;
        assert!((225..275).contains(&mean), "{mean}");
    }
}
