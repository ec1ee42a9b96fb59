//! Which tests must fail when an answer is taken out: one line for each mutant.

use cartage::switch::Mutant::{self, *};

/// Tests of `tests/it` by their full names.
#[rustfmt::skip]
pub const TABLE: &[(Mutant, &[&str])] = &[
    (ConfirmDelivered, &["protocol::confirmed::what_is_not_durable_is_not_confirmed"]),
    (ConfirmFurthest, &["protocol::confirmed::a_busy_lane_does_not_confirm_for_its_neighbour"]),
    (ConfirmKeepalive, &["protocol::confirmed::a_keepalive_confirms_nothing_that_is_in_flight"]),
    (IdleSilent, &["protocol::confirmed::the_log_of_others_is_let_go"]),
    (CheckpointFirst, &["protocol::batches::the_carts_that_fit_do_not_take_the_checkpoint_past_the_rest"]),
    (HoldForgets, &["protocol::batches::a_cart_that_does_not_fit_is_stored_with_the_checkpoint_that_passes_it"]),
    (SkipCommit, &["protocol::batches::changes_that_share_a_commit_are_told_apart_after_a_restart"]),
    (WishForgotten, &["protocol::batches::a_wish_outlives_the_daemon_that_had_it"]),
    (NoFence, &["protocol::overtaken::a_daemon_that_wakes_beside_its_successor_writes_nothing_more"]),
    (TakeBack, &["protocol::overtaken::a_daemon_that_wakes_beside_its_successor_writes_nothing_more"]),
    (SlotImpatient, &["protocol::overtaken::a_slot_that_a_dead_reader_holds_is_waited_for_and_its_process_named"]),
    (ReadAtOnce, &["protocol::unseen::a_change_let_go_is_not_lost_where_the_read_does_not_see_it", "protocol::unseen::an_opening_that_no_snapshot_sees_is_waited_for"]),
    (PassTail, &["protocol::unseen::a_restart_does_not_forget_a_change_that_no_snapshot_has_seen"]),
    (CloseAtOnce, &["protocol::windows::a_read_that_is_ahead_of_the_log_waits_for_it_and_is_written_once"]),
    (WindowLetsPass, &["protocol::windows::a_change_that_the_snapshot_does_not_see_is_put_on_top_of_the_read"]),
    (WindowUnbounded, &["protocol::windows::a_window_that_keeps_too_much_gives_up_its_changes"]),
    (AbandonForgets, &["protocol::windows::a_window_that_keeps_too_much_gives_up_its_changes"]),
    (LagUnbounded, &["protocol::windows::no_window_opens_while_the_log_is_too_far_behind"]),
    (MoveAlone, &["protocol::moves::a_move_into_an_open_window_takes_the_other_cart_along"]),
    (JoinedAsRead, &["protocol::moves::a_move_into_an_open_window_takes_the_other_cart_along"]),
    (MoveStays, &["protocol::moves::a_line_that_moves_leaves_its_former_cart"]),
    (NoMeeting, &["protocol::moves::a_move_between_lanes_is_known_to_both"]),
    (HeldAlone, &["protocol::moves::a_move_out_of_a_held_cart_is_held_and_released_with_it"]),
    (HeaderIsARow, &["protocol::moves::a_header_that_is_deleted_takes_lines_along_of_which_the_log_is_silent"]),
    (TruncatePasses, &["protocol::truncated::a_truncate_killed_halfway_goes_on"]),
    (TruncateAtOnce, &["protocol::truncated::a_cart_that_is_on_its_way_is_cleared_too"]),
    (TruncateUnkept, &["protocol::truncated::a_truncate_inside_a_window_is_kept_in_its_place"]),
    (LeavesUnwatched, &["protocol::truncated::a_leaf_that_is_truncated_is_noticed_while_the_daemon_runs", "protocol::truncated::a_leaf_that_is_detached_and_another_one_in_its_place_are_noticed_at_the_start"]),
    (TrustBirths, &["protocol::births::a_child_committed_before_its_header_is_not_lost", "protocol::births::a_child_logged_before_its_header_by_one_statement_is_not_lost", "protocol::births::a_header_made_again_under_its_key_finds_the_lines_that_stayed", "protocol::births::a_cart_that_becomes_live_is_read_whole"]),
    (ArrivalUnread, &["protocol::births::a_line_from_a_cart_that_is_not_live_brings_its_options"]),
    (NobodyUnread, &["protocol::births::a_line_that_belonged_to_nobody_brings_its_options"]),
    (OwnersUnasked, &["protocol::births::an_answer_about_today_does_not_route_yesterday"]),
    (ToastIsNull, &["protocol::images::a_large_value_that_did_not_change_stays"]),
    (UnsentIsNull, &["protocol::images::a_null_in_the_tuple_of_an_old_key_is_no_value"]),
    (GhostsForgotten, &["protocol::images::a_removed_line_that_returns_takes_its_row_over", "protocol::images::an_ended_cart_that_was_kept_comes_back_as_the_difference"]),
    (GhostsUnbounded, &["protocol::images::what_is_remembered_of_removed_lines_is_bounded"]),
    (SaveStamps, &["protocol::stamps::folded_and_replayed_changes_keep_their_commit_times"]),
    (ReadStamps, &["protocol::stamps::folded_and_replayed_changes_keep_their_commit_times"]),
    (StampNow, &["protocol::stamps::folded_and_replayed_changes_keep_their_commit_times"]),
    (ChangedAtUnread, &["protocol::stamps::an_end_that_a_read_finds_is_dated_by_the_cart_itself"]),
    (MappingUnwalked, &["protocol::remapped::a_changed_mapping_killed_halfway_goes_on"]),
    (SlotAheadUnseen, &["setup::a_slot_that_was_dropped_or_made_anew_stops_and_setup_starts_over"]),
    (AnyCluster, &["setup::another_cluster_and_an_earlier_timeline_are_not_the_source"]),
    (NarrowPublication, &["setup::a_table_dropped_from_the_publication_stops_and_setup_mends_it"]),
];

/// Tests that have nothing to do with any of these answers: they stay green under every mutant.
pub const UNRELATED: &[&str] = &[
    "commands::preview_shows_both_sides_before_anything_moved",
    "commands::status_tells_of_a_pipeline_with_and_without_its_source",
    "setup::the_catalog_is_read_as_it_is",
];
