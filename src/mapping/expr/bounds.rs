//! Which whole numbers and which years a column can hold: types of MySQL and MariaDB are narrower than
//! those of Postgres that they are taken for.

use crate::sqltype::{Class, SqlType};

/// The least and the greatest whole number of a type; none where it holds others than whole ones.
pub fn of(ty: &SqlType) -> Option<(i128, i128)> {
    let unsigned = ty.name.contains("unsigned");
    let bits = |n: u32| match unsigned {
        true => (0, (1 << n) - 1),
        false => (-(1 << (n - 1)), (1 << (n - 1)) - 1),
    };
    // MySQL's names: the type, its width in brackets, and its sign.
    let word = ty.name.split(['(', ' ']).next().unwrap_or_default();
    Some(match (word, ty.class) {
        ("tinyint", Class::Int2) => bits(8),
        ("smallint", Class::Int2 | Class::Int4) => bits(16),
        ("mediumint", Class::Int4) => bits(24),
        ("int" | "integer", Class::Int4 | Class::Int8) => bits(32),
        ("bigint", Class::Int8 | Class::Numeric) => bits(64),
        ("year", Class::Int2) => (0, 2155),
        ("bit", Class::Int8 | Class::Numeric) => (0, (1 << width(ty).unwrap_or(64)) - 1),
        (_, Class::Int2) => bits(16),
        (_, Class::Int4) => bits(32),
        (_, Class::Int8) => bits(64),
        _ => return None,
    })
}

fn width(ty: &SqlType) -> Option<u32> {
    let (_, rest) = ty.name.split_once('(')?;
    let digits = rest.split_once(')')?.0.parse().ok()?;
    (1..=64).contains(&digits).then_some(digits)
}

/// Whether `from` has whole numbers that `to` cannot hold.
pub fn exceeds(from: &SqlType, to: &SqlType) -> bool {
    match (of(from), of(to)) {
        (Some((least, greatest)), Some((low, high))) => least < low || greatest > high,
        _ => false,
    }
}

/// Whether `from` has moments or days in years that `to` cannot hold (MySQL manual, "The DATE,
/// DATETIME, and TIMESTAMP Types").
pub fn years_exceed(from: &SqlType, to: &SqlType) -> bool {
    let (Some((low, high)), wide) = (years(to), years(from)) else {
        return false;
    };
    wide.is_none_or(|(first, last)| first < low || last > high)
}

/// The first and the last year of a type of MySQL; none of one of Postgres, which also has infinity.
fn years(ty: &SqlType) -> Option<(i32, i32)> {
    let word = ty.name.split('(').next().unwrap_or_default();
    match (word, ty.class) {
        ("timestamp", Class::TimestampTz) if !ty.name.contains("zone") => Some((1970, 2038)),
        ("datetime", Class::Timestamp) => Some((1000, 9999)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mysql(name: &str, class: Class) -> SqlType {
        SqlType {
            name: name.to_owned(),
            class,
            ..SqlType::parse(class.name())
        }
    }

    #[test]
    fn whole_numbers_end_where_their_type_does() {
        let bounds = |name, class| of(&mysql(name, class)).unwrap();
        assert_eq!(bounds("tinyint(1)", Class::Int2), (-128, 127));
        assert_eq!(bounds("tinyint(3) unsigned", Class::Int2), (0, 255));
        assert_eq!(bounds("mediumint(9)", Class::Int4), (-8_388_608, 8_388_607));
        let unsigned = bounds("bigint(20) unsigned", Class::Numeric);
        assert_eq!(unsigned, (0, i128::from(u64::MAX)));
        assert_eq!(bounds("bit(3)", Class::Int8), (0, 7));
        assert_eq!(of(&SqlType::parse("smallint")), Some((-32_768, 32_767)));
        assert_eq!(of(&SqlType::parse("numeric(10,2)")), None);
        assert_eq!(of(&SqlType::parse("text")), None);
    }

    #[test]
    fn what_is_wider_exceeds() {
        let tiny = mysql("tinyint(4)", Class::Int2);
        let unsigned = mysql("int(10) unsigned", Class::Int8);
        let integer = SqlType::parse("integer");
        assert!(exceeds(&SqlType::parse("smallint"), &tiny));
        assert!(!exceeds(&tiny, &SqlType::parse("smallint")));
        assert!(exceeds(&integer, &unsigned) && exceeds(&unsigned, &integer));
        assert!(!exceeds(&unsigned, &SqlType::parse("bigint")));
    }

    #[test]
    fn moments_end_in_2038_where_they_are_mysqls() {
        let stamp = mysql("timestamp(6)", Class::TimestampTz);
        let clock = mysql("datetime(6)", Class::Timestamp);
        assert!(years_exceed(&SqlType::parse("timestamptz"), &stamp));
        assert!(years_exceed(&clock, &stamp) && !years_exceed(&stamp, &clock));
        assert!(!years_exceed(&stamp, &stamp));
        let zoned = SqlType::parse("timestamp with time zone");
        assert!(!years_exceed(
            &zoned,
            &SqlType::parse("timestamp(3) with time zone")
        ));
        assert!(years_exceed(
            &SqlType::parse("timestamp without time zone"),
            &clock
        ));
    }
}
