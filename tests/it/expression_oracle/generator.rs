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
        ],
    ),
    (
        "tz",
        "timestamp with time zone",
        &["2024-02-29 12:34:56.789+00", "2024-10-27 01:30:00+00"],
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
                Some('k') => self.rng.i32(-4..8).to_string(),
                Some('x') => self.any(depth),
                other => format!("#{}", other.unwrap_or(' ')),
            });
        }
        out
    }

    pub fn any(&mut self, depth: u32) -> String {
        match self.rng.u32(..7) {
            0 => self.number(depth),
            1 => self.integer(depth),
            2 => self.text(depth),
            3 => self.condition(depth),
            4 => self.time(depth),
            5 => self.json(depth),
            _ => self.pick(&["u", "y", "j", "jb", "c", "f"]).to_owned(),
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
                "cast(o as integer)",
                "jsonb_array_length(jb)",
                "case #i when #i then #i end",
                "(f)::int",
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
                "nullif(#n, #n)",
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
                "cast(#n as text)",
                "cast(#x as text)",
                "(#t)::varchar(3)",
                "(#t)::char(4)",
                "coalesce(#t, #t)",
                "case when #b then #t else lit end",
                "greatest(#t, #t)",
                "(j ->> 'a')",
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
                "greatest(ts, d)",
                "(#d)::timestamptz(0)",
                "timestamptz '2024-05-05 10:00:00+02'",
                "date '2020-02-02'",
                "date_trunc('quarter', #d)",
                "date_trunc('century', ts)",
                "(d at time zone 'Asia/Kolkata')",
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
