//! Values of the kinds that shops mostly have, from their bytes in the log to their text in one step.

use super::event::reader::little_endian;
use super::event::table_map::{Wire, types};
use crate::cart::image::Cell;
use crate::mysql::charset::Charset;
use crate::mysql::moment::Moment;
use crate::mysql::types::Kind;

/// None where the value is not of such a kind, or its bytes are not as they should be: then the
/// driver's reading decides, which gives the same text for those that are.
pub fn cell(kind: &Kind, wire: &Wire, bytes: &[u8]) -> Option<Cell> {
    match (kind, wire.ty) {
        (
            &Kind::Integer {
                bytes: width,
                unsigned,
            },
            types::TINY | types::SHORT | types::INT24 | types::LONG | types::LONGLONG,
        ) => integer(bytes, width, unsigned),
        (
            Kind::Text(charset @ (Charset::Utf8 | Charset::Ascii)),
            types::STRING | types::VARCHAR | types::TINY_BLOB..=types::BLOB,
        ) => {
            let text = bytes.get(wire.prefix()..)?;
            let fits = *charset == Charset::Utf8 || text.is_ascii();
            fits.then(|| spelled(text))?
        }
        (Kind::Decimal, types::NEWDECIMAL) => decimal(wire.meta, bytes),
        (Kind::Timestamp { .. }, types::TIMESTAMP2) => {
            let (seconds, rest) = bytes.split_first_chunk()?;
            let micros = micros(wire.meta[0], rest)?;
            let at = Moment::at(u32::from_be_bytes(*seconds).into(), micros)?;
            Some(Cell::Text((&*at.zoned()).into()))
        }
        (Kind::DateTime { .. }, types::DATETIME2) => {
            let at = date_time(wire.meta[0], bytes)?;
            Some(Cell::Text((&*at.plain()).into()))
        }
        (Kind::Date, types::NEWDATE) if bytes.len() == 3 => {
            let packed = little_endian(bytes);
            let at = Moment {
                year: (packed >> 9) as u16,
                month: (packed >> 5 & 15) as u8,
                day: (packed & 31) as u8,
                ..Moment::default()
            };
            Some(Cell::Text((&*at.date()).into()))
        }
        _ => None,
    }
}

fn spelled(bytes: &[u8]) -> Option<Cell> {
    Some(Cell::Text(std::str::from_utf8(bytes).ok()?.into()))
}

/// What counts is the column's sign, which not every log tells.
fn integer(bytes: &[u8], width: u8, unsigned: bool) -> Option<Cell> {
    if bytes.len() != usize::from(width) || !(1..=8).contains(&width) {
        return None;
    }
    let unused = 64 - u32::from(width) * 8;
    let number = little_endian(bytes);
    let signed = number.cast_signed() << unused >> unused;
    let negative = !unsigned && signed < 0;
    let mut number = if negative {
        signed.unsigned_abs()
    } else {
        number
    };
    let mut text = [b'-'; 21];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    at -= usize::from(negative);
    spelled(&text[at..])
}

/// Groups of nine digits in four bytes each, from the point to either side, and what is left over in as
/// few as will do. The first bit is set where the number is not negative; all bits of a negative one are
/// turned round.
fn decimal([precision, scale]: [u8; 2], bytes: &[u8]) -> Option<Cell> {
    /// What the servers have at most.
    const DIGITS: usize = 65;
    const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
    let (precision, scale) = (usize::from(precision), usize::from(scale));
    let whole = precision.checked_sub(scale)?;
    if precision > DIGITS {
        return None;
    }
    let negative = bytes.first()? & 0x80 == 0;
    let turned = if negative { 0xff } else { 0 };
    let (mut rest, mut sign) = (bytes, 0x80);
    let (mut digits, mut end) = ([0; DIGITS], 0);
    for (length, times) in [
        (whole % 9, 1),
        (9, whole / 9),
        (9, scale / 9),
        (scale % 9, 1),
    ] {
        for _ in 0..times {
            let (group, after) = rest.split_at_checked(BYTES[length])?;
            rest = after;
            let mut number = 0_u32;
            for byte in group {
                number = number << 8 | u32::from(byte ^ sign ^ turned);
                sign = 0;
            }
            for digit in digits[end..end + length].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
            if number != 0 {
                return None;
            }
            end += length;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let (whole, fraction) = digits[..end].split_at(whole);
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    let whole = match &whole[zeros..] {
        [] => &b"0"[..],
        whole => whole,
    };
    // The driver leaves the sign of a zero away where it has no fraction.
    let signed = negative && (whole != b"0" || scale > 0);
    let sign: &[u8] = if signed { b"-" } else { b"" };
    let point: &[u8] = if scale > 0 { b"." } else { b"" };
    let (mut text, mut end) = ([0; DIGITS + 3], 0);
    for part in [sign, whole, point, fraction] {
        text[end..end + part.len()].copy_from_slice(part);
        end += part.len();
    }
    spelled(&text[..end])
}

fn date_time(digits: u8, bytes: &[u8]) -> Option<Moment> {
    let (packed, rest) = bytes.split_at_checked(5)?;
    let packed = packed.iter().fold(0, |n, b| n << 8 | u64::from(*b));
    let packed = packed.checked_sub(0x80_0000_0000)?;
    let (days, clock) = (packed >> 17, packed & 0x1_ffff);
    let months = days >> 5;
    Some(Moment {
        year: (months / 13) as u16,
        month: (months % 13) as u8,
        day: (days & 31) as u8,
        hour: (clock >> 12) as u8,
        minute: (clock >> 6 & 63) as u8,
        second: (clock & 63) as u8,
        micros: micros(digits, rest)?,
    })
}

/// Two digits of a fraction of a second in each byte.
fn micros(digits: u8, bytes: &[u8]) -> Option<u32> {
    let unit = match (digits, bytes.len()) {
        (0, 0) => 1,
        (1 | 2, 1) => 10_000,
        (3 | 4, 2) => 100,
        (5 | 6, 3) => 1,
        _ => return None,
    };
    let number = bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b));
    Some(number * unit).filter(|micros| *micros < 1_000_000)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::value;
    use super::*;
    use crate::mysql::catalog::LogColumn;
    use crate::sqltype::SqlType;

    fn any_kind() -> impl Strategy<Value = (Kind, Wire)> {
        let integer = (0usize..5, any::<bool>()).prop_map(|(which, unsigned)| {
            let (ty, bytes) = [
                (types::TINY, 1),
                (types::SHORT, 2),
                (types::INT24, 3),
                (types::LONG, 4),
                (types::LONGLONG, 8),
            ][which];
            let meta = [0, 0];
            (Kind::Integer { bytes, unsigned }, Wire { ty, meta })
        });
        let charset = prop_oneof![Just(Charset::Utf8), Just(Charset::Ascii)];
        let text = (charset, 0usize..5, any::<u8>()).prop_map(|(charset, which, length)| {
            let wire = [
                (types::STRING, [types::STRING, length]),
                // Of a `char` of more than 255 bytes.
                (types::STRING, [types::STRING ^ 0x10, length]),
                (types::VARCHAR, [length, 0]),
                (types::VARCHAR, [length, 3]),
                (types::BLOB, [length % 4 + 1, 0]),
            ][which];
            let (ty, meta) = wire;
            (Kind::Text(charset), Wire { ty, meta })
        });
        let decimal = (1u8..=65).prop_flat_map(|precision| {
            (0..=precision.min(38)).prop_map(move |scale| {
                let meta = [precision, scale];
                let ty = types::NEWDECIMAL;
                (Kind::Decimal, Wire { ty, meta })
            })
        });
        let moment = (0u8..=6, any::<bool>()).prop_map(|(fraction, zoned)| {
            let meta = [fraction, 0];
            match zoned {
                true => {
                    let ty = types::TIMESTAMP2;
                    (Kind::Timestamp { fraction }, Wire { ty, meta })
                }
                false => {
                    let ty = types::DATETIME2;
                    (Kind::DateTime { fraction }, Wire { ty, meta })
                }
            }
        });
        let (ty, meta) = (types::NEWDATE, [0, 0]);
        let date = Just((Kind::Date, Wire { ty, meta }));
        prop_oneof![integer, text, decimal, moment, date]
    }

    fn column(kind: Kind) -> LogColumn {
        LogColumn {
            name: "c".into(),
            ordinal: 1,
            ty: SqlType::parse("text"),
            kind,
            charset: None,
            nullable: false,
            is_virtual: false,
            touched: false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        /// Noise, and values as the servers write them: small numbers, few bits.
        #[test]
        fn it_is_read_as_the_driver_reads_it(
            (kind, wire) in any_kind(),
            noise in vec(any::<u8>(), 1..300),
            few in any::<bool>(),
            negative in any::<bool>(),
        ) {
            let mut bytes = noise;
            if few {
                bytes.iter_mut().for_each(|byte| *byte &= 0x21);
            }
            if wire.ty == types::NEWDECIMAL && few {
                bytes[0] |= 0x80;
                let turned = if negative { 0xff } else { 0 };
                bytes.iter_mut().for_each(|byte| *byte ^= turned);
            }
            if wire.ty == types::DATETIME2 && few {
                bytes[0] |= 0x80;
            }
            // The driver takes the seconds for a number with a sign: what is later than 2038 is a
            // date before 1970 to it.
            if wire.ty == types::TIMESTAMP2 {
                bytes[0] &= 0x7f;
            }
            let length = wire.length(&bytes).ok().filter(|length| *length <= bytes.len());
            if let Some(length) = length
                && let Some(cell) = cell(&kind, &wire, &bytes[..length])
            {
                prop_assert_eq!(Ok(cell), value::by_driver(&column(kind), &wire, &bytes[..length]));
            }
        }

        #[test]
        fn usual_ones_are_read_here(number in any::<i32>(), cents in 0u8..100) {
            let integer = Kind::Integer { bytes: 4, unsigned: false };
            let wire = Wire { ty: types::LONG, meta: [0, 0] };
            let read = |kind: &Kind, wire: &Wire, bytes: &[u8]| {
                cell(kind, wire, bytes).and_then(|cell| cell.text().map(str::to_owned))
            };
            let text = read(&integer, &wire, &number.to_le_bytes());
            prop_assert_eq!(text, Some(number.to_string()));
            let wire = Wire { ty: types::NEWDECIMAL, meta: [12, 2] };
            let units = number.unsigned_abs() % 1_000_000_000;
            let mut bytes = [&[0x80][..], &units.to_be_bytes(), &[cents]].concat();
            let text = read(&Kind::Decimal, &wire, &bytes);
            prop_assert_eq!(text, Some(format!("{units}.{cents:02}")));
            bytes.iter_mut().for_each(|byte| *byte = !*byte);
            let text = read(&Kind::Decimal, &wire, &bytes);
            prop_assert_eq!(text, Some(format!("-{units}.{cents:02}")));
        }
    }

    #[test]
    fn moments_after_2038_are_read() {
        let wire = Wire {
            ty: types::TIMESTAMP2,
            meta: [0, 0],
        };
        let last = cell(&Kind::Timestamp { fraction: 0 }, &wire, &[0xff; 4]);
        let text = Cell::Text("2106-02-07 06:28:15+00".into());
        assert_eq!(last, Some(text));
    }
}
