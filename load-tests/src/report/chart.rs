//! Line charts as SVG, drawn by `plotters`.

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

/// A chart over seconds; `None` when there is nothing to show.
pub fn line_chart(unit: &str, lines: &[Line<'_>]) -> Option<String> {
    let all = || lines.iter().flat_map(|line| &line.points);
    let (end, top) = all().fold((0.0_f64, 0.0_f64), |(end, top), (x, y)| (end.max(*x), top.max(*y)));
    if end <= 0.0 {
        return None;
    }
    let top = if top > 0.0 { top * 1.1 } else { 1.0 };
    let mut svg = String::new();
    draw(&mut svg, unit, lines, end, top).ok()?;
    Some(svg)
}

fn draw(
    svg: &mut String,
    unit: &str,
    lines: &[Line<'_>],
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
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let mut stretches = stretches(&line.points).into_iter();
        // The first one, even if there is none, brings the name.
        chart
            .draw_series(LineSeries::new(stretches.next().unwrap_or_default(), colour.stroke_width(2)))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(3)));
        for stretch in stretches {
            chart.draw_series(LineSeries::new(stretch, colour.stroke_width(2)))?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font(("sans-serif", 12, &RGBColor(110, 110, 110)))
        .border_style(TRANSPARENT)
        .draw()?;
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
        let nothing = Line { name: "p99", points: vec![(1.0, f64::NAN)] };
        assert!(line_chart("ms", &[nothing]).is_some_and(|svg| !svg.contains("NaN")));
    }
}
