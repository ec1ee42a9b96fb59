//! Dates and times of MySQL, in the spelling that Postgres prints.
//!
//! MySQL has dates that are none: `0000-00-00`, and `2024-05-00`. They keep MySQL's spelling, in
//! which no type of Postgres reads them: an expression that wants a date then says so, and the
//! cart is held, unless the mapping takes the text.

use std::fmt;
use std::ops::Deref;

use chrono::{DateTime, Datelike, Timelike};

/// A date with a time of day, as MySQL understands both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micros: u32,
}

impl Moment {
    pub fn date(&self) -> Spelled {
        let mut out = Spelled::default();
        self.put_date(&mut out);
        out
    }

    pub fn clock(&self) -> Spelled {
        let mut out = Spelled::default();
        self.put_clock(&mut out);
        out
    }

    fn put_date(&self, out: &mut Spelled) {
        out.put(self.year.into(), 4);
        for part in [self.month, self.day] {
            out.push(b'-');
            out.put(part.into(), 2);
        }
    }

    fn put_clock(&self, out: &mut Spelled) {
        out.put(self.hour.into(), 2);
        for part in [self.minute, self.second] {
            out.push(b':');
            out.put(part.into(), 2);
        }
    }

    /// Whether there is such a day.
    fn is_real(&self) -> bool {
        self.year > 0 && self.month > 0 && self.day > 0
    }

    /// As a `timestamp`.
    pub fn plain(&self) -> Spelled {
        let mut out = Spelled::default();
        self.put_date(&mut out);
        out.push(b' ');
        self.put_clock(&mut out);
        out.put_fraction(self.micros);
        out
    }

    /// As a `timestamptz` in UTC.
    pub fn zoned(&self) -> Spelled {
        let mut out = self.plain();
        if self.is_real() {
            b"+00".iter().for_each(|byte| out.push(*byte));
        }
        out
    }

    /// From seconds since 1970, as the log has a `TIMESTAMP`: `1717236672`, or with six digits of a
    /// fraction. Its 0 is the date that is none.
    pub fn since_1970(text: &str) -> Option<Self> {
        let (seconds, micros) = text.split_once('.').unwrap_or((text, "0"));
        Self::at(seconds.parse().ok()?, micros.parse().ok()?)
    }

    /// The same from its numbers.
    pub fn at(seconds: i64, micros: u32) -> Option<Self> {
        if seconds == 0 && micros == 0 {
            return Some(Self::default());
        }
        let at = DateTime::from_timestamp(seconds, micros.checked_mul(1000)?)?;
        let small = |n: u32| u8::try_from(n).ok();
        Some(Self {
            year: u16::try_from(at.year()).ok()?,
            month: small(at.month())?,
            day: small(at.day())?,
            hour: small(at.hour())?,
            minute: small(at.minute())?,
            second: small(at.second())?,
            micros,
        })
    }
}

/// As JSON's binary form packs them: 13 months a year, 32 days a month, then the time of day and
/// 24 bits of microseconds.
pub fn unpacked(packed: i64) -> Moment {
    let packed = packed.unsigned_abs();
    let part = |shift: u32, bits: u32| (packed >> shift) & ((1 << bits) - 1);
    let months = packed >> 46;
    let small = |n: u64| u8::try_from(n).unwrap_or(u8::MAX);
    Moment {
        year: u16::try_from(months / 13).unwrap_or(u16::MAX),
        month: small(months % 13),
        day: small(part(41, 5)),
        hour: small(part(36, 5)),
        minute: small(part(30, 6)),
        second: small(part(24, 6)),
        micros: u32::try_from(part(0, 24)).unwrap_or(0),
    }
}

/// A `TIME`: it may be negative, and longer than a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub negative: bool,
    pub hours: u32,
    pub minutes: u32,
    pub seconds: u32,
    pub micros: u32,
}

impl Span {
    /// As an interval of hours.
    pub fn print(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let (hours, minutes, seconds) = (self.hours, self.minutes, self.seconds);
        let mut fraction = Spelled::default();
        fraction.put_fraction(self.micros);
        format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{}", &*fraction)
    }

    /// Hours in ten bits, minutes and seconds in six each, microseconds in 24.
    fn packed(&self) -> i64 {
        let whole = self.hours << 12 | self.minutes << 6 | self.seconds;
        let packed = i64::from(whole) << 24 | i64::from(self.micros);
        if self.negative { -packed } else { packed }
    }

    pub fn unpacked(packed: i64) -> Self {
        let all = packed.unsigned_abs();
        let part = |shift: u32, bits: u32| {
            let part = all >> shift & ((1 << bits) - 1);
            u32::try_from(part).unwrap_or(0)
        };
        Self {
            negative: packed < 0,
            hours: part(36, 10),
            minutes: part(30, 6),
            seconds: part(24, 6),
            micros: part(0, 24),
        }
    }

    /// What stood in the log as a `TIME(1)` or `TIME(2)`. The log's reader takes the hundredths of a
    /// negative one for a number without a sign, and so adds 2^32 of them. That cannot be taken for
    /// a value that was read well: a positive sum has more microseconds than a second, and a negative
    /// value with a fraction is always read so.
    pub fn mended(self) -> Self {
        let misread = match self.negative {
            true => self.micros > 0,
            false => self.micros >= 1_000_000,
        };
        match misread {
            true => Self::unpacked(self.packed() - (10_000 << 32)),
            false => self,
        }
    }
}

/// A moment as it is spelled, without an allocation.
#[derive(Clone, Copy, Debug)]
pub struct Spelled {
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl Spelled {
    /// More than any numbers of a moment take.
    const ROOM: usize = 48;

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    /// A number in at least so many digits.
    fn put(&mut self, number: u32, digits: u32) {
        let mut unit = 10_u32.pow(digits.max(number.checked_ilog10().unwrap_or(0) + 1) - 1);
        while unit > 0 {
            self.push(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
    }

    fn put_fraction(&mut self, micros: u32) {
        if micros == 0 {
            return;
        }
        let (mut number, mut digits) = (micros, 6_u32);
        while number.is_multiple_of(10) {
            (number, digits) = (number / 10, digits.saturating_sub(1));
        }
        self.push(b'.');
        self.put(number, digits);
    }
}

impl Default for Spelled {
    fn default() -> Self {
        Self {
            bytes: [0; Self::ROOM],
            length: 0,
        }
    }
}

impl Deref for Spelled {
    type Target = str;

    fn deref(&self) -> &str {
        // Digits and signs.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelled_as_postgres_does() {
        let at = Moment::since_1970("1717236672.345000").expect("a time");
        assert_eq!(&*at.zoned(), "2024-06-01 10:11:12.345+00");
        assert_eq!(&*at.plain(), "2024-06-01 10:11:12.345");
        let none = Moment::since_1970("0").expect("no date");
        assert_eq!(&*none.zoned(), "0000-00-00 00:00:00");
        assert_eq!(Moment::since_1970("soon"), None);
        let span = |negative, hours, micros| Span {
            negative,
            hours,
            minutes: 0,
            seconds: 1,
            micros,
        };
        assert_eq!(span(true, 838, 0).print(), "-838:00:01");
        assert_eq!(span(false, 0, 500_000).print(), "00:00:01.5");
    }

    #[test]
    fn a_misread_time_is_mended() {
        for (hours, micros) in [
            (0, 10_000),
            (0, 0),
            (2, 990_000),
            (624, 10_000),
            (838, 500_000),
        ] {
            for negative in [true, false] {
                let span = Span {
                    negative,
                    hours,
                    minutes: 59,
                    seconds: 1,
                    micros,
                };
                let read = match negative && micros > 0 {
                    true => Span::unpacked(span.packed() + (10_000 << 32)),
                    false => span,
                };
                assert_eq!(read.mended(), span);
            }
        }
    }
}
