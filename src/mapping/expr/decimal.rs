//! Exact decimals that keep their scale as Postgres' `numeric` does: `1.50` stays `1.50`.

use std::cmp::Ordering;
use std::fmt;

use super::digits::Digits;

/// `digits / 10^scale`.
#[derive(Clone, Debug)]
pub struct Decimal {
    digits: Digits,
    scale: u32,
}

/// The limits of `numeric` (manual, 8.1.2): digits before and after the point.
const MAX_WHOLE: usize = 131_072;
const MAX_SCALE: i64 = 16_383;

/// Quotients carry at least this many significant digits, and at most so many after the point
/// (`NUMERIC_MIN_SIG_DIGITS`, `NUMERIC_MAX_DISPLAY_SCALE` in the server's `numeric.h`).
const QUOTIENT_DIGITS: i64 = 16;
const QUOTIENT_SCALE: i64 = 1_000;

impl Decimal {
    pub fn new(digits: impl Into<Digits>, scale: u32) -> Self {
        Self {
            digits: digits.into(),
            scale,
        }
    }

    /// Reads `[+-]digits[.digits][e[+-]digits]`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_short(text).or_else(|| Self::parse_any(text))
    }

    /// Reads `[-]digits[.digits]` that fit into 64 bits, which is what shops mostly have. None for
    /// anything else.
    fn parse_short(text: &str) -> Option<Self> {
        const DIGITS: usize = 18;
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if unsigned.len() > DIGITS {
            return None;
        }
        let (mut number, mut digits, mut point) = (0i64, 0, None);
        for byte in unsigned.bytes() {
            match byte {
                b'0'..=b'9' => {
                    number = number * 10 + i64::from(byte - b'0');
                    digits += 1;
                }
                b'.' if point.is_none() => point = Some(digits),
                _ => return None,
            }
        }
        if digits == 0 {
            return None;
        }
        let sign = if unsigned.len() < text.len() { -1 } else { 1 };
        let scale = point.map_or(0, |point: u32| digits - point);
        Some(Self::new(number * sign, scale))
    }

    fn parse_any(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() && fraction.is_empty() || exponent.abs() > 200_000 {
            return None;
        }
        let mut digits = Digits::parse(whole, fraction)?;
        if mantissa.starts_with('-') {
            digits = digits.neg();
        }
        let mut scale = i64::try_from(fraction.len()).ok()? - exponent;
        if scale < 0 {
            digits = digits.mul(&Digits::power_of_ten(u32::try_from(-scale).ok()?));
            scale = 0;
        }
        let value = Self::new(digits, u32::try_from(scale).ok()?);
        (scale <= MAX_SCALE && value.fits()).then_some(value)
    }

    /// Within the digits that `numeric` can hold.
    pub fn fits(&self) -> bool {
        self.whole_digits() <= MAX_WHOLE
    }

    /// Digits before the point; a value below one has none.
    pub fn whole_digits(&self) -> usize {
        if self.digits.is_zero() {
            return 0;
        }
        self.digits.count().saturating_sub(self.scale as usize)
    }

    /// Digits from the first that is not zero.
    pub fn significant_digits(&self) -> usize {
        if self.digits.is_zero() {
            return 0;
        }
        self.digits.count()
    }

    pub fn is_zero(&self) -> bool {
        self.digits.is_zero()
    }

    pub fn is_negative(&self) -> bool {
        self.digits.is_negative()
    }

    pub fn add(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self::new(self.digits_at(scale).add(&other.digits_at(scale)), scale)
    }

    pub fn sub(&self, other: &Self) -> Self {
        self.add(&other.neg())
    }

    pub fn neg(&self) -> Self {
        Self::new(self.digits.neg(), self.scale)
    }

    pub fn abs(&self) -> Self {
        Self::new(self.digits.abs(), self.scale)
    }

    pub fn mul(&self, other: &Self) -> Self {
        let product = Self::new(self.digits.mul(&other.digits), self.scale + other.scale);
        if i64::from(product.scale) > MAX_SCALE {
            return product.round(MAX_SCALE);
        }
        product
    }

    /// The quotient, rounded at the scale that Postgres selects; none for a zero divisor.
    pub fn div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let (weight, first) = self.leading_group();
        let (other_weight, other_first) = other.leading_group();
        let mut quotient_weight = weight - other_weight;
        if first <= other_first {
            quotient_weight -= 1;
        }
        let scale = (QUOTIENT_DIGITS - quotient_weight * 4)
            .max(i64::from(self.scale))
            .max(i64::from(other.scale))
            .clamp(0, QUOTIENT_SCALE);
        let scale = u32::try_from(scale).ok()?;
        // digits * 10^(scale + other.scale - self.scale) / other.digits, the exponent kept positive.
        let up = i64::from(scale) + i64::from(other.scale) - i64::from(self.scale);
        let (mut over, mut under) = (self.digits.clone(), other.digits.clone());
        let shift = Digits::power_of_ten(u32::try_from(up.abs()).ok()?);
        if up >= 0 {
            over = over.mul(&shift);
        } else {
            under = under.mul(&shift);
        }
        Some(Self::new(over.div_half_away(&under), scale))
    }

    /// The remainder with the sign of the dividend; none for a zero divisor.
    pub fn rem(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let scale = self.scale.max(other.scale);
        Some(Self::new(
            self.digits_at(scale).rem(&other.digits_at(scale)),
            scale,
        ))
    }

    /// Rounds half away from zero to `scale` digits after the point; a negative scale rounds before it.
    pub fn round(&self, scale: i64) -> Self {
        self.to_scale(scale, Digits::div_half_away)
    }

    /// Cuts towards zero.
    pub fn trunc(&self, scale: i64) -> Self {
        self.to_scale(scale, Digits::div)
    }

    pub fn floor(&self) -> Self {
        let cut = self.trunc(0);
        if self.is_negative() && &cut != self {
            cut.sub(&Self::new(1, 0))
        } else {
            cut
        }
    }

    pub fn ceil(&self) -> Self {
        self.neg().floor().neg()
    }

    /// The nearest integer, half away from zero, if it fits.
    pub fn to_i64(&self) -> Option<i64> {
        let unit = 10i64.checked_pow(self.scale);
        let (Some(unit), Some(number)) = (unit, self.digits.to_i64()) else {
            return self.round(0).digits.to_i64();
        };
        // Half away from zero.
        let away = (number % unit).unsigned_abs() * 2 >= unit.unsigned_abs();
        let step = if away { number.signum() } else { 0 };
        Some(number / unit + step)
    }

    fn to_scale(&self, scale: i64, divide: fn(&Digits, &Digits) -> Digits) -> Self {
        let scale = scale.clamp(-(MAX_WHOLE as i64), MAX_SCALE);
        let kept = u32::try_from(scale).unwrap_or(0);
        if kept >= self.scale && scale >= 0 {
            return Self::new(self.digits_at(kept), kept);
        }
        let drop = u32::try_from(i64::from(self.scale) - scale).unwrap_or(0);
        let mut digits = divide(&self.digits, &Digits::power_of_ten(drop));
        if scale < 0 {
            digits = digits.mul(&Digits::power_of_ten(u32::try_from(-scale).unwrap_or(0)));
        }
        Self::new(digits, kept)
    }

    fn digits_at(&self, scale: u32) -> Digits {
        match scale.saturating_sub(self.scale) {
            0 => self.digits.clone(),
            up => self.digits.mul(&Digits::power_of_ten(up)),
        }
    }

    /// Weight and value of the first group of four digits that is not zero, as the server stores
    /// a `numeric` in base 10000.
    fn leading_group(&self) -> (i64, i64) {
        if self.digits.is_zero() {
            return (0, 0);
        }
        let digits = self.digits.magnitude();
        // Position of the first digit relative to the point: 0 for units, -1 for tenths.
        let exponent = digits.len() as i64 - 1 - i64::from(self.scale);
        let weight = exponent.div_euclid(4);
        let length = usize::try_from(exponent.rem_euclid(4) + 1).unwrap_or(1);
        let group: String = digits.chars().chain("0000".chars()).take(length).collect();
        (weight, group.parse().unwrap_or(0))
    }
}

/// Digits after the point for which there is room where a short number is printed.
const SHORT_SCALE: u32 = 20;

/// The same without an allocation.
fn print_short(number: i64, scale: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [b'0'; SHORT_SCALE as usize + 3];
    let (mut rest, mut at, mut digits) = (number.unsigned_abs(), text.len(), 0);
    // At least one digit stands before the point.
    while rest > 0 || digits <= scale {
        if digits == scale && scale > 0 {
            at -= 1;
            text[at] = b'.';
        }
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        digits += 1;
    }
    if number < 0 {
        at -= 1;
        text[at] = b'-';
    }
    f.write_str(std::str::from_utf8(&text[at..]).unwrap_or_default())
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.digits_at(scale).cmp(&other.digits_at(scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(short) = self.digits.to_i64().filter(|_| self.scale <= SHORT_SCALE) {
            return print_short(short, self.scale, f);
        }
        let digits = self.digits.magnitude();
        let scale = self.scale as usize;
        let digits = match digits.len() > scale {
            true => digits,
            false => format!("{digits:0>width$}", width = scale + 1),
        };
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if self.is_negative() {
            f.write_str("-")?;
        }
        f.write_str(whole)?;
        if scale > 0 {
            f.write_str(".")?;
            f.write_str(fraction)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn keeps_scale() {
        assert_eq!(d("1.50").to_string(), "1.50");
        assert_eq!(d("1.00").mul(&d("2.5")).to_string(), "2.500");
        assert_eq!(d("-0.0").to_string(), "0.0");
        assert_eq!(d("1e3").to_string(), "1000");
        assert_eq!(d("1.5e-3").to_string(), "0.0015");
    }

    proptest! {
        #[test]
        fn short_ones_are_read_as_any(text in "[-+]?[0-9]{0,12}[.]?[0-9]{0,12}") {
            let (short, any) = (Decimal::parse_short(&text), Decimal::parse_any(&text));
            if let Some(short) = short {
                let any = any.expect("a number");
                prop_assert_eq!((short.to_string(), short.scale), (any.to_string(), any.scale));
                prop_assert_eq!(short.to_i64(), any.round(0).digits.to_i64());
            }
        }
    }

    #[test]
    fn divides_at_the_scale_of_the_server() {
        assert_eq!(
            d("1").div(&d("3")).unwrap().to_string(),
            "0.33333333333333333333"
        );
        assert_eq!(
            d("10").div(&d("2")).unwrap().to_string(),
            "5.0000000000000000"
        );
        assert_eq!(
            d("2").div(&d("10")).unwrap().to_string(),
            "0.20000000000000000000"
        );
    }

    #[test]
    fn rounds_half_away_from_zero() {
        assert_eq!(d("2.5").round(0).to_string(), "3");
        assert_eq!(d("-2.5").round(0).to_string(), "-3");
        assert_eq!(d("1250").round(-2).to_string(), "1300");
        assert_eq!(d("-1.1").floor().to_string(), "-2");
        assert_eq!(d("-1.1").ceil().to_string(), "-1");
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "", ".", "1.2.3", "1e", "0x10", "NaN", "--1", "1_000", "1e999999",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn short_ones_are_printed_as_any(digits in any::<i64>(), scale in 0u32..40, shift in 0u32..64) {
            let digits = digits >> shift;
            let short = Decimal::new(digits, scale);
            let width = scale as usize + 1;
            let plain = format!("{:0>width$}", digits.unsigned_abs());
            let (whole, fraction) = plain.split_at(plain.len() - scale as usize);
            let sign = if digits < 0 { "-" } else { "" };
            let point = if scale > 0 { "." } else { "" };
            prop_assert_eq!(short.to_string(), format!("{sign}{whole}{point}{fraction}"));
        }

        #[test]
        fn printing_reads_back(digits in any::<i128>(), scale in 0u32..40) {
            let value = Decimal::new(digits, scale);
            let again = d(&value.to_string());
            prop_assert_eq!(again.to_string(), value.to_string());
            prop_assert_eq!(again.scale, scale);
        }

        #[test]
        fn subtraction_undoes_addition(a in any::<i64>(), b in any::<i64>(), s in 0u32..9, t in 0u32..9) {
            let (a, b) = (Decimal::new(a, s), Decimal::new(b, t));
            prop_assert_eq!(a.add(&b).sub(&b), a);
        }
    }
}
