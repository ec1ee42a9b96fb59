//! Settings that matter on either end.

use crate::check::report::{End, Report};

/// Bytes of a statement with a large cart: below it, they are written one by one.
const WRITES: u64 = 16 << 20;
/// The keys of a chunk of carts, which are read by one statement.
const READS: u64 = 1 << 20;

/// How long a statement of ours may be.
pub fn packet(end: End, bytes: Option<&str>, report: &mut Report) {
    let Some(bytes) = bytes.and_then(|bytes| bytes.parse::<u64>().ok()) else {
        return;
    };
    let (least, harm) = match end {
        End::Target => (
            WRITES,
            "a cart that is larger stops the daemon, and batches go in many small statements",
        ),
        _ => (
            READS,
            "the keys of a chunk of carts may not fit into a statement",
        ),
    };
    let message = match bytes >> 20 {
        0 => format!("max_allowed_packet is {} KiB", bytes >> 10),
        mib => format!("max_allowed_packet is {mib} MiB"),
    };
    match bytes < least {
        true => report.warn(
            "packet size",
            end,
            format!("{message}: {harm}; change it in the server's option file too"),
            Some(format!("SET GLOBAL max_allowed_packet = {}", WRITES << 2)),
        ),
        false => report.pass("packet size", end, message),
    }
}

/// Names in the configuration are exact, and a server that folds them keeps them in lower case.
pub fn names<'n>(
    end: End,
    setting: Option<&str>,
    names: impl Iterator<Item = &'n str>,
    report: &mut Report,
) {
    const CHECK: &str = "case of names";
    match setting {
        Some("1") => {
            let folded: Vec<&str> = names.filter(|n| n.to_lowercase() != *n).collect();
            if folded.is_empty() {
                let message = "names of tables are in lower case, as the server keeps them";
                return report.pass(CHECK, end, message);
            }
            for name in folded {
                let message = format!(
                    "lower_case_table_names is 1: the server keeps {name} as {}; write it so",
                    name.to_lowercase()
                );
                report.fail(CHECK, end, message, None);
            }
        }
        Some("2") => report.pass(CHECK, end, "names of tables are compared without case"),
        _ => report.pass(CHECK, end, "names of tables are exact"),
    }
}
