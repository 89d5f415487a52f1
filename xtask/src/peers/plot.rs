//! The curve of cost against rules, as an SVG without any library: two or three lines need none.

use std::fmt::Write as _;

/// A line: its name, its colour, and points of (rules, microseconds per event), by rules.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) colour: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// Room for labels on each side.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 44.0;
/// How many lines there are across, at most.
const TICKS: f64 = 5.0;

/// Draws the curves; rules on a logarithmic scale, cost on one from zero.
pub(super) fn svg(curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let least = points().map(|point| point.0).fold(f64::INFINITY, f64::min).ln();
    let most = points().map(|point| point.0).fold(1.0, f64::max).ln();
    let highest = points().map(|point| point.1).fold(0.0, f64::max);
    let step = tick(highest / TICKS);
    let top = (highest / step).ceil().max(1.0) * step;
    let x = |rules: f64| LEFT + (rules.ln() - least) / (most - least).max(f64::EPSILON) * (WIDTH - LEFT - RIGHT);
    let y = |cost: f64| HEIGHT - BOTTOM - cost / top * (HEIGHT - TOP - BOTTOM);

    let mut lines = vec![
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#
        ),
        "<title>Processor time per event, by the number of rules</title>".to_owned(),
        format!(r#"<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>"#),
    ];
    let mut at = 0.0;
    while at <= top + step / 2.0 {
        let (height, right) = (y(at), WIDTH - RIGHT);
        lines.push(format!(r##"<path d="M{LEFT} {height:.1}H{right}" stroke="#ddd"/>"##));
        lines.push(format!(r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{at}</text>"#, LEFT - 6.0, height + 4.0));
        at += step;
    }
    for (rules, _) in curves.iter().max_by_key(|curve| curve.points.len()).into_iter().flat_map(|curve| &curve.points) {
        let bottom = HEIGHT - BOTTOM + 16.0;
        lines.push(format!(r#"<text x="{:.1}" y="{bottom}" text-anchor="middle">{rules}</text>"#, x(*rules)));
    }
    let (middle, bottom) = (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 10.0);
    lines.push(format!(r#"<text x="{middle}" y="{bottom}" text-anchor="middle">rules</text>"#));
    lines.push(format!(r#"<text x="{LEFT}" y="14">µs per event</text>"#));
    for Curve { name, colour, points } in curves {
        let mut path = String::new();
        for (place, (rules, cost)) in points.iter().enumerate() {
            let command = if place == 0 { 'M' } else { 'L' };
            // Writing into a string cannot fail.
            let _ = write!(path, "{command}{:.1} {:.1}", x(*rules), y(*cost));
            lines.push(format!(r#"<circle cx="{:.1}" cy="{:.1}" r="3" fill="{colour}"/>"#, x(*rules), y(*cost)));
        }
        lines.push(format!(r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>"#));
        if let Some((rules, cost)) = points.last() {
            let (x, y) = (x(*rules) + 8.0, y(*cost) + 4.0);
            lines.push(format!(r#"<text x="{x:.1}" y="{y:.1}" fill="{colour}">{name}</text>"#));
        }
    }
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

/// The least of 1, 2 and 5 times a power of ten that is not less.
fn tick(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|tick| *tick >= least).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (least, expected) in [(0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (2.4, 5.0), (7.0, 10.0)] {
            assert!((tick(least) - expected).abs() < 1e-9, "{least}");
        }
    }

    #[test]
    fn every_point_is_inside_and_dearer_is_higher() {
        let points = vec![(250.0, 2.0), (1000.0, 3.0), (15000.0, 9.0)];
        let svg = svg(&[Curve { name: "ours".into(), colour: "#c00", points }]);
        let number = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\""))?;
            rest.split_once('"')?.0.parse::<f64>().ok()
        };
        let circles = svg.lines().filter(|line| line.starts_with("<circle"));
        let places: Vec<_> = circles.filter_map(|line| Some((number(line, "cx")?, number(line, "cy")?))).collect();
        assert_eq!(places.len(), 3);
        assert!(places.iter().all(|(x, y)| (0.0..=WIDTH).contains(x) && (0.0..=HEIGHT).contains(y)), "{places:?}");
        assert!(places.is_sorted_by(|a, b| a.0 < b.0 && a.1 > b.1), "{places:?}");
    }
}
