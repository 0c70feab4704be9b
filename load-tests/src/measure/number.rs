//! Numbers of the command line: what is no number, not finite, or out of range is refused before anything is started.

use std::ops::RangeInclusive;

/// Things a second: slower than the least would outlast any run, and nothing here is faster than the most.
pub const RATES: RangeInclusive<f64> = 0.01..=1_000_000.0;
/// The same, where 0 means that there is no rate.
pub const RATES_OR_NONE: RangeInclusive<f64> = 0.0..=1_000_000.0;
/// Shares of something, or growth of it.
pub const PERCENT: RangeInclusive<f64> = 0.0..=1_000.0;

/// A parser of numbers within this range, for clap.
pub fn within(range: RangeInclusive<f64>) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse::<f64>().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("a number from {} to {} is wanted", range.start(), range.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_within_the_range_pass() {
        let rate = within(RATES);
        for good in ["0.01", "5", "1e6", "2.5e3"] {
            assert!(rate(good).is_ok(), "{good}");
        }
        for bad in ["0", "-1", "NaN", "inf", "-inf", "1e-30", "1e7", "", "ten"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert_eq!(within(RATES_OR_NONE)("0"), Ok(0.0));
    }
}
