"""Plain values as text: days and ids. What does not parse is refused with a message for the person who sent it."""

import re
from datetime import date
from unicodedata import category

from webapp.limits import MAX_ID_LENGTH

# The general categories that ids do not contain: control and format characters, surrogates, private use, and separators
# but for the plain space. Unassigned code points pass, since the job's Unicode may be newer than ours.
NOT_IN_IDS = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}


def is_id(text: str) -> bool:
    """Whether the text is an id of an advertiser or product, by the rule of docs/input-files.md, which the job has too.

    Ids are compared as they are: whatever takes one must neither strip nor normalise it.
    """
    if not 1 <= len(text) <= MAX_ID_LENGTH or "\N{REPLACEMENT CHARACTER}" in text:
        return False
    return all(character == " " or category(character) not in NOT_IN_IDS for character in text)


def parse_day(text: str) -> date:
    """Parse YYYY-MM-DD in ASCII digits, the only ISO 8601 form accepted; ValueError carries the message."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # such as 2026-02-30
    raise ValueError(f"{shown(text)} is not a day; write it as YYYY-MM-DD.")


def shown(text: str) -> str:
    """Quote what was sent, cut to 40 characters."""
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def no_id(text: str) -> str:
    """The message for a text that is not an id."""
    return f"{shown(text)} is not a valid id; an id has 1 to {MAX_ID_LENGTH} printable characters."
