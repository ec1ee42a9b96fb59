//! The calendar as far as the server counts it: chrono's ends in the year 262142, and its time zones
//! have no summer after 2099.

/// A day's year (0 is 1 BC), month and day.
pub type Date = (i64, u32, u32);

/// Days from 1970 to a date; none where there is no such day.
pub fn days(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(1..=12).contains(&month) || day == 0 || day > length(year, month) {
        return None;
    }
    // Years begin in March, so that the leap day is their last.
    let year = year - i64::from(month <= 2);
    let before = (153 * i64::from((month + 9) % 12) + 2) / 5;
    Some(
        year * 365 + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + before
            + i64::from(day)
            - 719_469,
    )
}

/// The date so many days after 1970.
pub fn date(days: i64) -> Date {
    const CYCLE: i64 = 146_097; // days of 400 years
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let year = year + cycle * 400 + i64::from(month >= 10);
    let month = (month + 2) % 12 + 1;
    // Both are small by their making.
    (year, month as u32, of_month as u32)
}

fn length(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// How many days earlier a year begins that has the same days of the week as `year`, and of which
/// the time zones are known: their last rules go on for ever.
pub fn repeats(year: i64) -> i64 {
    const KNOWN: i64 = 2099;
    if year <= KNOWN {
        return 0;
    }
    let start = |year: i64| days(year, 1, 1).unwrap_or_default();
    // Among any 28 years that no century interrupts there is one of each kind.
    (KNOWN - 27..=KNOWN)
        .find(|y| is_leap(*y) == is_leap(year) && (start(year) - start(*y)) % 7 == 0)
        .map_or(0, |y| start(year) - start(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn days_are_those_of_chrono(year in -262_000i32..262_000, month in 0u32..14, day in 0u32..33) {
            let theirs = NaiveDate::from_ymd_opt(year, month, day);
            let ours = days(year.into(), month, day);
            let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
            prop_assert_eq!(ours, theirs.map(|d| (d - epoch).num_days()));
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                prop_assert_eq!(date(ours), (theirs.year().into(), theirs.month(), theirs.day()));
            }
        }

        #[test]
        fn dates_read_back(at in -2_000_000_000i64..2_200_000_000) {
            let (year, month, day) = date(at);
            prop_assert_eq!(days(year, month, day), Some(at));
        }

        #[test]
        fn every_year_repeats_one_that_is_known(year in 2_100i64..300_000) {
            let back = repeats(year);
            prop_assert!(back > 0 && back % 7 == 0);
            let (known, month, day) = date(days(year, 1, 1).unwrap() - back);
            prop_assert!((2_072..=2_099).contains(&known) && (month, day) == (1, 1));
            prop_assert_eq!(days(year, 12, 31).unwrap() - back, days(known, 12, 31).unwrap());
        }
    }
}
