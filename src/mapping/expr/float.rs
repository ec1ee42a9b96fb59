//! Floating point as the server prints it: the shortest digits that read back.

use std::str::FromStr;

use bigdecimal::BigDecimal;

use crate::sqltype::Class;

/// The number that a float of this class is: the short text of a `real` names another `double`.
pub fn read(class: Class, text: &str) -> Option<f64> {
    match class {
        Class::Float4 => parse_single(text).map(f64::from),
        _ => parse(text),
    }
}

/// A `double precision` as a `real`; none where it is too large or too small for one.
pub fn narrow(value: f64) -> Option<f32> {
    let narrow = value as f32;
    let lost = narrow.is_infinite() && value.is_finite() || narrow == 0.0 && value != 0.0;
    (!lost).then_some(narrow)
}

/// Reads a `double precision`; none where the server refuses it.
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let value: f64 = text.parse().ok()?;
    sound(text, value.is_infinite(), value == 0.0).then_some(value)
}

/// Reads a `real`.
pub fn parse_single(text: &str) -> Option<f32> {
    let text = text.trim();
    let value: f32 = text.parse().ok()?;
    sound(text, value.is_infinite(), value == 0.0).then_some(value)
}

/// A number that became infinite or zero only by its size is out of range.
fn sound(text: &str, infinite: bool, zero: bool) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or("");
    if infinite {
        return !mantissa.bytes().any(|b| b.is_ascii_digit());
    }
    !zero || mantissa.bytes().all(|b| !b.is_ascii_digit() || b == b'0')
}

pub fn print(value: f64) -> String {
    let neighbours = [value.next_down(), value.next_up()];
    let same = |text: &str| text.parse() == Ok(value);
    layout(&shortest(value, neighbours, format!("{value:e}"), same), 15)
}

pub fn print_single(value: f32) -> String {
    let neighbours = [value.next_down(), value.next_up()].map(f64::from);
    let same = |text: &str| text.parse() == Ok(value);
    layout(
        &shortest(value.into(), neighbours, format!("{value:e}"), same),
        6,
    )
}

/// Of two decimals that are as short and as near, the server prints the even one. It never prints
/// one in the very middle of two floats, even where reading it back would find the right one:
/// 1e23 is `9.999999999999999e+22`.
fn shortest(
    value: f64,
    neighbours: [f64; 2],
    found: String,
    reads_back: impl Fn(&str) -> bool,
) -> String {
    if !value.is_finite() {
        return found;
    }
    let digits = found.split('e').next().unwrap_or("");
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    let even = format!("{value:.*e}", digits.saturating_sub(1));
    let found = if reads_back(&even) { even } else { found };
    // Among floats less than 1 apart, no middle is shorter than the number itself.
    if (neighbours[1] - value).abs() < 1.0 {
        return found;
    }
    let exact = |value: f64| BigDecimal::from_str(&format!("{value:.1}")).ok();
    let is_middle = |text: &str| {
        let twice = BigDecimal::from_str(text).ok().map(|d| d.double());
        let middle = |next: f64| Some(exact(value)? + exact(next)?);
        let finite = neighbours.into_iter().filter(|n| n.is_finite());
        twice.is_some() && finite.map(middle).any(|m| m == twice)
    };
    if !is_middle(&found) {
        return found;
    }
    // With enough digits the nearest decimal is no longer the middle, and lies within.
    (0..17)
        .map(|digits| format!("{value:.digits$e}"))
        .find(|text| reads_back(text) && !is_middle(text))
        .unwrap_or(found)
}

/// Turns Rust's shortest `d.ddde±x` into the server's choice of plain or scientific form, which
/// changes at `digits`, the type's sure digits.
fn layout(shortest: &str, digits: i32) -> String {
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return match shortest {
            "inf" => "Infinity".into(),
            "-inf" => "-Infinity".into(),
            other => other.into(),
        };
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= digits {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let mut figures = mantissa.replace('.', "");
    let point = exponent + 1;
    if point <= 0 {
        let zeros = "0".repeat(point.unsigned_abs() as usize);
        return format!("{sign}0.{zeros}{figures}");
    }
    let point = point.unsigned_abs() as usize;
    while figures.len() < point {
        figures.push('0');
    }
    let (whole, fraction) = figures.split_at(point);
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_server_does() {
        for (value, text) in [
            (0.1, "0.1"),
            (1e15, "1e+15"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e-5, "1e-05"),
            (1e22, "1e+22"),
            (1e23, "9.999999999999999e+22"),
            (f64::MAX, "1.7976931348623157e+308"),
            (0.0001, "0.0001"),
            (-2.5, "-2.5"),
            (-0.0, "-0"),
            (f64::INFINITY, "Infinity"),
            (f64::NAN, "NaN"),
            (100.0, "100"),
        ] {
            assert_eq!(print(value), text);
        }
        assert_eq!(print_single(1e6), "1e+06");
        assert_eq!(print_single(0.1), "0.1");
        assert_eq!(print_single(203_894.62), "203894.62");
    }

    #[test]
    fn a_real_is_the_number_nearest_to_its_text() {
        assert_eq!(
            print(read(Class::Float4, "0.1").unwrap()),
            "0.10000000149011612"
        );
        assert_eq!(
            print(read(Class::Float4, "2.1474836e+09").unwrap()),
            "2147483648"
        );
        assert_eq!(narrow(1e39), None);
        assert_eq!(narrow(1e-46), None);
        // In the very middle, the even one; its shortest text lies above.
        let middle = f64::from(1.0f32) + f64::from(f32::EPSILON) / 2.0;
        assert_eq!(narrow(middle), Some(1.0));
        assert_eq!(narrow(f64::INFINITY), Some(f32::INFINITY));
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        assert!(parse("1e400").is_none());
        assert!(parse("1e-400").is_none());
        assert_eq!(parse("0e-400"), Some(0.0));
        assert_eq!(parse("-Infinity"), Some(f64::NEG_INFINITY));
    }
}
