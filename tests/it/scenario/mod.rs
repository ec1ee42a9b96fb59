//! Scenarios: each folder of `tests/scenarios` is one migration, played against real servers.
//!
//! | file | what it is |
//! | --- | --- |
//! | `source.sql` | the old shop's schema and its rows before cartage comes |
//! | `target.sql` | the new shop's schema |
//! | `cartage.toml` | the configuration; `{{name}}`, `{{source_url}}`, `{{target_url}}` are filled in |
//! | `workload.sql` | what the old shop does while the daemon runs and is killed |
//! | `workload/N-source*.sql`, `workload/N-target*.sql` | the same in stages: files of one number run at once, and between numbers all must have arrived |
//! | `workload/N-config.toml` | the configuration that the daemon is stopped for and started with at that stage |
//! | `oracle_source.sql`, `oracle_target.sql` | one query each; at the end their rows must be equal, in any order |
//! | `expect.toml` | what else is expected (see [`folder::Expect`]) |
//!
//! The oracle shares nothing with cartage's mapping. A new bug is a new folder. Kills come at
//! moments drawn from a seed, which is printed; `CARTAGE_SEED` replays it.

pub mod daemon;
pub mod folder;
pub mod play;
pub mod servers;
pub mod settled;
pub mod size;
pub mod statements;

use std::collections::BTreeSet;

/// One test for each folder, and the list of them.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(#[test] fn $name() { play::play(stringify!($name)); })*
        const PLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    basic
    composite_keys
    details_by_parent
    guest_merge
    header_delete_cascade
    held_from_birth_under_a_new_mapping
    json_payload_columns
    key_change
    keyed_ids_minor_units
    keys_in_several_spellings
    line_removed_while_away
    lanes_changed
    live_false_and_true_again
    lock_counter
    lock_row
    lock_xmin
    mapping_changed
    mass_touch_no_write
    move_between_carts
    new_backend_closed_is_late
    new_backend_edit_is_held
    once_columns_and_generated
    one_row_of_two_carts
    one_source_table_into_two
    partitioned_source
    replica_identity_full
    row_of_a_finished_cart_is_held
    rows_move_past_a_finished_cart
    soft_delete_and_return
    toast_unchanged
    truncate
    types
}

#[test]
fn each_folder_is_played() {
    let folders: BTreeSet<String> = folder::names().into_iter().collect();
    let played: BTreeSet<String> = PLAYED.iter().map(|n| n.to_string()).collect();
    assert_eq!(folders, played, "tests/scenarios and the list above differ");
}

/// The SQL of each scenario runs, and its oracle tells an empty new shop from a migrated one.
#[test]
fn each_oracle_can_fail() {
    for name in PLAYED {
        play::rehearse(name);
    }
}
