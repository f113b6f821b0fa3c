"""Records over several lines are found like a CSV parser finds them, and stray quotes change nothing else."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.failures import clean_text
from spark_jobs.raw import records
from spark_jobs.raw.inputs import InputError
from spark_jobs.raw.records import find_records, read_lines

fields = st.text('ab", \n') | st.sampled_from(["", '"', '""', "\n", '"\n"', ",\n,"])


@given(
    rows=st.lists(st.lists(fields, min_size=1, max_size=4), max_size=8),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_each_record_of_a_valid_file_is_found(rows, quoting):
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows(rows)
    lines = text.getvalue().split("\n")[:-1]
    found = find_records(lines, "f")

    written, first = [], 0
    while first < len(lines):
        last = found.get(first, first)
        written.append(next(csv.reader(["\n".join(lines[first : last + 1])])))
        first = last + 1
    assert written == rows


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (['a,"p,x', "b,q,x", "c,r,x"], {}),
        (['a,"p,x', 'b,"q,x', 'c,"r"y,x'], {}),
        (['a,"p,x', 'b,"",x', 'c,"q', 'r",x'], {2: 3}),
        (['a,5" screen', "b,q"], {}),
        (['a,5" screen,"x', 'y"', "b"], {0: 1}),
        (['a, "x', 'y" ,z'], {0: 1}),
        (['a,"x', 'y","z', 'u"', "b"], {0: 2}),
    ],
    ids=[
        "never closed",
        "closed before other text",
        "a stray quote before a record",
        "in a field",
        "after one",
        "spaces",
        "twice",
    ],
)
def test_a_quote_that_no_field_end_follows_is_a_stray_one(lines, found):
    assert find_records(lines, "f") == found


@pytest.mark.parametrize("title", [' " ', '",', '"\n"', "\\", '\\"'])
def test_a_record_that_goes_on_only_where_backslashes_escape_quotes_is_refused(title):
    text = io.StringIO()
    writer = csv.writer(text, doublequote=False, escapechar="\\", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["a", f'"{title}\nb,forged,now'])

    with pytest.raises(InputError, match=r"^f: line 2 has a quote after a backslash"):
        find_records(["h", *text.getvalue().split("\n")[:-1], "c"], "f")


@pytest.mark.parametrize(
    "lines",
    [
        [r'"C:\"', r'"D:\"'],
        [r'a,"C:\"', 'b,""', "c"],
        [r'a,"5\" x"', "b"],
        [r'"a","C:\"', '"b","c"'],
        [r'a,"C:\"'],
    ],
)
def test_a_backslash_before_the_end_of_a_field_changes_nothing(lines):
    assert find_records(lines, "f") == {}


def test_a_record_that_is_too_long_is_refused_with_its_line():
    with pytest.raises(InputError, match=r"^f: the record that begins on line 2 is longer than 1 MiB"):
        find_records(["h", 'a,"x', *["y" * 1000] * 1100, 'z"'], "f")


def test_a_stray_quote_does_not_keep_a_long_file_in_memory(monkeypatch):
    monkeypatch.setattr(records, "MOST_UNDECIDED", 1000)

    assert find_records(['a,"x', *["b,y"] * 100_000], "f") == {}
    with pytest.raises(InputError, match="the quote that line 1 opens is not closed"):
        find_records(['a,"x', *['b,""'] * 1000], "f")


def test_a_line_that_is_too_long_is_refused_with_its_number(monkeypatch):
    monkeypatch.setattr(records, "LONGEST_LINE", 100)

    with pytest.raises(InputError, match=r"^f: line 2 is longer"):
        list(read_lines(io.StringIO("a\n" + "b" * 100), "f"))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b\n", r"a\x00b\n"),
        ("a\udcffb", r"a\udcffb"),
        ("\x1b[31mred\u2028", r"\x1b[31mred\u2028"),
        ("ñandú 漢 😀", "ñandú 漢 😀"),
        ("x" * 5000, "x" * 1999 + "…"),
    ],
)
def test_text_from_outside_fits_into_one_line_of_a_log_and_into_postgresql(text, clean):
    assert clean_text(text) == clean
    assert clean_text(text).encode()
