//! Intervals as the server keeps them: months, days and microseconds, each with its own sign.

mod input;

use std::cmp::Ordering;

use super::moment::{DAY, SECOND, print_time};

const MONTHS_IN_YEAR: i32 = 12;
/// A month counts thirty days where intervals are compared and multiplied (manual, 8.5.4).
const DAYS_IN_MONTH: i32 = 30;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    pub months: i32,
    pub days: i32,
    pub micros: i64,
}

impl Interval {
    /// Reads what the server's input function reads, the infinite intervals of 17 excepted.
    pub fn parse(text: &str) -> Option<Self> {
        input::read(text)
    }

    /// As `IntervalStyle = postgres` prints it.
    pub fn print(&self) -> String {
        let mut text = String::new();
        // A field is signed where the one before it was negative.
        let mut after_negative = false;
        for (value, unit) in [
            (self.months / MONTHS_IN_YEAR, "year"),
            (self.months % MONTHS_IN_YEAR, "mon"),
            (self.days, "day"),
        ] {
            if value == 0 {
                continue;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            let sign = if after_negative && value > 0 { "+" } else { "" };
            let plural = if value == 1 { "" } else { "s" };
            text.push_str(&format!("{sign}{value} {unit}{plural}"));
            after_negative = value < 0;
        }
        if self.micros != 0 || text.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(match self.micros {
                ..0 => "-",
                _ if after_negative => "+",
                _ => "",
            });
            // The most negative number of microseconds has no positive one.
            text.push_str(&match i64::try_from(self.micros.unsigned_abs()) {
                Ok(micros) => print_time(micros),
                Err(_) => "2562047788:00:54.775808".into(),
            });
        }
        text
    }

    /// Rounds to `digits` of fractional seconds, half away from zero.
    pub fn round(self, digits: u32) -> Option<Self> {
        if digits >= 6 {
            return Some(self);
        }
        let step = 10i64.pow(6 - digits);
        let magnitude = self.micros.checked_abs()?.checked_add(step / 2)? / step * step;
        Some(Self {
            micros: magnitude * self.micros.signum(),
            ..self
        })
    }

    pub fn compare(&self, other: &Self) -> Ordering {
        self.span().cmp(&other.span())
    }

    fn span(&self) -> i128 {
        let days = i64::from(self.months) * i64::from(DAYS_IN_MONTH) + i64::from(self.days);
        i128::from(days) * i128::from(DAY) + i128::from(self.micros)
    }

    pub fn add(&self, other: &Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            micros: self.micros.checked_add(other.micros)?,
        })
    }

    pub fn neg(&self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_neg()?,
            days: self.days.checked_neg()?,
            micros: self.micros.checked_neg()?,
        })
    }

    pub fn mul(&self, factor: f64) -> Option<Self> {
        self.scaled(|field| field * factor)
    }

    /// None for a zero divisor too.
    pub fn div(&self, divisor: f64) -> Option<Self> {
        (divisor != 0.0)
            .then(|| self.scaled(|field| field / divisor))
            .flatten()
    }

    /// Scales each field; what is left of months goes to the days, what is left of days to the
    /// time, and never back up, as the server does it, in its floats and with its roundings
    /// (`interval_mul` in `timestamp.c`).
    fn scaled(&self, by: impl Fn(f64) -> f64) -> Option<Self> {
        let (months, days) = (by(self.months.into()), by(self.days.into()));
        let whole_months = within_i32(months)?;
        let mut whole_days = within_i32(days)?;
        let days_left = to_micros((months - f64::from(whole_months)) * f64::from(DAYS_IN_MONTH));
        let seconds_in_day = (DAY / SECOND) as f64;
        let mut seconds = to_micros(
            (days - f64::from(whole_days) + days_left - days_left.trunc()) * seconds_in_day,
        );
        if seconds.abs() >= seconds_in_day {
            let more = (seconds / seconds_in_day).trunc();
            whole_days = whole_days.checked_add(within_i32(more)?)?;
            seconds -= more * seconds_in_day;
        }
        let micros = (by(self.micros as f64) + seconds * SECOND as f64).round_ties_even();
        // 2^63 is the first float that is too large.
        if !(i64::MIN as f64..-(i64::MIN as f64)).contains(&micros) {
            return None;
        }
        Some(Self {
            months: whole_months,
            days: whole_days.checked_add(within_i32(days_left)?)?,
            micros: micros as i64,
        })
    }
}

fn within_i32(value: f64) -> Option<i32> {
    (f64::from(i32::MIN)..=f64::from(i32::MAX))
        .contains(&value)
        .then_some(value as i32)
}

/// Rounds to the six digits that the server keeps of a fraction.
fn to_micros(value: f64) -> f64 {
    (value * 1e6).round_ties_even() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(text: &str) -> String {
        Interval::parse(text).unwrap().print()
    }

    #[test]
    fn prints_as_the_server_does() {
        for (read, print) in [
            ("30 days", "30 days"),
            (
                "1 year 2 mons -3 days 04:05:06.70",
                "1 year 2 mons -3 days +04:05:06.7",
            ),
            ("-1 day 2:03", "-1 days +02:03:00"),
            ("0", "00:00:00"),
            ("90 minutes", "01:30:00"),
            ("1.5 months", "1 mon 15 days"),
            ("1 day ago", "-1 days"),
            ("14 months", "1 year 2 mons"),
            ("100 hours", "100:00:00"),
            ("P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"),
            ("1-2", "1 year 2 mons"),
        ] {
            assert_eq!(printed(read), print, "{read}");
        }
    }

    #[test]
    fn a_part_of_a_month_is_days_and_a_part_of_a_day_time() {
        let half = Interval::parse("1 mon 1 day").unwrap().mul(0.5).unwrap();
        assert_eq!(half.print(), "15 days 12:00:00");
        assert!(half.div(0.0).is_none());
        assert!(half.mul(f64::NAN).is_none());
    }

    #[test]
    fn months_count_thirty_days_in_comparisons() {
        let of = |text| Interval::parse(text).unwrap();
        assert!(of("1 mon").compare(&of("30 days")).is_eq());
        assert!(of("1 mon").compare(&of("29 days 23:59:59")).is_gt());
    }

    #[test]
    fn refuses_what_the_server_refuses() {
        for text in [
            "",
            "day",
            "1 fortnight",
            "1 day 2 days",
            "1:60",
            "ago",
            "1 day 1 hour 02:03",
            "P",
            "PT",
            "1 2 3",
            "3000000000 days",
        ] {
            assert!(Interval::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_reads_back(months in any::<i32>(), days in any::<i32>(), micros in any::<i64>()) {
            let interval = Interval { months, days, micros };
            prop_assert_eq!(Interval::parse(&interval.print()), Some(interval));
        }

        #[test]
        fn no_text_panics(text in "[0-9:. Pdaysmonhurtgo@+T-]{0,30}") {
            let _ = Interval::parse(&text);
        }
    }
}
