//! Dates and times from before Christ to the last that there is, and beyond.

use fastrand::Rng;

use super::{chance, pick};

fn day(rng: &mut Rng, most: u32) -> String {
    let year = match rng.u32(..6) {
        0 => rng.u32(1..4_000),
        1 => rng.u32(1..most),
        _ => rng.u32(1950..2040),
    };
    format!("{year:04}-{:02}-{:02}", rng.u32(1..13), rng.u32(1..29))
}

pub fn date(rng: &mut Rng) -> String {
    match rng.u32(..10) {
        0 => pick(
            rng,
            &[
                "infinity",
                "-infinity",
                "5874897-12-31",
                "4713-01-01 BC",
                "2000-02-29",
                "0001-12-31 BC",
            ],
        ),
        _ => day(rng, 5_000_000),
    }
}

fn clock(rng: &mut Rng) -> String {
    match rng.u32(..6) {
        0 => pick(
            rng,
            &[
                "00:00:00",
                "23:59:59.999999",
                "23:59:59.5",
                "12:00:00.0000005",
            ],
        ),
        _ => format!(
            "{:02}:{:02}:{:02}.{:06}",
            rng.u32(..24),
            rng.u32(..60),
            rng.u32(..60),
            rng.u32(..1_000_000)
        ),
    }
}

pub fn time(rng: &mut Rng) -> String {
    match chance(rng, 8) {
        true => "24:00:00".to_owned(),
        false => clock(rng),
    }
}

pub fn timetz(rng: &mut Rng) -> String {
    let sign = ["+", "-"][rng.usize(..2)];
    format!(
        "{}{sign}{:02}:{:02}",
        time(rng),
        rng.u32(..16),
        rng.u32(..60)
    )
}

pub fn timestamp(rng: &mut Rng) -> String {
    match rng.u32(..10) {
        0 => pick(
            rng,
            &[
                "infinity",
                "-infinity",
                "294246-12-31 23:59:58.999999",
                "4713-01-01 00:00:00 BC",
                "1999-12-31 23:59:59.999999",
                "9999-12-31 23:59:59",
            ],
        ),
        1 => format!(
            "{:04}-{:02}-01 {} BC",
            rng.u32(1..4_000),
            rng.u32(1..13),
            clock(rng)
        ),
        _ => format!("{} {}", day(rng, 290_000), clock(rng)),
    }
}

pub fn timestamptz(rng: &mut Rng) -> String {
    match timestamp(rng) {
        text if text.contains("infinity") || text.contains("BC") || text.starts_with("294246") => {
            text
        }
        text => format!("{text}{}{:02}", ["+", "-"][rng.usize(..2)], rng.u32(..15)),
    }
}

pub fn interval(rng: &mut Rng) -> String {
    match rng.u32(..6) {
        0 => pick(
            rng,
            &[
                "178000000 years",
                "-178000000 years",
                "0",
                "30 days",
                "1 month",
                "24 hours",
                "-1 year 3 days -04:05:06.7",
                "1 mon -1 day 00:00:00.000001",
            ],
        ),
        _ => {
            let (months, days) = (rng.i32(-500..500), rng.i32(-500..500));
            let sign = pick(rng, &["", "-"]);
            // Postgres 14 reads no more than 2^31 of a unit.
            let micros = rng.u64(..1_000_000_000_000);
            let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let seconds = seconds % 60;
            format!(
                "{months} months {days} days {sign}{hours}:{minutes:02}:{seconds:02}.{fraction:06}"
            )
        }
    }
}
