//! Configuration files that are refused, with the very messages.

use super::{CART, INTO, problems, with};

/// A bad piece of a file, and the one message that it must give.
fn check_table(cases: &[(&str, String, &str)]) {
    let mut failures = Vec::new();
    for (what, text, expected) in cases {
        let found = problems(text).join("\n");
        if found != *expected {
            failures.push(format!("{what}\n   found: {found}\nexpected: {expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn bad_settings() {
    let rest = |section: &str| with(&format!("{section}\n{CART}{INTO}"));
    let name = |name: &str| rest("").replacen("'a'", name, 1);
    check_table(&[
        (
            "upper case",
            name("'A'"),
            "c:1:8: `name` cannot name a slot and a publication (expected a lower-case letter, then at most 39 lower-case letters, digits and hyphens)",
        ),
        (
            "syntax",
            rest("x = = 1"),
            "c:8:5: extra `=`, expected nothing\nc:8:7: unexpected key or value, expected newline, `#`",
        ),
        (
            "log level",
            rest("[log]\nlevel = 'info,cartage=loud'"),
            "c:9:9: `level` is not a level of logging (expected `error`, `warn`, `info`, `debug` or `trace`; for modules apart: \"info,cartage::lanes=debug\")",
        ),
        (
            "module without a level",
            rest("[log]\nlevel = 'inof'"),
            "c:9:9: `level` is not a level of logging (expected `error`, `warn`, `info`, `debug` or `trace`; for modules apart: \"info,cartage::lanes=debug\")",
        ),
        (
            "section",
            rest("[aply]"),
            "c:8:2: unknown key `aply` in the configuration (expected `apply`?)",
        ),
        (
            "key",
            rest("[apply]\nlane = 1"),
            "c:9:1: unknown key `lane` in [apply] (expected `lanes`?)",
        ),
        (
            "type",
            rest("[apply]\nlanes = '1'"),
            "c:9:9: `lanes` cannot be a string (expected a whole number from 1 to 256)",
        ),
        (
            "range",
            rest("[apply]\nlanes = 0"),
            "c:9:9: `lanes` cannot have this value (expected a whole number from 1 to 256)",
        ),
        (
            "duration",
            rest("[apply]\nbatch_delay = '5 sec'"),
            "c:9:15: `batch_delay` cannot have this value (expected a duration: a whole number and `ms`, `s`, `m`, `h` or `d`, like \"20s\")",
        ),
        (
            "duration type",
            rest("[apply]\nbatch_delay = 5"),
            "c:9:15: `batch_delay` cannot be a whole number (expected a duration: a whole number and `ms`, `s`, `m`, `h` or `d`, like \"20s\")",
        ),
        (
            "guard",
            rest("[refresh]\nguard = { sql = 'select 1' }"),
            "c:9:1: `max` is missing in `guard` (expected `max` = the greatest number at which reading goes on)",
        ),
        (
            "a target's server_id",
            rest("server_id = 7")
                .replace("'postgres'", "'mysql'")
                .replace("postgres:", "mysql:"),
            "c:8:1: `server_id` is for the source: of the target no log is read",
        ),
        (
            "mysql's url",
            rest("").replacen("'postgres'", "'mysql'", 1).replacen(
                "postgres://u@h/d",
                "mysql://u:pw@h?x",
                1,
            ),
            "c:4:7: the database URL has options after `?`, and there are none for MySQL; encryption is set with `tls` (expected \"mysql://user@host:3306/database\", several hosts with commas)",
        ),
        (
            "server_id",
            rest("").replacen("[target]", "server_id = 7\n[target]", 1),
            "c:5:1: `server_id` is for MySQL: Postgres tells its readers apart by their slots",
        ),
        (
            "url",
            rest("").replacen("postgres://u", "http://u:pw", 1),
            "c:4:7: `url` is not the URL of a Postgres database (expected \"postgres://user@host:5432/database\", several hosts with commas)",
        ),
        (
            "plain password",
            rest("").replacen("[target]", "password = 'pw'\n[target]", 1),
            "c:5:12: `password` cannot be a string (expected { env = \"NAME\" } or { file = \"PATH\" }; secrets do not stand in this file)",
        ),
        (
            "env",
            rest("").replacen(
                "[target]",
                "password = { env = 'CARTAGE_NOT_SET' }\n[target]",
                1,
            ),
            "c:5:20: the environment variable CARTAGE_NOT_SET is not set (expected the name of a variable that holds the secret)",
        ),
        (
            "file",
            rest("[ids]\nsecret = { file = '/nowhere/x' }"),
            "c:9:19: cannot read /nowhere/x: No such file or directory (os error 2) (expected a file that holds the secret)",
        ),
        (
            "tls mode",
            rest("").replacen("[target]", "tls = { mode = 'verify' }\n[target]", 1),
            "c:5:16: `mode` cannot have this value (expected `disable`, `prefer`, `require`, `verify-ca` or `verify-full`)",
        ),
        (
            "tls file",
            rest("").replacen("[target]", "tls = { ca = '/nowhere/x' }\n[target]", 1),
            "c:5:14: there is no file /nowhere/x (expected a PEM file)",
        ),
        (
            "zone",
            rest("").replacen("[target]", "time_zone = 'Berlin'\n[target]", 1),
            "c:5:13: there is no time zone Berlin (expected a name like Europe/Berlin)",
        ),
        (
            "merge",
            rest("[merge]\nquantity = 'most'"),
            "c:9:12: `quantity` cannot have this value (expected `both`, `latest`, `max`, `sum`, `source` or `target`)",
        ),
        (
            "lookup",
            rest(
                "[lookup.variant]\non = 'elsewhere'\ntable = 'v'\nmatch = 'sku'\nget = 'id'\nmissing = 'maybe'",
            ),
            "c:9:6: `on` cannot have this value (expected `source` or `target`)\n\
             c:13:11: `missing` cannot have this value (expected `hold`, `null`, `skip` or `error`)",
        ),
        (
            "lookup's keys",
            rest("[lookup.variant]\non = 'target'\ntable = 'v'\nmatch = 'sku'\ngets = 'id'"),
            "c:8:9: `get` is missing in [lookup.variant] (expected `get` = the columns that a call gives)\n\
             c:12:1: unknown key `gets` in [lookup.variant] (expected `get`?)",
        ),
        (
            "lookup's name",
            rest("[lookup.lower]\non = 'target'\ntable = 'v'\nmatch = 'sku'\nget = 'id'"),
            "c:8:9: `lower` is a function of the language already (expected another name)",
        ),
        (
            "reconcile alone",
            rest("[reconcile]\nsample = 100"),
            "c:8:2: `sample` and `repair` without `every`: the daemon verifies nothing by itself (expected every = \"1d\")",
        ),
        (
            "repairs a second",
            rest("[reconcile]\nrepairs_per_second = 0"),
            "c:9:22: `repairs_per_second` cannot have this value (expected a whole number from 1 to 100000)",
        ),
        (
            "restore",
            rest("[reconcile]\nrestore_deleted = 1"),
            "c:9:19: `restore_deleted` cannot be a whole number (expected `true` or `false`)",
        ),
        (
            "reconcile",
            rest("[reconcile]\nevery = '1d'\nrepair = 1"),
            "c:10:10: `repair` cannot be a whole number (expected `true` or `false`)",
        ),
        (
            "reconcile's token",
            rest("[reconcile]\ntoken = 't.idd'\nown = ''"),
            "c:9:9: nothing fills `t.idd` (expected `t.id`?)\n\
             c:10:7: `own` is empty (expected a text)",
        ),
        (
            "reconcile's sums",
            rest(
                "[reconcile]\nsums = [{ total = 'x.y', of = 'line', value = 'a' }, { of = 'line', value = 'b' }]",
            ),
            "c:9:19: `x.y` is no column of a header table (expected `table.column`, with the table of the [[into]] whose role is \"header\")\n\
             c:9:54: `total` is missing in `sums` (expected `total` = the header's column: \"cart.total\")",
        ),
        (
            "routing",
            rest("[routing]\nx = 1"),
            "c:8:2: [routing] is not built yet",
        ),
        (
            "guard section",
            rest("[guard]"),
            "c:8:2: [guard] is not built yet",
        ),
        ("admin", rest("[admin]"), "c:8:2: [admin] is not built yet"),
    ]);
}

#[test]
fn bad_carts() {
    let cart = |rows: &str| {
        with(&format!(
            "[cart]\ntable = 'orders'\n[cart.rows]\n{rows}\n{INTO}"
        ))
    };
    check_table(&[
        (
            "no cart",
            with(INTO),
            "c:1:1: `cart` is missing in the configuration (expected `cart` = { table = … })",
        ),
        (
            "no table",
            with(&format!("[cart]\nkey = 'id'\n{INTO}")),
            "c:8:2: `table` is missing in [cart] (expected `table` = the header table of the source)",
        ),
        (
            "no way to the cart",
            cart("items = {}"),
            "c:11:1: `cart` is missing in `items` of [cart.rows] (expected `cart` = the column that holds the cart's key; or `parent` and `by`)",
        ),
        (
            "no by",
            cart("a = { cart = 'c' }\nb = { parent = 'a' }"),
            "c:12:1: `by` is missing in `b` of [cart.rows] (expected `by` = the columns here that hold the parent's key)",
        ),
        (
            "no parent",
            cart("a = { cart = 'c', by = 'x' }"),
            "c:11:24: `by` without `parent` in `a` of [cart.rows] (expected `parent` too: the table whose key these columns hold)",
        ),
        (
            "unknown parent",
            cart("items = { cart = 'c' }\nb = { parent = 'item', by = 'x' }"),
            "c:12:16: the cart has no table `item` (expected `items`?)",
        ),
        (
            "self only",
            cart("a = { parent = 'a', by = 'x' }"),
            "c:11:16: `a` never reaches the header through its parents (expected `cart`, the column that holds the cart's key, on one of them)",
        ),
        (
            "cycle",
            cart("a = { cart = 'c', parent = 'b', by = 'x' }\nb = { parent = 'a', by = 'x' }"),
            "c:11:28: `a` is its own ancestor through other tables (expected parents that lead to the header; only a table itself may be its parent)\nc:12:16: `b` is its own ancestor through other tables (expected parents that lead to the header; only a table itself may be its parent)",
        ),
        (
            "keyword",
            cart("item = { cart = 'c' }"),
            "c:11:1: `item` is a keyword of expressions (expected another alias: x = { table = \"item\", … })",
        ),
        (
            "header's name",
            cart("orders = { table = 'old.orders', cart = 'c' }"),
            "c:11:1: `orders` is the header's name already (expected another alias: x = { table = \"orders\", … })",
        ),
        (
            "key type",
            cart("a = { cart = 'c', key = 1 }"),
            "c:11:25: `key` cannot be a whole number (expected a name or a list of names)",
        ),
        (
            "key items",
            cart("a = { cart = 'c', key = ['a', 1] }"),
            "c:11:31: `key` cannot be a whole number (expected a string)",
        ),
        (
            "unknown key",
            cart("a = { cart = 'c', tabel = 'x' }"),
            "c:11:19: unknown key `tabel` in `a` of [cart.rows] (expected `table`?)",
        ),
    ]);
    assert!(problems(&cart("a = { cart = 'c', parent = 'a', by = 'x' }")).is_empty());
}

#[test]
fn bad_intos() {
    let into = |into: &str| with(&format!("{CART}[[into]]\n{into}"));
    let columns = |columns: &str| {
        into(&format!(
            "table = 't'\nper = 'items'\n[into.columns]\n{columns}"
        ))
    };
    let key = "columns = { id = { key = 'id' } }";
    check_table(&[
        (
            "none",
            with(CART),
            "c:1:1: `into` is missing in the configuration (expected `into` = [[into]] tables)",
        ),
        (
            "single brackets",
            with(&format!("{CART}[into]\ntable = 't'")),
            "c:12:1: `into` cannot be a table (expected [[into]] with doubled brackets)",
        ),
        (
            "no table",
            into(&format!("per = 'items'\n{key}")),
            "c:12:1: `table` is missing in [[into]] (expected `table` = a table of the target)",
        ),
        (
            "no per",
            into(&format!("table = 't'\n{key}")),
            "c:12:1: `per` is missing in [[into]] of `t` (expected `per` = a table of the cart)",
        ),
        (
            "unknown per",
            into(&format!("table = 't'\nper = 'item'\n{key}")),
            "c:14:7: the cart has no table `item` (expected `items`?)",
        ),
        (
            "carts without a header row and without a key",
            into(&format!("table = 't'\nper = 'cart'\n{key}")),
            "c:9:9: carts without a header row have no primary key (expected `key` in [cart]: \
             the columns whose values the rows of one cart share)",
        ),
        (
            "a header of elements",
            into(&format!(
                "table = 't'\nper = \"each(items.sku)\"\nrole = 'header'\n{key}"
            )),
            "c:14:7: a header stands for one source row, not for elements of a payload (expected the header table)",
        ),
        (
            "group",
            into(&format!("table = 't'\nper = 'items'\ngroup = []\n{key}")),
            "c:15:9: `group` cannot be a list (expected a name or a list of names)",
        ),
        (
            "no columns",
            into("table = 't'\nper = 'items'"),
            "c:12:1: `columns` is missing in [[into]] of `t` (expected `columns` = { target column = \"expression\", … })",
        ),
        (
            "no key",
            columns("a = 'a'"),
            "c:15:7: no column of `t` is its key (expected column = { key = \"expression\" })",
        ),
        (
            "allocated",
            columns("id = { allocated = true, key = 'k' }"),
            "c:16:26: column `id` has an expression, and the target gives its value (expected { allocated = true })",
        ),
        (
            "allocated is a switch",
            columns("id = { allocated = 'id' }"),
            "c:16:20: `allocated` cannot be a string (expected true)",
        ),
        (
            "two values",
            columns("id = { key = 'id', value = 'x' }"),
            "c:16:14: column `id` has two expressions (expected one of `value`, `key` and `once`, the others `true`)",
        ),
        (
            "no value",
            columns("id = { key = true }"),
            "c:16:1: `value` is missing in column `id` (expected `value` = \"expression\")",
        ),
        (
            "empty",
            columns("id = { key = 'id' }\na = ''"),
            "c:17:5: `a` is empty (expected a text)",
        ),
        (
            "number",
            columns("id = { key = 'id' }\na = 1"),
            "c:17:5: `a` cannot be a whole number (expected \"expression\", { key = \"…\" }, { once = \"…\" } or { value = \"…\", … })",
        ),
        (
            "merge rule",
            columns("id = { key = 'id' }\na = { value = 'a', merge = 'max' }"),
            "c:17:28: `merge` cannot have this value (expected `latest`, `source` or `target`)",
        ),
        (
            "unknown",
            columns("id = { key = 'id' }\na = { valeu = 'a' }"),
            "c:17:1: `value` is missing in column `a` (expected `value` = \"expression\")\nc:17:7: unknown key `valeu` in column `a` (expected `value`?)",
        ),
        (
            "fate",
            into(&format!(
                "table = 't'\nper = 'items'\ndeleted = 'gone'\n{key}"
            )),
            "c:15:11: `deleted` cannot have this value (expected `delete`, `keep` or { set = { column = \"expression\" } })",
        ),
        (
            "fate table",
            into(&format!(
                "table = 't'\nper = 'items'\ndeleted = {{ sets = 1 }}\n{key}"
            )),
            "c:15:1: `set` is missing in `deleted` (expected `set` = { column = \"expression\" })\nc:15:13: unknown key `sets` in `deleted` (expected `set`?)",
        ),
        (
            "line",
            into(&format!(
                "table = 't'\nper = 'items'\nline = {{ product = 'p' }}\n{key}"
            )),
            "c:15:1: `quantity` is missing in `line` (expected `quantity` = the target column of the quantity)\nc:15:1: `line` on a table that is not one of lines (expected `role = \"line\"`)",
        ),
        (
            "filter",
            into(&format!("table = 't'\nper = 'items'\nwhere = true\n{key}")),
            "c:15:9: `where` cannot be a boolean (expected a string)",
        ),
    ]);
    let live = with(&format!(
        "[cart]\ntable = 'orders'\nlive = 'true'\n{INTO}role = 'header'"
    ));
    check_table(&[(
        "ended",
        live,
        "c:11:1: `ended` is missing in [[into]] of `t` (expected `ended` = \"delete\", \"keep\" or { set = { … } }, because `live` is given)",
    )]);
}
