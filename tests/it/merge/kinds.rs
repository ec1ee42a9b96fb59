//! Shops that merge, a kind for each rule.

use crate::guards::kinds::{Kind, ROW_LOCK};

const VERSION: (&str, &str) = (ROW_LOCK, r#"lock = "version""#);
const QUANTITY: &str = "  quantity = \"qty\"\n";
const LIVE: &str = "live = \"status = 'open'\"\n";
const CURRENCY: &str = "  currency_code  = \"lower(currency)\"\n";

const fn plain(name: &'static str, config: &'static [(&'static str, &'static str)]) -> Kind {
    Kind {
        name,
        old: "",
        new: "",
        config,
    }
}

/// Each side's change of a quantity counts, which is the default.
pub const BOTH: Kind = plain("merge_both", &[VERSION]);
/// The same, with headers that no column guards.
pub const BOTH_BY_ROW: Kind = plain("merge_row", &[]);
/// The same for carts with much of everything.
pub const MANY: Kind = plain(
    "merge_many",
    &[
        VERSION,
        (
            "line = { product = \"product\", quantity = \"quantity\" }\n",
            "line = { product = \"product\", quantity = \"quantity\", max_quantity = 999 }\n",
        ),
    ],
);
pub const MAX: Kind = plain(
    "merge_max",
    &[
        VERSION,
        (
            QUANTITY,
            "  quantity = \"qty\"\n[merge]\nquantity = \"max\"\n",
        ),
    ],
);
pub const SUM: Kind = plain(
    "merge_sum",
    &[
        VERSION,
        (
            QUANTITY,
            "  quantity = \"qty\"\n[merge]\nquantity = \"sum\"\n",
        ),
    ],
);
pub const SOURCE: Kind = plain(
    "merge_source",
    &[
        VERSION,
        (
            QUANTITY,
            "  quantity = \"qty\"\n[merge]\nquantity = \"source\"\nfields = \"source\"\n",
        ),
    ],
);
pub const TARGET: Kind = plain(
    "merge_target",
    &[
        VERSION,
        (
            QUANTITY,
            "  quantity = \"qty\"\n[merge]\nquantity = \"target\"\nfields = \"target\"\n",
        ),
    ],
);
/// By the source's `changed` and the target's `updated_at`, with a currency that is the source's.
pub const LATEST: Kind = plain(
    "merge_latest",
    &[
        VERSION,
        (
            LIVE,
            "live = \"status = 'open'\"\nchanged_at = \"changed\"\n",
        ),
        (
            CURRENCY,
            "  currency_code  = { value = \"lower(currency)\", merge = \"source\" }\n  updated_at = \"changed\"\n",
        ),
        (
            QUANTITY,
            "  quantity = \"qty\"\n[merge]\nquantity = \"latest\"\n",
        ),
    ],
);
/// Lines stay where they are removed, and no more than nine of a product are merged.
pub const SOFT: Kind = Kind {
    name: "merge_soft",
    old: "",
    new: "ALTER TABLE cart_line ADD COLUMN removed_at timestamptz",
    config: &[
        VERSION,
        (
            "ended = { set = { completed_at = \"commit_time()\" } }\n",
            "ended = { set = { completed_at = \"commit_time()\" } }\n\
             deleted = { set = { deleted_at = \"commit_time()\" } }\n",
        ),
        (
            "line = { product = \"product\", quantity = \"quantity\" }\n",
            "line = { product = \"product\", quantity = \"quantity\", max_quantity = 9 }\n\
             deleted = { set = { removed_at = \"commit_time()\" } }\n",
        ),
    ],
};
