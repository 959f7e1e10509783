"""Every fault that is tried: what happens then, in a sentence for the operator, and what proves it.

`python -m tests.faults.table` prints the README's section; `tests/faults/test_table.py` holds both
together.
"""

from __future__ import annotations

from dataclasses import dataclass

CLOUDFLARE, OURS, INTENT = "Cloudflare, or the way to it", "Our own parts", "Bad intent"


@dataclass(frozen=True)
class Fault:
    """`tests`: each a file in `tests/` and the name of a test in it."""

    group: str
    name: str
    then: str
    tests: tuple[str, ...]


CLIENT = "cloudflare/test_failures.py::"
PAGES = "cloudflare/test_paging.py::"
LISTS = "faults/test_lists.py::"
WHOLE = f"{LISTS}test_whatever_the_lists_answer_the_copy_is_whole_once_it_is_over"
STAYS = f"{LISTS}test_what_was_copied_stays_while_the_lists_are_wrong"
ANSWER = f"{CLIENT}test_every_answer_means_one_failure"
AGAIN = f"{CLIENT}test_a_read_that_fails_once_is_tried_again"
ONCE = f"{CLIENT}test_a_write_is_sent_once_whatever_happens"
SYNC = "sync/test_sync_account.py::"
PERFORM = "operations/test_perform.py::"
ANY_FAULT = (
    "operations/test_any_fault.py::test_each_ends_in_one_way_that_is_true_and_is_sent_to_once"
)
STORM = "faults/test_storms.py::test_after_any_storm_no_row_is_lost_and_no_action_doubled"
OUTAGES = "faults/test_outages.py::"
MANY = "distributed/test_many.py::"
HARD = "faults/test_hardening.py::"
SIZES = "faults/test_sizes.py::"


def fault(group: str, name: str, then: str, *tests: str) -> Fault:
    return Fault(group, name, then, tests)


FAULTS = (
    fault(CLOUDFLARE, "429 with `retry-after` in seconds",
          "Everything waits as long as it says; the pages say until when.",
          f"{CLIENT}test_a_rate_limit_says_how_long_to_wait",
          f"{SYNC}test_a_rate_limit_stops_the_sync_and_is_obeyed"),
    fault(CLOUDFLARE, "429 with `retry-after` as a date",
          "The same, measured by Cloudflare's own clock.",
          f"{CLIENT}test_a_retry_date_is_measured_by_the_servers_own_clock"),
    fault(CLOUDFLARE, "429 without `retry-after`",
          "The gate closes for a while for everybody; of an operation only that item fails.",
          f"{CLIENT}test_a_rate_limit_says_how_long_to_wait",
          "cloudflare/test_budget.py::test_a_429_closes_the_gate_for_everybody_until_then",
          "operations/test_bulk.py::test_a_refused_429_fails_and_is_not_sent_again"),
    fault(CLOUDFLARE, "500 with 10001",
          "A read is tried again; an action is not: the instance is watched.",
          ANSWER, AGAIN, ONCE, WHOLE, STORM),
    fault(CLOUDFLARE, "500 with 10001 and a complete result",
          "The result is kept, with a warning.",
          f"{CLIENT}"
          "test_a_complete_result_is_kept_with_a_warning_although_the_envelope_says_failed",
          WHOLE),
    fault(CLOUDFLARE, "502, 504 and 52x with HTML",
          "A short plain excerpt is shown; reads are tried again.",
          ANSWER, AGAIN, f"{CLIENT}test_an_excerpt_is_short_plain_text", WHOLE, STORM),
    fault(CLOUDFLARE, "A challenge page",
          "It is named as such and not tried again.",
          f"{CLIENT}test_a_challenge_page_has_its_own_sentence_and_is_not_tried_again", WHOLE),
    fault(CLOUDFLARE, "Slow headers",
          "After CLOUDFLARE_TIMEOUT it is given up; an action may have happened, and is watched.",
          f"{CLIENT}test_a_slow_answer_to_a_write_says_that_it_may_have_happened"),
    fault(CLOUDFLARE, "A slow body", "It is given up as well.",
          f"{CLIENT}test_a_body_that_drips_is_given_up"),
    fault(CLOUDFLARE, "JSON that is cut off",
          "A read is tried again; of an action it is not known, and it is watched.",
          f"{CLIENT}test_a_connection_that_breaks_is_unreachable", ANSWER, WHOLE, ANY_FAULT, STORM),
    fault(CLOUDFLARE, "A connection that is reset", "The same.",
          f"{CLIENT}test_a_connection_that_breaks_is_unreachable", ONCE, WHOLE, ANY_FAULT, STORM),
    fault(CLOUDFLARE, "A connection that is refused",
          "Lists answer from the copy with its age; actions say that nothing was sent.",
          f"{CLIENT}test_a_refused_connection_was_never_sent",
          f"{OUTAGES}test_without_cloudflare_the_copy_answers_with_its_age"),
    fault(CLOUDFLARE, "A name that does not resolve (DNS)", "The same.",
          f"{CLIENT}test_a_name_that_does_not_resolve_was_never_sent"),
    fault(CLOUDFLARE, "A wrong content type", "Good JSON is read all the same.",
          f"{CLIENT}test_a_wrong_content_type_does_not_hide_good_json", WHOLE),
    fault(CLOUDFLARE, "An empty 204", "An event was taken; anything else is unexpected, and said.",
          "cloudflare/test_operations.py::test_an_event_may_be_answered_with_nothing", ANSWER,
          WHOLE),
    fault(CLOUDFLARE, "`success: false` with 200", "It is a failure, never an empty list.",
          ANSWER, f"{PAGES}test_a_list_without_a_result_is_not_an_empty_list", WHOLE, STAYS),
    fault(CLOUDFLARE, "An unknown status", "It is kept and shown as it came.",
          f"{SYNC}test_an_unknown_status_is_kept_as_it_came", WHOLE, STAYS,
          "sync/test_leaving.py::"
          "test_a_status_that_we_do_not_know_is_asked_about_after_a_while_without_news"),
    fault(CLOUDFLARE, "An unknown type of step or trigger", "The same.",
          "cloudflare/test_parsing.py::test_unknown_words_are_kept_and_known_to_be_unknown",
          "views/instance/test_page.py::test_what_nobody_knows_is_shown_as_it_came", WHOLE),
    fault(CLOUDFLARE, "Extra and missing fields, nulls",
          "Gaps on the page, no error; nothing known is erased.",
          "cloudflare/test_parsing.py::test_parsing_never_raises_and_loses_nothing",
          "models/test_merging.py::test_nothing_known_is_erased_by_a_thin_answer",
          "views/instance/test_page.py::test_missing_facts_leave_gaps_not_errors", WHOLE),
    fault(CLOUDFLARE, "Rows that come twice while paging", "One row here, the later word counts.",
          "models/test_recording_pages.py::test_of_a_row_that_came_twice_the_later_one_counts",
          WHOLE),
    fault(CLOUDFLARE, "Rows that are skipped while paging",
          "Where Cloudflare counts more than is held, the whole list is read again, at most every "
          "6 hours.",
          WHOLE),
    fault(CLOUDFLARE, "A cursor that repeats or never ends",
          "The walk ends by itself; what it did not reach is read later.",
          f"{PAGES}test_a_missing_empty_or_repeated_cursor_ends_the_list",
          f"{PAGES}test_a_list_that_never_ends_is_left_when_it_repeats_itself", WHOLE),
    fault(CLOUDFLARE, "A cursor that expires", "The walk goes on at the date of its last row.",
          f"{PAGES}test_a_forgotten_cursor_says_to_begin_again",
          "sync/test_back_fill.py::test_a_forgotten_cursor_is_replaced_by_the_date", WHOLE),
    fault(CLOUDFLARE, "Clocks that differ by minutes",
          "Nothing is lost and nothing changes; ages are off by as much.",
          f"{LISTS}test_a_clock_of_ours_that_is_wrong_loses_and_changes_nothing"),
    fault(CLOUDFLARE, "404 for an instance that the list still shows",
          "It is marked as no longer there and kept; the list alone brings it back.",
          "models/test_recording.py::"
          "test_an_instance_that_is_gone_is_kept_but_not_one_that_is_too_new",
          f"{SYNC}test_an_instance_whose_retention_ended_is_marked_and_kept"),
    fault(CLOUDFLARE, "A list older than the instance itself",
          "What was read from the instance wins.",
          f"{SYNC}test_what_was_read_from_the_instance_wins_over_a_list_that_lags",
          "models/test_merging.py::"
          "test_a_list_row_older_than_the_detail_never_changes_the_status"),
    fault(CLOUDFLARE, "A restart between the list and the detail",
          "The new start is shown; what was before it is kept.",
          f"{LISTS}test_a_restart_between_the_list_and_the_detail_shows_the_new_start"),
    fault(CLOUDFLARE, "An id that is used again", "It is another generation of that id.",
          f"{SYNC}test_an_id_that_was_used_again_is_another_generation"),
    fault(CLOUDFLARE, "25,000 steps", "A page of less than a megabyte, steps in pages.",
          f"{SIZES}test_an_instance_of_25_000_steps_has_a_page"),
    fault(CLOUDFLARE, "A param of 10 MB", "Cut on the page, whole as a file.",
          f"{SIZES}test_a_param_of_10_megabytes_is_cut_on_the_page_and_whole_as_a_file"),
    fault(CLOUDFLARE, "A stream of 1 GiB",
          "It passes through; the web server stays as small as it was.",
          "start/test_streaming.py::"
          "test_a_gibibyte_passes_through_and_the_web_server_stays_as_small_as_it_was"),
    fault(CLOUDFLARE, "A token without a permission, or expired",
          "Nothing was done; the permission that is missing is named.",
          f"{CLIENT}test_a_refused_token_is_told_with_the_permission_it_needs",
          f"{PERFORM}test_a_missing_permission_is_said_and_settles_the_item"),
    fault(CLOUDFLARE, "A token that is revoked in the middle",
          "Sync stops and says so; with a new token it goes on where it stopped.",
          f"{LISTS}test_a_token_that_is_revoked_amid_a_sync_stops_it_and_a_new_one_goes_on"),
    fault(OURS, "A worker is killed in the middle of a page",
          "At most 30 s later another goes on there; nothing is lost.",
          "distributed/test_kills.py::test_after_twenty_kills_the_copy_equals_the_list_row_by_row",
          "sync/test_back_fill.py::test_twenty_kills_at_random_moments_lose_and_repeat_nothing"),
    fault(OURS, "A worker is killed in the middle of an operation on many",
          "Each instance is sent to once at most, and its end is what Cloudflare says.",
          "distributed/test_bulk_kills.py::"
          "test_an_operation_on_300_survives_three_killed_workers_and_failing_requests",
          "distributed/test_batch_kills.py::test_a_batch_survives_three_killed_workers", STORM),
    fault(OURS, "A worker is killed while it keeps a snapshot", "There is a whole one, or none.",
          "evidence/test_keeping.py::test_a_process_killed_in_the_middle_leaves_no_half_snapshot"),
    fault(OURS, "Two beats, or two workers on one workflow",
          "No work is done twice; the page of the sync says that one beat is too many.",
          f"{MANY}test_two_workers_and_two_beats_do_no_work_twice_and_lose_none",
          "views/test_sync.py::test_two_beats_are_one_too_many"),
    fault(OURS, "Redis is gone, and back",
          "Pages and actions go on within a small limit per process; sync stands still and the "
          "pages say so; then all goes on by itself.",
          f"{OUTAGES}test_without_redis_pages_answer_and_work_goes_on_once_it_is_back"),
    fault(OURS, "Redis is empty",
          "What is due is in the database; what was spent is learned again.",
          f"{MANY}"
          "test_when_redis_is_emptied_in_the_middle_all_goes_on_and_what_was_spent_is_known"),
    fault(OURS, "PostgreSQL is gone, and back",
          "A page with 503 says so; then all goes on by itself, operations too.",
          f"{OUTAGES}"
          "test_without_postgresql_there_is_a_clear_page_and_work_goes_on_once_it_is_back",
          "distributed/test_deploy.py::"
          "test_postgresql_gone_and_back_amid_an_operation_doubles_and_loses_nothing"),
    fault(OURS, "SQLite is locked", "After 20 s a page with 503; nothing was sent.",
          "faults/test_storage.py::test_an_action_that_cannot_be_written_down_is_not_sent",
          "faults/test_storage.py::test_a_sync_that_cannot_write_goes_on_where_it_stopped"),
    fault(OURS, "The disk is full", "A page with 503; nothing was sent, no row is lost.",
          "faults/test_storage.py::test_an_action_that_cannot_be_written_down_is_not_sent",
          "faults/test_storage.py::test_a_sync_that_cannot_write_goes_on_where_it_stopped"),
    fault(OURS, "A double click", "One operation, sent once.",
          f"{PERFORM}test_a_double_click_at_the_same_moment_sends_once", STORM),
    fault(OURS, "Two people, opposite actions", "Each is told what became of theirs.",
          "faults/test_people.py::"
          "test_of_two_people_with_opposite_actions_each_is_told_what_became_of_theirs"),
    fault(OURS, "An action on a page an hour old",
          "It is held to what is so now; where that forbids it, nothing was sent.",
          "faults/test_people.py::"
          "test_an_action_on_a_page_an_hour_old_is_held_to_what_is_so_now",
          f"{PERFORM}test_a_page_from_before_a_restart_cannot_restart_again"),
    fault(OURS, "An action whose answer was lost",
          "It is never sent again; the instance is watched until it shows what happened.",
          f"{PERFORM}test_an_answer_that_was_lost_is_cleared_up_by_looking_not_by_sending",
          ANY_FAULT, STORM),
    fault(OURS, "A deploy in the middle of an operation",
          "It goes on with the new processes; nothing is sent twice.",
          "distributed/test_deploy.py::test_a_deploy_amid_an_operation_doubles_and_loses_nothing"),
    fault(OURS, "The clock is moved",
          "Work may wait for as long as it was set back; nothing is lost or sent twice.",
          "cloudflare/test_budget.py::test_a_clock_that_was_set_back_costs_a_window_at_most",
          f"{LISTS}test_a_clock_that_is_set_in_the_middle_costs_time_and_no_row",
          "faults/test_people.py::"
          "test_a_clock_that_is_set_amid_an_operation_doubles_nothing_and_ends_it_truly", STORM),
    fault(INTENT, "Script in ids, names, params, outputs and errors", "It is text on every page.",
          "views/test_frame.py::test_markup_in_ids_names_and_errors_stays_text",
          "views/test_frame.py::"
          "test_every_answer_forbids_what_is_inline_and_contains_nothing_of_it",
          "views/instance/test_page.py::"
          "test_a_hostile_workflow_cannot_put_anything_into_the_page",
          "views/instance/test_step_output.py::test_a_hostile_value_stays_text"),
    fault(INTENT, "A form of another site (CSRF)", "403, by htmx or not, at every address.",
          f"{HARD}test_no_form_of_another_site_is_taken_by_any_address"),
    fault(INTENT, "A redirect to another site", "Every address leads to this one only.",
          f"{HARD}test_no_address_leads_to_another_site",
          "views/test_frame.py::test_it_never_leads_to_another_site"),
    fault(INTENT, "A base URL that leads inside",
          "Only Cloudflare, this machine and CLOUDFLARE_API_ALLOWED_HOSTS are asked.",
          f"{HARD}test_the_token_is_sent_to_nobody_who_was_not_allowed",
          "alerts/test_channels.py::test_where_clouds_keep_their_secrets_is_never_allowed"),
    fault(INTENT, "Path traversal in ids", "An id stays one part of the path.",
          f"{HARD}test_an_id_stays_an_id_whatever_path_it_tries_to_be",
          "cloudflare/test_operations.py::test_an_id_stays_one_part_of_the_path"),
    fault(INTENT, "Header injection", "Lines in ids, names and addresses reach no header.",
          f"{HARD}test_an_id_stays_an_id_whatever_path_it_tries_to_be",
          f"{HARD}test_no_address_leads_to_another_site",
          "views/instance/test_step_output.py::"
          "test_a_file_name_is_harmless_whatever_the_step_is_called"),
    fault(INTENT, "Formulas in CSV", "No spreadsheet takes a text for a formula.",
          "views/test_export.py::test_no_spreadsheet_takes_a_text_for_a_formula",
          "views/test_bulk.py::test_no_cell_is_a_formula"),
    fault(INTENT, "The token in logs, tracebacks, pages, task arguments",
          "It is in none of them, nor in the database.",
          "cloudflare/test_secrets_and_names.py::"
          "test_no_log_record_or_traceback_shows_the_token_or_a_query",
          "views/test_frame.py::test_a_token_never_stands_on_a_page",
          f"{OUTAGES}test_the_production_shape_goes_from_start_to_a_status_change"),
    fault(INTENT, "Every address as every role", "Who may not is told why, and nothing happens.",
          "views/test_access.py::test_the_table_has_every_route_once",
          "views/test_access.py::test_each_route_answers_as_the_table_says"),
    fault(INTENT, "Frames", "Nobody may frame a page.",
          f"{HARD}test_under_https_every_answer_says_so_and_nothing_may_frame_it"),
    fault(INTENT, "A session that was planted", "Signing in takes a new one.",
          f"{HARD}test_signing_in_takes_a_new_session_whatever_one_was_brought",
          "signing_in/test_passwords.py::test_a_session_is_another_one_after_signing_in"),
    fault(INTENT, "Guessing passwords",
          "After five attempts that failed nobody gets in by that name for five minutes.",
          "signing_in/test_passwords.py::"
          "test_after_five_attempts_that_failed_the_right_password_does_not_help_either",
          "signing_in/test_passwords.py::test_many_names_from_one_address_are_throttled_too",
          "management/test_createuser.py::test_a_password_that_anybody_guesses_is_refused"),
    fault(INTENT, "Bodies that are too large", "400 with a way on; nothing is begun.",
          f"{SIZES}test_more_than_is_taken_at_once_is_refused_with_a_way_on",
          f"{CLIENT}test_a_body_larger_than_the_bound_is_not_read_to_its_end"),
    fault(INTENT, "Asking for costly pages all the time",
          "429 with a time to come back, for that person alone.",
          "views/test_limits.py::test_after_so_many_in_a_minute_it_says_when_again"),
    fault(INTENT, "JSON that is too deep", "It is said, and comes back as it was typed.",
          f"{SIZES}test_json_that_is_too_deep_is_said_and_comes_back_as_it_was_typed",
          f"{SIZES}test_a_file_that_is_too_deep_is_refused_in_words", ANSWER),
)  # fmt: skip

#: Tests of which each case, and each example that hypothesis makes up, is an input that is wrong,
#: hostile, or anything at all.
BAD_INPUTS = (
    ANSWER,
    WHOLE,
    STAYS,
    f"{PAGES}test_any_list_ends",
    "cloudflare/test_parsing.py::test_parsing_never_raises_and_loses_nothing",
    "cloudflare/test_parsing.py::test_the_other_parsers_never_raise",
    "cloudflare/test_parsing.py::test_every_step_is_kept_at_its_place",
    "cloudflare/test_parsing.py::test_what_is_no_instant_is_none",
    "search/test_language.py::test_every_text_is_a_query_and_is_read_the_same_when_written_again",
    "search/test_values.py::test_any_other_text_is_a_value_error",
    "models/test_keyset.py::test_whatever_stands_in_an_address_is_a_cursor_or_a_bad_cursor",
    "models/test_recording.py::test_json_that_is_kept_holds_nothing_that_a_page_cannot_show",
    "models/test_recording.py::test_an_instance_is_held_whatever_its_list_row_says",
    "models/test_recording.py::test_a_detail_is_held_whole_whatever_it_says",
    "insight/test_timeline.py::test_any_detail_can_be_shown",
    "insight/test_graph.py::test_any_tree_is_read_and_well_drawn",
    "insight/test_graph.py::test_what_is_no_diagram_is_an_empty_one",
    "insight/test_durations.py::test_no_duration_raises",
    "forms/test_batch_rows.py::test_any_text_is_read_or_it_is_said_why_not",
    "forms/test_operation_forms.py::test_a_text_is_refused_or_it_can_be_sent",
    "forms/test_operation_forms.py::test_an_id_is_refused_or_one_that_cloudflare_takes",
    "forms/test_operation_forms.py::test_what_is_no_duration_is_no_retention",
    "forms/test_operation_forms.py::test_a_batch_is_refused_or_can_be_sent",
    "forms/test_since.py::test_anything_else_is_refused_in_a_sentence",
    "views/test_go.py::test_whatever_is_written_gets_a_page",
    "views/test_instances.py::test_what_no_search_can_be_is_a_400_with_a_sentence",
    "views/test_bulk.py::test_any_address_leads_to_a_page",
    f"{HARD}test_an_id_stays_an_id_whatever_path_it_tries_to_be",
    f"{HARD}test_no_address_leads_to_another_site",
    f"{HARD}test_the_token_is_sent_to_nobody_who_was_not_allowed",
    f"{HARD}test_no_form_of_another_site_is_taken_by_any_address",
    f"{SIZES}test_json_that_is_too_deep_is_said_and_comes_back_as_it_was_typed",
    f"{SIZES}test_a_file_that_is_too_deep_is_refused_in_words",
)


def markdown() -> str:
    """The README's section."""
    lines = ["## What happens when…", ""]
    lines += ["Each row is injected for real by a test: over a socket, or into a process.", ""]
    for group in (CLOUDFLARE, OURS, INTENT):
        lines += [f"| {group} | What happens |", "| --- | --- |"]
        lines += [f"| {row.name} | {row.then} |" for row in FAULTS if row.group == group]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
