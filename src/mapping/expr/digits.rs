//! Whole numbers of any length. Those of a shop nearly all fit into 128 bits, where arithmetic
//! allocates nothing.

use std::cmp::Ordering;
use std::fmt;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::num_traits::{Signed, ToPrimitive, Zero};

/// Always `Small` where it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Digits {
    Small(i128),
    Large(Box<BigInt>),
}

use Digits::{Large, Small};

/// Powers of ten that fit into 128 bits.
const POWERS: u32 = 38;

impl Digits {
    pub fn power_of_ten(n: u32) -> Self {
        match n {
            0..=POWERS => Small(10i128.pow(n)),
            _ => Self::from(BigInt::from(10u8).pow(n)),
        }
    }

    /// Reads decimal digits, and nothing else.
    pub fn parse(whole: &str, fraction: &str) -> Option<Self> {
        let digits = || whole.bytes().chain(fraction.bytes());
        if !digits().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if whole.len() + fraction.len() <= POWERS as usize {
            return Some(Small(
                digits().fold(0, |n, b| n * 10 + i128::from(b - b'0')),
            ));
        }
        let large: BigInt = format!("{whole}{fraction}").parse().ok()?;
        Some(large.into())
    }

    fn large(&self) -> BigInt {
        match self {
            Small(n) => BigInt::from(*n),
            Large(n) => (**n).clone(),
        }
    }

    fn both(
        &self,
        other: &Self,
        small: impl FnOnce(i128, i128) -> Option<i128>,
        large: impl FnOnce(BigInt, BigInt) -> BigInt,
    ) -> Self {
        if let (Small(a), Small(b)) = (self, other)
            && let Some(n) = small(*a, *b)
        {
            return Small(n);
        }
        large(self.large(), other.large()).into()
    }

    pub fn add(&self, other: &Self) -> Self {
        self.both(other, i128::checked_add, |a, b| a + b)
    }

    pub fn mul(&self, other: &Self) -> Self {
        self.both(other, i128::checked_mul, |a, b| a * b)
    }

    /// Cut towards zero; the divisor is not zero.
    pub fn div(&self, other: &Self) -> Self {
        self.both(other, i128::checked_div, |a, b| a / b)
    }

    /// With the sign of the dividend; the divisor is not zero.
    pub fn rem(&self, other: &Self) -> Self {
        self.both(other, i128::checked_rem, |a, b| a % b)
    }

    /// Rounded half away from zero; the divisor is not zero.
    pub fn div_half_away(&self, other: &Self) -> Self {
        let twice = self.rem(other).abs().mul(&Small(2));
        let cut = self.div(other);
        if twice.cmp(&other.abs()).is_lt() {
            return cut;
        }
        let away = if self.is_negative() == other.is_negative() {
            1
        } else {
            -1
        };
        cut.add(&Small(away))
    }

    pub fn neg(&self) -> Self {
        self.mul(&Small(-1))
    }

    pub fn abs(&self) -> Self {
        match self.is_negative() {
            true => self.neg(),
            false => self.clone(),
        }
    }

    pub fn is_zero(&self) -> bool {
        match self {
            Small(n) => *n == 0,
            Large(n) => n.is_zero(),
        }
    }

    pub fn is_negative(&self) -> bool {
        match self {
            Small(n) => *n < 0,
            Large(n) => n.is_negative(),
        }
    }

    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Small(n) => i64::try_from(*n).ok(),
            Large(_) => None,
        }
    }

    /// How many digits it has, without its sign; one for zero.
    pub fn count(&self) -> usize {
        match self {
            Small(n) => n.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1,
            Large(n) => n.magnitude().to_string().len(),
        }
    }

    /// Without its sign.
    pub fn magnitude(&self) -> String {
        match self {
            // 64 bits are printed several times as fast.
            Small(n) => match u64::try_from(n.unsigned_abs()) {
                Ok(n) => n.to_string(),
                Err(_) => n.unsigned_abs().to_string(),
            },
            Large(n) => n.magnitude().to_string(),
        }
    }
}

impl From<BigInt> for Digits {
    fn from(n: BigInt) -> Self {
        match n.to_i128() {
            Some(small) => Small(small),
            None => Large(Box::new(n)),
        }
    }
}

impl From<i128> for Digits {
    fn from(n: i128) -> Self {
        Small(n)
    }
}

impl From<i64> for Digits {
    fn from(n: i64) -> Self {
        Small(n.into())
    }
}

impl From<i32> for Digits {
    fn from(n: i32) -> Self {
        Small(n.into())
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Small(a), Small(b)) => a.cmp(b),
            _ => self.large().cmp(&other.large()),
        }
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Small(n) => n.fmt(f),
            Large(n) => n.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers on either side of what fits.
    fn number() -> impl Strategy<Value = BigInt> {
        (any::<i128>(), 0u32..200, any::<bool>()).prop_map(|(n, shift, up)| match up {
            true => BigInt::from(n) * (shift + 1),
            false => BigInt::from(n) >> (shift % 128),
        })
    }

    proptest! {
        #[test]
        fn it_reckons_as_whole_numbers_do(a in number(), b in number()) {
            let (x, y) = (Digits::from(a.clone()), Digits::from(b.clone()));
            prop_assert_eq!(x.add(&y), Digits::from(&a + &b));
            prop_assert_eq!(x.mul(&y), Digits::from(&a * &b));
            prop_assert_eq!(x.neg(), Digits::from(-&a));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.to_string(), a.to_string());
            prop_assert_eq!(x.magnitude(), a.magnitude().to_string());
            prop_assert_eq!(x.count(), a.magnitude().to_string().len());
            prop_assert_eq!(Digits::parse(&x.magnitude(), ""), Some(x.abs()));
            if !b.is_zero() {
                prop_assert_eq!(x.div(&y), Digits::from(&a / &b));
                prop_assert_eq!(x.rem(&y), Digits::from(&a % &b));
                let doubled = (a.magnitude() * 2u8 + b.magnitude()) / (b.magnitude() * 2u8);
                prop_assert_eq!(x.div_half_away(&y).magnitude(), doubled.to_string());
            }
        }
    }
}
