//! Random expressions over the columns of one table.

use fastrand::Rng;

/// The columns of the one table, with values to draw from.
pub const COLUMNS: &[(&str, &str, &[&str])] = &[
    ("s", "smallint", &["0", "1", "-7", "32767"]),
    ("i", "integer", &["0", "3", "-12", "2147483647"]),
    ("b", "bigint", &["0", "5", "-99", "9223372036854775807"]),
    (
        "n",
        "numeric",
        &[
            "0",
            "1.50",
            "-2.345",
            "100",
            "0.0001",
            "123456789.123456789",
        ],
    ),
    (
        "m",
        "numeric(10,2)",
        &["0.00", "19.99", "-3.50", "99999.99"],
    ),
    (
        "f",
        "double precision",
        &["0", "1.5", "-0.25", "1e+18", "1e+20", "-7.3e-05"],
    ),
    (
        "g",
        "real",
        &[
            "0",
            "0.1",
            "-2.5",
            "1e-45",
            "3.4028235e+38",
            "2.1474836e+09",
        ],
    ),
    ("a", "inet", &["10.0.0.1", "::1", "10.0.0.0/8"]),
    (
        "t",
        "text",
        &["", "abc", "Hello World", "ÄÖü ß", "a,b,c", "  pad "],
    ),
    ("v", "character varying(20)", &["x", "Abc-1", "50%_\\"]),
    ("c", "character(5)", &["ab   ", "     ", "abcde"]),
    ("o", "boolean", &["t", "f"]),
    ("d", "date", &["2024-02-29", "1999-12-31", "2000-01-01"]),
    (
        "ts",
        "timestamp without time zone",
        &[
            "2024-02-29 12:34:56.789",
            "1999-12-31 23:59:59",
            "2024-03-31 02:30:00",
            "2150-07-01 12:00:00",
            "9999-10-31 02:30:00",
            "240000-07-01 12:00:00",
        ],
    ),
    (
        "tz",
        "timestamp with time zone",
        &[
            "2024-02-29 12:34:56.789+00",
            "2024-10-27 01:30:00+00",
            "2999-07-01 00:00:00+00",
            "0044-03-15 12:00:00+00 BC",
        ],
    ),
    (
        "tm",
        "time",
        &["00:00:00", "12:34:56.789", "23:59:59.999999"],
    ),
    (
        "iv",
        "interval",
        &[
            "30 days",
            "1 mon",
            "-1 days +02:03:04.5",
            "1 year 2 mons -3 days +04:05:06.7",
            "00:00:00",
            "-178000 years",
        ],
    ),
    ("day", "interval", &["1 day"]),
    ("older", "date", &["0044-03-15 BC", "1899-12-31"]),
    ("never", "date", &["infinity", "-infinity"]),
    (
        "elder",
        "timestamp",
        &[
            "0101-01-01 00:00:01 BC",
            "0001-01-01 00:00:00 BC",
            "9999-12-31 23:59:59.5",
        ],
    ),
    (
        "j",
        "json",
        &["{\"a\": 1,\"b\":[1,2]}", "[1, \"x\",null]", "\"s\""],
    ),
    (
        "jb",
        "jsonb",
        &["{\"a\": 1, \"b\": [1, 2]}", "[1, \"x\", null]", "3.50"],
    ),
    ("u", "uuid", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("y", "bytea", &["\\x", "\\x00ff41"]),
    // What would be literals stands in columns, or the server would calculate with it while it
    // plans, before any condition could keep it from that.
    ("one", "integer", &["1"]),
    ("two", "integer", &["2"]),
    ("seven", "integer", &["7"]),
    ("minus", "integer", &["-3"]),
    ("large", "integer", &["40000"]),
    ("price", "numeric", &["1.50"]),
    ("tenth", "numeric", &["0.1"]),
    ("half", "numeric", &["-1.005"]),
    ("thousand", "numeric", &["1000"]),
    ("currency", "text", &["EUR", "JPY", "KWD"]),
    ("lit", "text", &["lit"]),
    ("nothing", "text", &[""]),
    ("quote", "text", &["a'b"]),
    ("accents", "text", &["ÀB c"]),
    ("yes", "boolean", &["t"]),
    ("no", "boolean", &["f"]),
    ("x", "citext", &["Abc", "abc", "x"]),
    ("w", "text COLLATE loose", &["ABC", "abc", "Ä"]),
    ("e", "mood", &["sad", "ok"]),
];

/// Fields of `extract` that dates, moments and intervals have.
const OF_DATE: &[&str] = &[
    "day",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
    "millennium",
    "epoch",
];

/// Those that times have too.
const OF_TIME: &[&str] = &[
    "microseconds",
    "milliseconds",
    "second",
    "minute",
    "hour",
    "epoch",
];

/// Those that intervals have not.
const OF_DAYS: &[&str] = &["week", "isoyear", "dow", "isodow", "doy", "julian"];

pub struct Generator {
    pub rng: Rng,
}

impl Generator {
    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.rng.usize(..from.len())]
    }

    /// Fills the holes of one of these forms: `#n` a number, `#i` an integer, `#t` text, `#b` a condition …
    fn form(&mut self, forms: &[&str], depth: u32) -> String {
        let form = self.pick(forms).to_owned();
        let mut out = String::new();
        let mut chars = form.chars();
        while let Some(c) = chars.next() {
            if c != '#' {
                out.push(c);
                continue;
            }
            let hole = chars.next();
            out.push_str(&match hole {
                Some('n') => self.number(depth),
                Some('i') => self.integer(depth),
                Some('t') => self.text(depth),
                Some('b') => self.condition(depth),
                Some('d') => self.time(depth),
                Some('v') => self.interval(depth),
                Some('f') => self.pick(OF_DATE).to_owned(),
                Some('w') => self.pick(OF_DAYS).to_owned(),
                Some('g') => self.pick(OF_TIME).to_owned(),
                Some('k') => self.rng.i32(-4..8).to_string(),
                Some('x') => self.any(depth),
                other => format!("#{}", other.unwrap_or(' ')),
            });
        }
        out
    }

    pub fn any(&mut self, depth: u32) -> String {
        match self.rng.u32(..8) {
            0 => self.number(depth),
            1 => self.integer(depth),
            2 => self.text(depth),
            3 => self.condition(depth),
            4 => self.time(depth),
            5 => self.json(depth),
            6 => self.interval(depth),
            // Numbers that are infinite are not calculated with.
            _ => self.form(
                &[
                    "u",
                    "y",
                    "j",
                    "jb",
                    "c",
                    "f",
                    "extract(#f from never)",
                    "extract(#w from never)",
                    "(never - #i)",
                    "cast((never + #v) as text)",
                    "cast(#v as time)",
                    "(tm + #v)",
                    "(tm - #v)",
                    "decode(encode(y, 'escape'), 'escape')",
                    "convert_to(#t, 'LATIN1')",
                    "sha256(y)",
                ],
                depth.min(1),
            ),
        }
    }

    pub fn integer(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["s", "i", "b", "one", "two", "seven", "minus", "large"])
                .to_owned();
        }
        self.form(
            &[
                "(#i + #i)",
                "(#i - #i)",
                "(#i * #i)",
                "(#i / #i)",
                "(#i % #i)",
                "mod(#i, #i)",
                "abs(#i)",
                "(- #i)",
                "length(#t)",
                "cast(#n as integer)",
                "(#n)::bigint",
                "cast(#i as smallint)",
                "coalesce(#i, #i)",
                "case when #b then #i else #i end",
                "nullif(#i, b)",
                "greatest(#i, #i, #i)",
                "length(y)",
                "minor_units((#n)::numeric, currency)",
                "(cast(#d as date) - cast(#d as date))",
                "cast(o as integer)",
                "jsonb_array_length(jb)",
                "case #i when #i then #i end",
                "(f)::int",
                "(g)::bigint",
                "whole((#n)::numeric)",
                "whole(f)",
                "level(#t)",
                "level(cast(#i as text))",
                "char_length(#t)",
                "length(convert_to(#t, 'UTF8'))",
            ],
            depth - 1,
        )
    }

    pub fn number(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["n", "m", "i", "price", "tenth", "two", "half", "thousand"])
                .to_owned();
        }
        self.form(
            &[
                "(#n + #n)",
                "(#n - #n)",
                "(#n * #n)",
                "(#n / #n)",
                "(#n % #n)",
                "abs(#n)",
                "round((#n)::numeric, #k)",
                "trunc((#n)::numeric, #k)",
                "floor((#n)::numeric)",
                "ceil((#n)::numeric)",
                "ceiling((#n)::numeric)",
                "trunc((#n)::numeric)",
                "round((#n)::numeric)",
                "cast(#n as numeric(8,2))",
                "cast(#n as numeric(12,3))",
                "coalesce(#n, #n)",
                "least(#n, #n)",
                "case when #b then #n else #n end",
                "(- #n)",
                "mod(#n, #n)",
                "cast(cast(#n as text) as numeric)",
                "(f)::numeric",
                "(f + 1)",
                "(f * #n)",
                "(f / 3)",
                "(g)::numeric",
                "(g * g)",
                "(g + f)",
                "(f)::real",
                "(g)::double precision",
                "nullif(#n, #n)",
                "major_units(#i, currency)",
                "ceil(f)",
                "floor(f)",
                "round(f)",
                "trunc(f)",
                "abs(f)",
                "extract(#f from #d)",
                "extract(#w from #d)",
                "extract(#g from ts)",
                "extract(#g from tz)",
                "extract(#g from tm)",
                "extract(#f from #v)",
                "extract(#g from #v)",
                "extract(#f from older)",
                "extract(#w from older)",
                "extract(#f from elder)",
                "extract(#w from elder)",
                "extract(epoch from (#d - ts))",
                "extract(epoch from tz)",
                "nullif(g, #n)",
            ],
            depth - 1,
        )
    }

    pub fn text(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["t", "v", "c::text", "lit", "nothing", "quote", "accents"])
                .to_owned();
        }
        self.form(
            &[
                "lower(#t)",
                "upper(#t)",
                "initcap(#t)",
                "trim(#t)",
                "ltrim(#t, #t)",
                "rtrim(#t, 'b c')",
                "trim(both 'a' from #t)",
                "substring(#t, #k)",
                "substring(#t from #k for 3)",
                "substring(#t, #k, #k)",
                "replace(#t, #t, #t)",
                "left(#t, #k)",
                "right(#t, #k)",
                "lpad(#t, #k, #t)",
                "rpad(#t, #k, 'xy')",
                "split_part(#t, ',', #k)",
                "split_part(#t, #t, 1)",
                "(#t || #t)",
                "(#t || #i)",
                "concat(#x, #x)",
                "concat_ws('-', #x, #x, #t)",
                "md5(#t)",
                "encode(sha256(y), 'hex')",
                "encode(y, 'base64')",
                "encode(y, 'escape')",
                "encode(decode(encode(y, 'hex'), 'hex'), 'base64')",
                "btrim(#t, #t)",
                "substr(#t, #k, 2)",
                "grade(#t)",
                "grade(cast(#i as text))",
                "coalesce(grade(#t), #t)",
                // Their collation is that of the encoding's name there, which `lower` sees.
                "md5(convert_from(convert_to(#t, 'utf-8'), 'UTF8'))",
                "md5(convert_from(y, 'LATIN1'))",
                "md5(convert_from(decode('c3a9e9', 'hex'), 'iso-8859-1'))",
                "md5(convert_from(y, 'UTF8'))",
                "encode(convert_to(#t, 'LATIN1'), 'escape')",
                "encode(sha256(convert_to(#t, 'UTF8')), 'base64')",
                "(j #>> '{b,1}')",
                "cast(#v as text)",
                "cast(#n as text)",
                "cast(#x as text)",
                "(#t)::varchar(3)",
                "(#t)::char(4)",
                "coalesce(#t, #t)",
                "case when #b then #t else lit end",
                "greatest(#t, #t)",
                "(j ->> 'a')",
                "cast(a as text)",
                "(#t || a)",
                "cast(g as text)",
                "(j ->> 1)",
                "(jb #>> '{b,0}')",
                "(jb ->> -1)",
                "nullif(#t, #t)",
                "cast(#b as text)",
            ],
            depth - 1,
        )
    }

    pub fn condition(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["o", "yes", "no", "(i > one)", "(t is null)"])
                .to_owned();
        }
        self.form(
            &[
                "(#n < #n)",
                "(#n = #n)",
                "(#i <> #i)",
                "(#t = #t)",
                "(#t < #t)",
                "(#t >= #t)",
                "(#d <= #d)",
                "(#v < #v)",
                "(#v = #v)",
                "(#v in (#v, interval '30 days'))",
                "(tm < #v)",
                "(ts > tz - #v)",
                "(#b and #b)",
                "(#b or #b)",
                "(not #b)",
                "(#x is null)",
                "(#x is not null)",
                "(#n is distinct from #n)",
                "(#t is not distinct from #t)",
                "(#i in (#i, #i, 3))",
                "(#t not in ('a', #t))",
                "(#n between #n and #n)",
                "(#i not between 0 and #i)",
                "(#t like 'a%')",
                "(#t not like '%_b%')",
                "(v like '50\\%%')",
                "(c = 'ab')",
                "(#t ilike '%B%')",
                "(c = t)",
                "(jb = '3.5')",
                "(u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')",
                "(d = '2024-02-29')",
                "(ts < tz)",
                "(#b is true)",
                "(#b is not false)",
                "(#b is unknown)",
                "(f > #n)",
                "(g = #n)",
                "(g < f)",
                "(y = '\\x00ff41')",
                "coalesce(#b, false)",
                "(c || 'x' = 'abx')",
                "(c like 'ab%')",
            ],
            depth - 1,
        )
    }

    pub fn time(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.pick(&["ts", "tz", "d"]).to_owned();
        }
        self.form(
            &[
                "date_trunc('month', #d)",
                "date_trunc('week', ts)",
                "date_trunc('hour', tz)",
                "cast(#d as date)",
                "cast(#d as timestamp)",
                "cast(#d as timestamptz)",
                "(ts at time zone 'Europe/Berlin')",
                "(tz at time zone 'America/New_York')",
                "cast(#d as timestamp(1))",
                "cast(cast(#d as text) as timestamptz)",
                "to_timestamp(i)",
                "to_timestamp(1700000000)",
                "coalesce(#d, ts)",
                "nullif(#d, #d)",
                "greatest(ts, d)",
                "(#d)::timestamptz(0)",
                "timestamptz '2024-05-05 10:00:00+02'",
                "date '2020-02-02'",
                "nullif(d, #d)",
                "date_trunc('quarter', #d)",
                "date_trunc('century', ts)",
                "(d at time zone 'Asia/Kolkata')",
                "date_trunc('day', tz, 'America/New_York')",
                "to_timestamp(f)",
                "timezone('Asia/Tokyo', #d)",
                "(#d at time zone 'Europe/Paris')",
                "to_timestamp(nullif(#i, 0))",
                "cast(nullif(cast(#d as text), '1999-12-31') as timestamp)",
                "(#d + #v)",
                "(#v + #d)",
                "(#d - #v)",
                "(d + #i)",
                "(#i + d)",
                "(d - #i)",
                "(d + tm)",
                "(tm + d)",
                "(older + #v)",
                "(elder - #v)",
                "(tz + '1 day')",
                "(ts - interval '1.5 months')",
                "cast(cast(#d as date) + interval '1 month' as date)",
            ],
            depth - 1,
        )
    }

    pub fn interval(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.pick(&["iv", "day"]).to_owned();
        }
        self.form(
            &[
                "(#v + #v)",
                "(#v - #v)",
                "(- #v)",
                "(#v * #i)",
                "(#n * #v)",
                "(#v * f)",
                "(#v / #n)",
                "(#v / #i)",
                "(ts - #d)",
                "(tz - tz)",
                "(tm - tm)",
                "(ts - '2020-01-01')",
                "(#d - elder)",
                "greatest(#v, #v)",
                "cast(cast(#v as text) as interval)",
                "interval '3 days'",
                "interval '-1 year 2 months 1.25 days'",
                "('P1Y2M3DT4H5M6.7S')::interval",
                "(#v)::interval(1)",
                "case when #b then #v else day end",
                "cast(tm as interval)",
            ],
            depth - 1,
        )
    }

    pub fn json(&mut self, depth: u32) -> String {
        self.form(
            &[
                "json_build_object('k', #x, #t, #x)",
                "json_build_array(#x, #x)",
                "json_build_object()",
                "(j -> 'b')",
                "(jb -> 'b' -> 0)",
                "(j -> 1)",
                "cast(j as jsonb)",
                "cast(jb as json)",
                "cast(json_build_object('b', #x, 'aa', #x, 'a', #x) as jsonb)",
                "json_build_object(#i, #d)",
                "('{\"z\": 1e2, \"y\": [1.0, \"\\u00e9\"]}')::jsonb",
                "json_build_array()",
            ],
            depth.min(2),
        )
    }
}
