//! The summary on a terminal.

use std::fmt::Write as _;

use super::Report;

/// The report as text.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let settings: Vec<String> =
        report.settings.iter().map(|setting| format!("{} {}", setting.name, setting.value)).collect();
    let machine = &report.machine;
    // Writing to a text cannot fail.
    let _ = writeln!(out, "\n{} · {}", report.scenario, settings.join(", "));
    let _ = writeln!(out, "{} cores of {}, Linux {}\n", machine.cores, machine.model, machine.kernel);
    let width = report.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
    for figure in &report.figures {
        let _ = writeln!(out, "  {:width$}  {:>12} {}", figure.name, number(figure.value), figure.unit);
    }
    if !report.latencies.is_empty() {
        let _ = writeln!(
            out,
            "\n  {:16} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "latency, ms", "count", "p50", "p90", "p99", "p99.9", "max"
        );
    }
    for named in &report.latencies {
        let s = &named.summary;
        let _ = writeln!(
            out,
            "  {:16} {:>10} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
            named.name, s.count, s.p50_ms, s.p90_ms, s.p99_ms, s.p999_ms, s.max_ms
        );
    }
    for failure in &report.failures {
        let _ = writeln!(out, "\n  FAILED: {failure}");
    }
    out
}

/// As many digits as anyone reads: thousands apart when large, three significant ones when small.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1_000.0 {
        let whole = format!("{size:.0}");
        let first = whole.len() % 3;
        let groups: Vec<&str> = std::iter::once(whole.get(..first).unwrap_or_default())
            .chain((first..whole.len()).step_by(3).map(|at| whole.get(at..at + 3).unwrap_or_default()))
            .filter(|group| !group.is_empty())
            .collect();
        format!("{}{}", if value < 0.0 { "-" } else { "" }, groups.join(" "))
    } else if size >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        let shown: Vec<String> = [1_234_567.0, 999.5, 12.345, 0.1234, 3.0, 1000.0, -4321.0].map(number).into();
        assert_eq!(shown, ["1 234 567", "1000", "12.35", "0.123", "3", "1 000", "-4 321"]);
    }
}
