//! Numbers, with the ends of their ranges and what is no number.

use fastrand::Rng;

use super::pick;

/// A whole number of `bits`, often one of the ends.
pub fn integer(rng: &mut Rng, bits: u32) -> String {
    let (least, most) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
    match rng.u32(..8) {
        0 => least,
        1 => most,
        2 => 0,
        3 => rng.i64(-9..10),
        _ => rng.i64(..) >> (64 - bits),
    }
    .to_string()
}

pub fn digits(rng: &mut Rng, count: usize) -> String {
    (0..count)
        .map(|_| char::from(b'0' + rng.u8(..10)))
        .collect()
}

pub fn sign(rng: &mut Rng) -> &'static str {
    match rng.bool() {
        true => "-",
        false => "",
    }
}

/// Up to `whole` digits before and `fraction` after the point, with zeros at either end.
pub fn decimal(rng: &mut Rng, whole: usize, fraction: usize) -> String {
    let (before, after) = (rng.usize(1..=whole), rng.usize(..=fraction));
    let sign = sign(rng);
    match after {
        0 => format!("{sign}{}", digits(rng, before)),
        _ => format!("{sign}{}.{}", digits(rng, before), digits(rng, after)),
    }
}

/// A number without bounds.
pub fn numeric(rng: &mut Rng) -> String {
    match rng.u32(..10) {
        0 => "NaN".to_owned(),
        1 => "Infinity".to_owned(),
        2 => "-Infinity".to_owned(),
        3 => pick(
            rng,
            &["0", "0.00", "-0.0", "1.0", "1.00", "1e-100", "-1e100"],
        ),
        4 => format!("0.{}", digits(rng, 16_000)),
        5 => digits(rng, 20_000),
        _ => decimal(rng, 40, 40),
    }
}

pub fn real(rng: &mut Rng) -> String {
    match rng.u32(..8) {
        0 => pick(
            rng,
            &[
                "NaN",
                "Infinity",
                "-Infinity",
                "-0",
                "1e-45",
                "3.4028235e+38",
            ],
        ),
        1 => decimal(rng, 3, 2),
        _ => loop {
            let value = f32::from_bits(rng.u32(..));
            if value.is_finite() {
                break format!("{value:e}");
            }
        },
    }
}

pub fn double(rng: &mut Rng) -> String {
    match rng.u32(..8) {
        0 => pick(
            rng,
            &[
                "NaN",
                "Infinity",
                "-Infinity",
                "-0",
                "5e-324",
                "1.7976931348623157e308",
                "0.1",
                "1e23",
            ],
        ),
        1 => decimal(rng, 6, 3),
        // Near the middle between two floats of single precision.
        2 => {
            let value = f64::from(f32::from_bits(rng.u32(0x3000_0000..0x4f00_0000)));
            let half = f64::from_bits(value.to_bits() | 0x1000_0000);
            format!(
                "{:e}",
                [half, half.next_up(), half.next_down()][rng.usize(..3)]
            )
        }
        _ => loop {
            let value = f64::from_bits(rng.u64(..));
            if value.is_finite() {
                break format!("{value:e}");
            }
        },
    }
}

/// Within what `real` can hold, or on its edge.
pub fn double_for_real(rng: &mut Rng) -> String {
    loop {
        let text = double(rng);
        let value: f64 = text.parse().unwrap();
        let single = value as f32;
        if !value.is_finite() || single.is_finite() && (single != 0.0 || value == 0.0) {
            return text;
        }
    }
}

pub fn bits(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| ['0', '1'][rng.usize(..2)]).collect()
}
