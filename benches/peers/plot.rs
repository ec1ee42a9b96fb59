//! The curves as pictures, for the page about performance. The same figures give the same bytes.

use std::fmt::Write as _;
use std::path::Path;

use crate::Result;
use crate::report::{Axis, Curve};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;
/// Where the axes begin and end.
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = HEIGHT - 60.0;
const BLUE: &str = "#1f5f99";

/// One file each, called like the curve.
pub fn draw(curves: &[Curve], folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for curve in curves {
        std::fs::write(folder.join(format!("{}.svg", curve.name)), picture(curve))?;
    }
    Ok(())
}

fn picture(curve: &Curve) -> String {
    let (step, top) = scale(curve.points.iter().map(|point| point.value));
    let height = |value: f64| BOTTOM - value / top * (BOTTOM - TOP);
    let middle = f64::midpoint(LEFT, RIGHT);
    // White behind it, for pages may be dark.
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"Helvetica, Arial, sans-serif\" \
         font-size=\"12\" fill=\"#333\" text-anchor=\"middle\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    let mut write = |line: String| {
        let _ = writeln!(svg, "{line}");
    };
    let text = |x: f64, y: f64, more: &str, text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        format!("<text x=\"{x:.1}\" y=\"{y:.1}\"{more}>{text}</text>")
    };
    write(text(middle, 22.0, " font-size=\"15\"", curve.title));
    write(text(middle, HEIGHT - 16.0, "", curve.axes[0]));
    let upright = format!(
        " transform=\"rotate(-90 18 {})\"",
        f64::midpoint(TOP, BOTTOM)
    );
    write(text(
        18.0,
        f64::midpoint(TOP, BOTTOM),
        &upright,
        curve.axes[1],
    ));
    for nth in 0..=(top / step).round() as u32 {
        let value = step * f64::from(nth);
        let y = height(value);
        let color = if nth == 0 { "#333" } else { "#ddd" };
        write(format!(
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{color}\"/>"
        ));
        let end = " text-anchor=\"end\"";
        write(text(LEFT - 8.0, y + 4.0, end, &figure(value)));
    }
    let heights = curve.points.iter().map(|point| height(point.value));
    let points: Vec<(f64, f64)> = places(curve).into_iter().zip(heights).collect();
    if curve.axis == Axis::Names {
        // Between two names there is nothing that a line could stand for.
        for &(x, y) in &points {
            let (left, high) = (x - 28.0, BOTTOM - y);
            write(format!(
                "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"56\" height=\"{high:.1}\" fill=\"{BLUE}\"/>"
            ));
        }
    } else {
        let line: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        write(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{BLUE}\" stroke-width=\"2\"/>",
            line.join(" ")
        ));
        for (x, y) in &points {
            write(format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{BLUE}\"/>"
            ));
        }
    }
    // Read on top of a line as well.
    let halo = " stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\"";
    for (&(x, y), point) in points.iter().zip(&curve.points) {
        write(text(x, BOTTOM + 18.0, "", &grouped(&point.at)));
        write(text(x, y - 9.0, halo, &figure(point.value)));
    }
    svg + "</svg>\n"
}

/// The distance of the marks and the highest of them: four to eight round numbers from 0 up.
fn scale(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let most = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    if most <= 0.0 {
        return (1.0, 1.0);
    }
    let power = 10_f64.powf((most / 4.0).log10().floor()).max(1.0);
    let fits = |step: &f64| most / step >= 4.0;
    let steps = [5.0, 2.0, 1.0].map(|times| times * power);
    let step = steps.into_iter().find(fits).unwrap_or(power);
    (step, (most / step).ceil() * step)
}

/// Where the points stand from left to right: the outermost have room beside them.
fn places(curve: &Curve) -> Vec<f64> {
    let number = |at: &str| at.parse::<f64>().unwrap_or_default();
    let place = |(nth, at): (usize, &str)| match curve.axis {
        Axis::Names => nth as f64,
        Axis::Numbers => number(at),
        Axis::Log => number(at).log10(),
    };
    let at = curve.points.iter().map(|point| point.at.as_str());
    let places: Vec<f64> = at.enumerate().map(place).collect();
    let (from, to) = (places.first().copied(), places.last().copied());
    let span = to.zip(from).map_or(1.0, |(to, from)| (to - from).max(1e-9));
    let room = 48.0;
    let across = |place: &f64| {
        let part = (place - from.unwrap_or_default()) / span;
        LEFT + room + part * (RIGHT - LEFT - 2.0 * room)
    };
    places.iter().map(across).collect()
}

/// To the whole number: rows and MiB.
fn figure(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

/// A number with its digits in threes; a name as it is.
fn grouped(text: &str) -> String {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut out = String::new();
    for (nth, digit) in text.chars().enumerate() {
        if nth > 0 && (text.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
