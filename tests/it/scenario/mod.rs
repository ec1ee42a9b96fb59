//! Scenarios: each folder of `tests/scenarios` is one migration, played against real servers.
//!
//! | file | what it is |
//! | --- | --- |
//! | `source.sql` | the old shop's schema and its rows before cartage comes |
//! | `target.sql` | the new shop's schema |
//! | `cartage.toml` | the configuration; `{{name}}`, and each side's `{{source_kind}}` and `{{source_url}}`, are filled in |
//! | `workload.sql` | what the old shop does while the daemon runs and is killed |
//! | `workload/N-source*.sql`, `workload/N-target*.sql` | the same in stages: files of one number run at once, and between numbers all must have arrived |
//! | `workload/N-config.toml` | the configuration that the daemon is stopped for and started with at that stage |
//! | `oracle_source.sql`, `oracle_target.sql` | one query each; at the end their rows must be equal, in any order |
//! | `expect.toml` | what else is expected (see [`folder::Expect`]) |
//!
//! Both sides may be of Postgres or of MySQL (MariaDB, or what `CARTAGE_MYSQL_BIN` names). The folder
//! `mysql` of a scenario holds the files of the same names in MySQL's words: both schemas, and what else
//! the two kinds of server have no common words for. A side that a scenario cannot be on has no schema.
//! The old and the new shop's own sessions on MySQL read `||` and backslashes as Postgres does.
//!
//! A scenario `preset_x_to_y` without a `cartage.toml` plays the shipped `config/x-to-y.toml` (see
//! [`preset`]), and the line `-- platform NAME` of a schema stands for `tests/platforms/NAME.sql`.
//!
//! The oracle shares nothing with cartage's mapping. A new bug is a new folder. Kills come at
//! moments drawn from a seed, which is printed; `CARTAGE_SEED` replays it.

pub mod daemon;
pub mod folder;
pub mod pair;
pub mod play;
pub mod preset;
pub mod servers;
pub mod session;
pub mod settled;
pub mod shop;
pub mod size;
pub mod statements;

use std::collections::{BTreeMap, BTreeSet};

/// One test for each folder and pair of servers, and the list of them.
macro_rules! scenarios {
    ($($name:ident [$($pair:ident)*])*) => {
        $(mod $name {
            $(#[test] fn $pair() { super::play::play(stringify!($name), stringify!($pair)); })*
        })*
        const PLAYED: &[(&str, &[&str])] = &[$((stringify!($name), &[$(stringify!($pair)),*])),*];
    };
}

scenarios! {
    address_before_cart [pp pm mp mm]
    allocated_keys [pp mp]
    basic [pp pm mp mm]
    both_sides_write [pp pm mp mm]
    carts_without_header [pp pm mp mm]
    carts_without_header_finished [pp pm mp mm]
    carts_without_header_kept [pp pm mp mm]
    children_before_parent [pp pm mp mm]
    composite_keys [pp pm mp mm]
    details_by_parent [pp pm mp mm]
    guest_merge [pp pm mp mm]
    header_delete_cascade [pp pm mp mm]
    held_from_birth_under_a_new_mapping [pp pm mp mm]
    json_payload_columns [pp pm mp mm]
    key_beside_serial [pp pm mp mm]
    key_change [pp pm mp mm]
    keyed_ids_minor_units [pp pm mp mm]
    keys_in_several_spellings [pp pm mp mm]
    lanes_changed [pp pm mp mm]
    line_removed_while_away [pp pm mp mm]
    lines_grouped [pp pm mp mm]
    lines_linked_later [pp pm mp mm]
    live_false_and_true_again [pp pm mp mm]
    lock_counter [pp pm mp mm]
    lock_row [pp pm mp mm]
    lock_xmin [pp mp]
    lookups [pp pm mp mm]
    mapping_changed [pp pm mp mm]
    mass_touch_no_write [pp pm mp mm]
    merge_both [pp pm mp mm]
    merge_cap [pp pm mp mm]
    merge_duplicate_lines_fold [pp pm mp mm]
    merge_elements_and_groups [pp pm mp mm]
    merge_floor [pp pm mp mm]
    merge_latest [pp pm mp mm]
    merge_max [pp pm mp mm]
    merge_removed_versus_changed [pp pm mp mm]
    merge_source [pp pm mp mm]
    merge_sum [pp pm mp mm]
    merge_target [pp pm mp mm]
    move_between_carts [pp pm mp mm]
    new_backend_closed_is_late [pp pm mp mm]
    once_columns_and_generated [pp pm mp mm]
    one_row_of_two_carts [pp pm mp mm]
    one_source_table_into_two [pp pm mp mm]
    order_ends_cart [pp pm mp mm]
    partitioned_source [pp pm mp mm]
    payload_exploded [pp pm mp mm]
    payload_mapping_changed [pp pm mp mm]
    preset_magento2_to_medusa [mp]
    preset_opencart_to_saleor [mp]
    preset_prestashop_to_vendure [mp]
    preset_spree_to_saleor [pp]
    preset_woocommerce_to_medusa [mp]
    replaced_rows [pp pm mp mm]
    replica_identity_full [pp pm]
    row_of_a_finished_cart_is_held [pp pm mp mm]
    rows_move_past_a_finished_cart [pp pm mp mm]
    soft_delete_and_return [pp pm mp mm]
    toast_unchanged [pp pm]
    truncate [pp pm mp mm]
    types [pp]
    types_of_both [pp pm mp mm]
    unlogged_cascade [mp mm]
    value_maps [pp pm mp mm]
    vendure_line_before_its_order [pp]
}

#[test]
fn each_folder_is_played_where_it_can_be() {
    let names = folder::names().into_iter();
    let folders: BTreeMap<String, BTreeSet<String>> = names
        .map(|name| {
            let pairs = folder::pairs(&name);
            (name, pairs)
        })
        .collect();
    let played = PLAYED.iter().map(|(name, pairs)| {
        let pairs = pairs.iter().map(|pair| pair.to_string());
        (name.to_string(), pairs.collect())
    });
    let played: BTreeMap<String, BTreeSet<String>> = played.collect();
    assert_eq!(folders, played, "tests/scenarios and the list above differ");
}

/// The SQL of each scenario runs on either side of each kind, and its oracle tells an empty new shop
/// from a migrated one.
#[test]
fn each_oracle_can_fail() {
    for (name, pairs) in PLAYED {
        let mut sides = BTreeSet::new();
        // Two pairs have all sides.
        for pair in ["pp", "mm", "pm", "mp"] {
            let (source, target) = (("source", &pair[..1]), ("target", &pair[1..]));
            if pairs.contains(&pair) && sides.insert(source) | sides.insert(target) {
                play::rehearse(name, pair);
            }
        }
    }
}
