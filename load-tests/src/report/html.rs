//! The report as one page without scripts or other files.

use std::fmt::Write as _;

use super::Report;
use super::chart::{Line, line_chart};
use super::table::number;
use crate::measure::Point;

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: .2rem; } h2 { margin-top: 2rem; font-size: 1.1rem; }
p.about { opacity: .7; margin-top: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; min-width: 52rem; height: auto; }
.wide { overflow-x: auto; } p.names { margin: 0; }
.failed { border-left: 4px solid #dc2626; padding: .4rem .8rem; background: color-mix(in srgb, #dc2626 12%, transparent); white-space: pre-wrap; }
.good { border-left: 4px solid #059669; padding: .4rem .8rem; background: color-mix(in srgb, #059669 12%, transparent); }
";

/// The report as HTML.
pub fn render(report: &Report) -> String {
    let mut page = String::new();
    let title = format!("parlance-load {}", escape(&report.scenario));
    let settings: Vec<String> = report
        .settings
        .iter()
        .map(|setting| format!("{} <b>{}</b>", escape(&setting.name), escape(&setting.value)))
        .collect();
    let machine = &report.machine;
    // Writing to a text cannot fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p class=\"about\">{} · {} cores of {}, Linux {}<br>{}</p>",
        escape(&report.at),
        machine.cores,
        escape(&machine.model),
        escape(&machine.kernel),
        settings.join(" · "),
    );
    verdict(&mut page, report);
    figures(&mut page, report);
    latencies(&mut page, report);
    charts(&mut page, &report.series);
    told(&mut page, report);
    schedule(&mut page, report);
    page.push_str("</html>\n");
    page
}

fn verdict(page: &mut String, report: &Report) {
    if report.failures.is_empty() {
        page.push_str("<p class=\"good\">Nothing went wrong in this run.</p>");
    }
    for failure in &report.failures {
        let _ = write!(page, "<p class=\"failed\">{}</p>", escape(failure));
    }
}

fn figures(page: &mut String, report: &Report) {
    page.push_str("<h2>Figures</h2><div class=\"wide\"><table>");
    for figure in &report.figures {
        let (name, unit) = (escape(&figure.name), escape(&figure.unit));
        let _ = write!(page, "<tr><td>{name}<td>{} {unit}", number(figure.value));
    }
    page.push_str("</table></div>");
}

fn schedule(page: &mut String, report: &Report) {
    if !report.schedule.is_empty() {
        let items: Vec<String> = report.schedule.iter().map(|item| format!("<li>{}", escape(item))).collect();
        let _ = write!(page, "<h2>What was done to the engine</h2><ul>{}</ul>", items.concat());
    }
}

fn latencies(page: &mut String, report: &Report) {
    if report.latencies.is_empty() {
        return;
    }
    page.push_str("<h2>Latency, milliseconds</h2><div class=\"wide\"><table><tr><th>of<th>count<th>p50<th>p90<th>p99<th>p99.9<th>max");
    for named in &report.latencies {
        let s = &named.summary;
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{:.2}<td>{:.2}<td>{:.2}<td>{:.2}<td>{:.2}",
            escape(&named.name),
            s.count,
            s.p50_ms,
            s.p90_ms,
            s.p99_ms,
            s.p999_ms,
            s.max_ms
        );
    }
    page.push_str("</table></div>");
}

fn charts(page: &mut String, series: &[Point]) {
    type Value = fn(&Point) -> f64;
    /// Title, unit, lines.
    type Chart<'a> = (&'a str, &'static str, Vec<(&'static str, Value)>);
    let latency = format!("Latency: {}", series.first().map_or("", |point| point.lane));
    #[expect(clippy::cast_precision_loss, reason = "counts of a second")]
    let charts: [Chart<'_>; 4] = [
        (latency.as_str(), "ms", vec![("p50", |p| p.p50_ms), ("p99", |p| p.p99_ms), ("max", |p| p.max_ms)]),
        ("Throughput", "a second", vec![("sent", |p| p.sent as f64), ("received", |p| p.received as f64)]),
        (
            "CPU",
            "cores",
            vec![
                ("engine", |p| p.engine_cores),
                ("Postgres", |p| p.postgres_cores),
                ("generator", |p| p.generator_cores),
            ],
        ),
        ("Resident memory", "MiB", vec![("engine", |p| p.engine_mib), ("Postgres", |p| p.postgres_mib)]),
    ];
    for (title, unit, lines) in charts {
        let lines: Vec<Line<'_>> = lines
            .into_iter()
            .map(|(name, value)| Line { name, points: series.iter().map(|point| (point.at_s, value(point))).collect() })
            .collect();
        if let Some(svg) = line_chart(unit, &lines) {
            let _ = write!(page, "<h2>{title}</h2>{svg}");
        }
    }
}

fn told(page: &mut String, report: &Report) {
    for told in &report.told {
        let line = Line { name: "engine", points: told.series.clone() };
        if let Some(svg) = line_chart(&told.unit, &[line]) {
            let _ = write!(page, "<h2>{}</h2>{svg}", escape(&told.name));
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::Told;
    use super::*;

    #[test]
    fn a_page_shows_what_went_wrong_and_escapes_it() {
        let mut report = Report::of("fanout");
        report.figure("deliveries", 1234.0, "a second");
        report.fail("<lost> & found");
        let series = vec![(1.0, 7.0), (2.0, 8.0)];
        report.series = vec![Point { at_s: 1.0, lane: "caught up", p50_ms: 2.0, ..Point::default() }];
        report.told.push(Told { name: "open rooms".to_owned(), unit: String::new(), series });
        let page = render(&report);
        assert!(page.contains("&lt;lost&gt; &amp; found") && page.contains("1 234 a second"), "{page}");
        assert!(!page.contains("Nothing went wrong"));
        assert!(page.contains("<h2>open rooms</h2><p") && page.contains("<polyline"));
        assert!(page.contains("<h2>Latency: caught up</h2><p"), "{page}");
    }
}
