"""Reports: one line of JSON for each run, or a table at a terminal."""

import json
from datetime import date

from spark_jobs.reports import Report, Reports

COUNTS = {"events": 118_982, "rejected": {"no_date": 546, "bad_product_id": 135}, "lists": 140}
ENDED = [
    Report(date(2026, 11, 20), 9, "published", COUNTS, 61.96),
    Report(date(2026, 11, 21), 10, "failed", {}, 2, "damaged"),
]


def test_reports_are_a_line_of_json_each_as_soon_as_a_run_ends(capsys):
    reports = Reports()
    reports.add(ENDED[0])
    printed = capsys.readouterr().out
    reports.print_table()

    assert json.loads(printed) == {
        "day": "2026-11-20",
        "run": 9,
        "state": "published",
        "counts": COUNTS,
        "seconds": 61.96,
    }
    assert capsys.readouterr().out == ""


def test_at_a_terminal_reports_are_a_table_at_the_end(capsys):
    reports = Reports(as_json=False)
    for each in ENDED:
        reports.add(each)
    assert capsys.readouterr().out == ""
    reports.print_table()

    assert capsys.readouterr().out.splitlines() == [
        "day         run  state       events  rejected  lists  seconds",
        "2026-11-20  9    published  118,982       681    140     62.0",
        "2026-11-21  10   failed                                   2.0",
    ]


def test_no_run_needs_no_table(capsys):
    Reports(as_json=False).print_table()

    assert capsys.readouterr().out == ""
