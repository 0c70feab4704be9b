//! Line charts as SVG, drawn by `plotters`.

use std::fmt::Write as _;

use plotters::prelude::*;

/// One line of a chart.
pub struct Line<'a> {
    pub name: &'a str,
    /// What is not a number is a gap.
    pub points: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (860, 260);
const COLOURS: [RGBColor; 4] =
    [RGBColor(37, 99, 235), RGBColor(217, 119, 6), RGBColor(5, 150, 105), RGBColor(190, 24, 93)];

/// A chart over seconds, below the names of its lines: beside them it would need a place that no line goes through.
/// `None` when there is nothing to show: all of it unknown, or 0.
pub fn line_chart(unit: &str, lines: &[Line<'_>]) -> Option<String> {
    let known = |line: &&Line<'_>| line.points.iter().any(|(_, y)| y.is_finite());
    let lines: Vec<(&Line<'_>, &RGBColor)> = lines.iter().filter(known).zip(COLOURS.iter().cycle()).collect();
    let all = lines.iter().flat_map(|(line, _)| &line.points);
    let (end, top) = all.fold((0.0_f64, 0.0_f64), |(end, top), (x, y)| (end.max(*x), top.max(*y)));
    if end <= 0.0 || top <= 0.0 {
        return None;
    }
    let mut svg = String::new();
    draw(&mut svg, unit, &lines, end, top * 1.1).ok()?;
    let mut names = String::new();
    for (line, RGBColor(red, green, blue)) in lines {
        // Writing to a text cannot fail.
        let _ = write!(names, "<span style=\"color:rgb({red},{green},{blue})\">■</span> {} ", line.name);
    }
    Some(format!("<p class=\"names\">{names}</p><div class=\"wide\">{svg}</div>"))
}

fn draw(
    svg: &mut String,
    unit: &str,
    lines: &[(&Line<'_>, &RGBColor)],
    end: f64,
    top: f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .x_label_area_size(32)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(128, 128, 128).mix(0.25))
        .axis_style(RGBColor(128, 128, 128))
        .label_style(("sans-serif", 12, &RGBColor(110, 110, 110)))
        .x_desc("seconds")
        .y_desc(unit)
        .y_label_formatter(&|value| super::table::number(*value))
        .x_label_formatter(&|value| if end < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") })
        .draw()?;
    for (line, colour) in lines {
        for stretch in stretches(&line.points) {
            chart.draw_series(LineSeries::new(stretch, colour.stroke_width(2)))?;
        }
    }
    root.present()?;
    Ok(())
}

/// The points between gaps.
fn stretches(points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let between = points.split(|(_, y)| !y.is_finite());
    between.filter(|stretch| !stretch.is_empty()).map(<[_]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_without_a_value_is_a_gap() {
        let points = vec![(1.0, f64::NAN), (2.0, 5.0), (3.0, 6.0), (4.0, f64::NAN), (5.0, 7.0)];
        assert_eq!(stretches(&points), [vec![(2.0, 5.0), (3.0, 6.0)], vec![(5.0, 7.0)]]);
        let svg = line_chart("ms", &[Line { name: "p99", points }]).unwrap();
        assert!(!svg.contains("NaN") && svg.matches("<polyline").count() >= 2, "{svg}");
    }

    #[test]
    fn what_is_unknown_or_nothing_is_not_shown() {
        let line = |name, value| Line { name, points: vec![(1.0, value), (2.0, value)] };
        assert!(line_chart("ms", &[line("p50", f64::NAN), line("p99", 0.0)]).is_none());
        let chart = line_chart("MiB", &[line("engine", 5.0), line("Postgres", f64::NAN)]).unwrap();
        assert!(chart.contains("engine") && !chart.contains("Postgres"), "{chart}");
    }
}
