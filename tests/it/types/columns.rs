//! Every type that a shop uses, as a column of the old shop, and where its values go.

use fastrand::Rng;

use super::values::*;

/// The types beside the server's own, on both sides alike, in a schema off the search path.
pub const TYPES: &str = r#"
    CREATE EXTENSION citext; CREATE EXTENSION hstore;
    CREATE SCHEMA "Types";
    CREATE TYPE "Types"."Mood" AS ENUM ('calm', 'it''s "odd"', 'back\slash', '');
    CREATE TYPE "Types".wider AS ENUM ('', 'back\slash', 'calm', 'it''s "odd"', 'another');
    CREATE DOMAIN "Types".price AS numeric(10,2) CHECK (VALUE > -9e7);
    CREATE DOMAIN "Types".code AS varchar(8);
    CREATE DOMAIN "Types".short AS "Types".code CHECK (length(VALUE) <= 8);
    CREATE DOMAIN "Types".flags AS bit(5);
    CREATE DOMAIN "Types".handle AS citext;
    CREATE DOMAIN "Types".list AS integer[];
    CREATE TYPE "Types".line AS (n integer, t text, m timestamptz);
"#;

/// A column of the old shop.
pub struct Source {
    pub name: &'static str,
    pub ty: &'static str,
    pub value: fn(&mut Rng) -> String,
}

/// A column of the new shop that takes another type than its expression's.
pub struct Conversion {
    pub to: &'static str,
    pub expression: &'static str,
    /// What the server is to store there, where an assignment of the expression is not it.
    pub oracle: Option<&'static str>,
}

macro_rules! sources {
    ($($name:ident $ty:literal $value:expr;)*) => {
        &[$(Source { name: stringify!($name), ty: $ty, value: $value }),*]
    };
}

/// Copied as they are.
pub const COPIED: &[Source] = sources! {
    small "smallint" |r| integer(r, 16);
    whole "integer" |r| integer(r, 32);
    large "bigint" |r| integer(r, 64);
    exact "numeric" numeric;
    fixed "numeric(12,4)" |r| decimal(r, 8, 4);
    tiny "numeric(5,5)" |r| format!("0.{:05}", r.u32(..100_000));
    single "real" real;
    wide "double precision" double;
    cash "money" |r| decimal(r, 12, 2);
    words "text" |r| text(r, 99);
    essay "text" long;
    loose "citext" |r| text(r, 99);
    limited "character varying(20)" |r| text(r, 20);
    padded "character(8)" |r| text(r, 8);
    letter "\"char\"" |r| pick(r, &["a", "", "\\", "~"]);
    identifier "name" |r| text(r, 15);
    bytes "bytea" bytea;
    flag "boolean" |r| r.bool().to_string();
    day "date" date;
    hour "time without time zone" time;
    hour_2 "time(2) without time zone" time;
    hour_zone "time with time zone" timetz;
    hour_zone_1 "time(1) with time zone" timetz;
    moment "timestamp without time zone" timestamp;
    moment_3 "timestamp(3) without time zone" timestamp;
    instant "timestamp with time zone" timestamptz;
    instant_0 "timestamp(0) with time zone" timestamptz;
    span "interval" interval;
    span_2 "interval(2)" interval;
    span_fields "interval day to second" interval;
    id_128 "uuid" uuid;
    document "json" |r| json(r, 3);
    packed "jsonb" |r| json(r, 3);
    mood "\"Types\".\"Mood\"" |r| pick(r, &["calm", "it's \"odd\"", "back\\slash", ""]);
    price "\"Types\".price" |r| decimal(r, 7, 2);
    code "\"Types\".code" |r| text(r, 8);
    short "\"Types\".short" |r| text(r, 8);
    flags "\"Types\".flags" |r| bits(r, 5);
    handle "\"Types\".handle" |r| text(r, 30);
    list "\"Types\".list" |r| array(r, |r| integer(r, 32));
    line "\"Types\".line" composite;
    integers "integer[]" |r| array(r, |r| integer(r, 32));
    bigints "bigint[]" |r| array(r, |r| integer(r, 64));
    numerics "numeric[]" |r| array(r, numeric);
    cents "numeric(12,4)[]" |r| array(r, |r| decimal(r, 8, 4));
    doubles "double precision[]" |r| array(r, double);
    texts "text[]" |r| array(r, |r| text(r, 40));
    varchars "character varying(20)[]" |r| array(r, |r| text(r, 20));
    chars "character(8)[]" |r| array(r, |r| text(r, 8));
    booleans "boolean[]" |r| array(r, |r| r.bool().to_string());
    blobs "bytea[]" |r| array(r, bytea);
    dates "date[]" |r| array(r, date);
    instants "timestamp with time zone[]" |r| array(r, timestamptz);
    spans "interval[]" |r| array(r, interval);
    uuids "uuid[]" |r| array(r, uuid);
    documents "jsonb[]" |r| array(r, |r| json(r, 2));
    moods "\"Types\".\"Mood\"[]" |r| array(r, |r| pick(r, &["calm", "it's \"odd\"", ""]));
    prices "\"Types\".price[]" |r| array(r, |r| decimal(r, 7, 2));
    lines "\"Types\".line[]" |r| array(r, composite);
    period "int4range" int4range;
    margin "numrange" numrange;
    validity "tstzrange" tstzrange;
    periods "int4multirange" |r| format!("{{{},{}}}", int4range(r), int4range(r));
    pairs "hstore" hstore;
    address "inet" inet;
    network "cidr" |r| format!("10.{}.0.0/16", r.u8(..));
    hardware "macaddr" |r| format!("08:00:2b:01:02:{:02x}", r.u8(..));
    hardware_8 "macaddr8" |r| format!("08:00:2b:01:02:03:04:{:02x}", r.u8(..));
    markup "xml" xml;
    five_bits "bit(5)" |r| bits(r, 5);
    some_bits "bit varying(12)" |r| { let count = r.usize(..13); bits(r, count) };
    place "point" point;
    vector "tsvector" tsvector;
    query "tsquery" |r| pick(r, &["a & b", "!x | (y <-> z)", ""]);
    object "oid" |r| r.u32(..).to_string();
    place_in_log "pg_lsn" |r| format!("{:X}/{:X}", r.u32(..), r.u32(..));
};

/// Only read by conversions: values that the other type can hold.
pub const CONVERTED: &[Source] = sources! {
    near_day "date" |r| pick(r, &["infinity", "-infinity", "294246-12-31", "4713-01-01 BC", "0001-01-01", "2024-02-29", "262144-01-01"]);
    for_real "double precision" double_for_real;
    finite "double precision" |r| decimal(r, 12, 6);
    finite_single "real" |r| decimal(r, 5, 4);
    mood_text "text" |r| pick(r, &["calm", "it's \"odd\"", "back\\slash", ""]);
    uuid_text "text" |r| match r.u32(..3) { 0 => uuid(r), 1 => uuid(r).to_uppercase(), _ => format!("{{{}}}", uuid(r).replace('-', "")) };
    json_text "text" |r| json(r, 3);
    array_text "text" |r| array(r, |r| text(r, 20));
    inet_text "text" |r| pick(r, &["10.0.0.1", "10.0.0.1/32", "::1", "10.0.0.0/8", "2001:DB8::"]);
    fives "character varying(5)" |r| text(r, 5);
};

macro_rules! conversions {
    ($($to:literal <- $expression:literal $(= $oracle:literal)?;)*) => {
        &[$(Conversion {
            to: $to,
            expression: $expression,
            oracle: [None $(, Some($oracle))?].last().copied().flatten(),
        }),*]
    };
}

/// From one type to another.
pub const CONVERSIONS: &[Conversion] = conversions! {
    "bigint" <- "whole";
    "numeric" <- "large";
    "numeric(8,2)" <- "small";
    "text" <- "whole";
    "character varying(20)" <- "large";
    "character(20)" <- "large";
    "real" <- "large";
    "double precision" <- "large";
    "numeric(12,4)" <- "tiny";
    "numeric(11,2)" <- "fixed";
    "bigint" <- "fixed";
    "double precision" <- "fixed";
    "text" <- "exact";
    "real" <- "fixed";
    "double precision" <- "single";
    "real" <- "for_real";
    "numeric" <- "single";
    "numeric" <- "wide";
    "numeric(20,4)" <- "finite";
    "integer" <- "finite_single";
    "bigint" <- "finite";
    "text" <- "single";
    "text" <- "wide";
    "text" <- "flag";
    "character varying(5)" <- "flag";
    "character varying" <- "words";
    "citext" <- "words";
    "text" <- "loose";
    "text" <- "handle";
    "text" <- "padded";
    "character(12)" <- "padded";
    "character varying(8)" <- "padded";
    "character(20)" <- "limited";
    "\"Types\".short" <- "fives";
    "\"Types\".code" <- "fives";
    "text" <- "letter";
    "text" <- "bytes";
    "text" <- "id_128";
    "uuid" <- "uuid_text" = "uuid_text::uuid";
    "\"Types\".\"Mood\"" <- "mood_text" = "mood_text::\"Types\".\"Mood\"";
    "\"Types\".wider" <- "mood" = "mood::text::\"Types\".wider";
    "text" <- "mood";
    "character varying(11)" <- "mood";
    "timestamp without time zone" <- "near_day";
    "timestamp with time zone" <- "near_day";
    "text" <- "day";
    "timestamp with time zone" <- "moment";
    "timestamp without time zone" <- "instant";
    "date" <- "moment";
    "date" <- "instant";
    "timestamp(0) without time zone" <- "moment";
    "timestamp(2) with time zone" <- "instant";
    "text" <- "moment";
    "text" <- "instant";
    "time(0) without time zone" <- "hour";
    "time(0) with time zone" <- "hour_zone";
    "text" <- "hour";
    "text" <- "hour_zone";
    "interval(0)" <- "span";
    "interval day to second" <- "span";
    "interval year to month" <- "span";
    "text" <- "span";
    "jsonb" <- "document";
    "json" <- "packed";
    "text" <- "document";
    "text" <- "packed";
    "json" <- "json_text" = "json_text::json";
    "jsonb" <- "json_text" = "json_text::jsonb";
    "numeric" <- "price";
    "text" <- "price";
    "\"Types\".price" <- "tiny";
    "text" <- "integers";
    "bigint[]" <- "integers";
    "text[]" <- "integers";
    "text[]" <- "varchars";
    "numeric(12,2)[]" <- "cents";
    "text[]" <- "array_text" = "array_text::text[]";
    "inet" <- "inet_text" = "inet_text::inet";
    "inet" <- "network";
    "text" <- "address";
    "text" <- "network";
    "text" <- "period";
    "text" <- "pairs";
    "text" <- "line";
    "text" <- "five_bits";
    "bit varying(9)" <- "five_bits";
    "text" <- "cash";
    "text" <- "place";
    "text" <- "cast(words as text)";
    "text" <- "coalesce(loose, words)" = "coalesce(loose::text, words)";
};
