"""Records over several lines: RFC 4180 allows line breaks between quotes.

A file is read line by line unless some line leaves a quote open at its end. Such a file is read once more on the driver.
If a quote on a later line closes the field, all of these lines are one record. If none does, the quote is a stray one and
its line is a record by itself, like every other line.

Some programs, Spark's CSV writer among them, put a backslash before a quote instead of a second quote. Where RFC 4180 ends a
record that such a program would continue in the next line, the file is refused: nobody can tell which of the two is right.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import TextIO

from spark_jobs.raw.inputs import InputError

QUOTED = r'"(?:[^"]|"")*+"'
FIELD = rf'(?: *{QUOTED}[^,]*+|(?! *")[^,]*+)'
OPENS_BY_RFC_4180 = rf'^(?:{FIELD},)*+ *"(?:[^"]|"")*+$'
ESCAPED = r'(?:[^"\\]|\\.)*+'
"""Text inside quotes where backslashes escape quotes."""
OPENS_WITH_BACKSLASHES = rf'^(?:(?:"{ESCAPED}"(?=,)|(?!")[^,]*+),)*+"{ESCAPED}\\?$'
OPENS_QUOTE = f"{OPENS_BY_RFC_4180}|{OPENS_WITH_BACKSLASHES}"
"""A line that, read from its start in one of the two ways, ends inside quotes. Python and Java both understand it."""
OPENING = re.compile(OPENS_BY_RFC_4180, re.DOTALL)
OPENING_WITH_BACKSLASHES = re.compile(OPENS_WITH_BACKSLASHES, re.DOTALL)
CLOSING_WITH_BACKSLASHES = re.compile(rf'{ESCAPED}(?:(?P<quote>")(?P<end>,|$)?|\\?$)', re.DOTALL)
INSIDE = re.compile(r'(?:[^"]|"")*+', re.DOTALL)
AFTER_QUOTE = re.compile(r" *(?:,|$)")
LONGEST_LINE = 16 * 2**20
LONGEST_RECORD = 2**20
MOST_UNDECIDED = 64 * 2**20
"""Characters of lines with quotes that are kept until it is clear whether an earlier quote is a stray one."""
LINE_SEPARATOR = "\u2028"
"""Stands for a line break between quotes. It is not printable either, so an id that contains it is rejected."""


def read_lines(file: TextIO, path: str) -> Iterator[str]:
    """Return the lines of a file without their ends. Raises InputError for one that is too long."""
    for number in count(1):
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) == LONGEST_LINE:
            raise InputError(f"{path}: line {number} is longer than {LONGEST_LINE // 2**20} MiB")
        yield line.removesuffix("\n")


def find_records(lines: Iterable[str], path: str) -> dict[int, int]:
    """Return the records over several lines: the number of the first line of each and of its last, from 0."""
    records: dict[int, int] = {}
    waiting: deque[tuple[int, str]] = deque()
    numbered = iter(enumerate(lines))
    while True:
        number, line = waiting.popleft() if waiting else next(numbered, (-1, ""))
        if number < 0:
            return records
        if '"' in line and OPENING.match(line):
            last, others = _find_end(number, len(line), waiting, numbered, path)
            if last is None:
                waiting.extendleft(reversed(others))
            else:
                records[number] = last
        elif '\\"' in line and OPENING_WITH_BACKSLASHES.match(line):
            _refuse_backslashes(number, waiting, numbered, path)


def _refuse_backslashes(
    first: int, waiting: deque[tuple[int, str]], numbered: Iterator[tuple[int, str]], path: str
) -> None:
    """Raise InputError if the record that begins at line `first` goes on where backslashes escape quotes.

    Lines with quotes that it reads ahead are added to `waiting`.
    """
    undecided = 0
    for place in count():
        while len(waiting) <= place:
            number, line = next(numbered, (-1, ""))
            if number < 0:
                return
            if '"' in line:
                waiting.append((number, line))
        line = waiting[place][1]
        undecided += len(line)
        found = CLOSING_WITH_BACKSLASHES.match(line)
        is_closed = found is not None and found["end"] is not None
        if is_closed or undecided > MOST_UNDECIDED:
            raise InputError(
                f"{path}: line {first + 1} has a quote after a backslash and may go on in the next line; write such quotes "
                "twice, without backslashes"
            )
        if found is None or found["quote"]:
            return  # other text follows the quote, so the backslash was no escape


def _find_end(
    first: int, length: int, waiting: deque[tuple[int, str]], numbered: Iterator[tuple[int, str]], path: str
) -> tuple[int | None, list[tuple[int, str]]]:
    """Return the last line of the record that begins at line `first`; or None, and the lines with quotes read meanwhile."""
    others: list[tuple[int, str]] = []
    undecided = 0
    while True:
        number, line = waiting.popleft() if waiting else next(numbered, (-1, ""))
        if number < 0:
            return None, others
        length += len(line) + 1
        if '"' not in line:
            continue
        others.append((number, line))
        undecided += len(line)
        if undecided > MOST_UNDECIDED:
            raise InputError(f"{path}: the quote that line {first + 1} opens is not closed; correct the line")
        closing = INSIDE.match(line).end()  # type: ignore[union-attr]  # it matches an empty text, too
        if closing == len(line):
            continue
        rest = line[closing + 1 :]
        if not AFTER_QUOTE.match(rest):
            return None, others
        if OPENING.match(rest.lstrip(" ").removeprefix(",")):
            continue
        if length > LONGEST_RECORD:
            raise InputError(
                f"{path}: the record that begins on line {first + 1} is longer than {LONGEST_RECORD // 2**20} MiB; "
                "a quote may be missing there"
            )
        return number, others


def write_records(source: Path, target: Path, encoding: str, records: dict[int, int], path: str) -> None:
    """Write a UTF-8 copy of a file that has each record on one line."""
    with (
        _open_text(source, encoding) as file,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as copy,
    ):
        last = -1
        for number, line in enumerate(read_lines(file, path)):
            last = records.get(number, last)
            copy.write(line + (LINE_SEPARATOR if number < last else "\n"))


def find_records_in(source: Path, encoding: str, path: str) -> dict[int, int]:
    """Return what `find_records` finds in a file. Raises InputError if it is not in `encoding`."""
    try:
        with _open_text(source, encoding) as file:
            return find_records(read_lines(file, path), path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} begins like {encoding.upper()} and is not; save it as UTF-8") from error


def _open_text(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, errors="surrogateescape" if encoding == "utf-8" else "strict")
