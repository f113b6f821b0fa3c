"""What a request brings along: a small JSON object, or a problem."""

import json
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from webapp.rankings.problems import BodyTooLarge, InvalidBody

MOST_BYTES = 64 * 1024  # 200 ids of 64 four-byte characters, written as they are, are 51 KB


class SmallObjectParser(JSONParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        if int(parser_context["request"].META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            raise BodyTooLarge(f"A body may have {MOST_BYTES} bytes at most.")
        try:
            body = super().parse(stream, media_type, parser_context)
        except (ParseError, RecursionError):
            raise InvalidBody("The body is not JSON in UTF-8.") from None
        if not is_text(body):
            raise InvalidBody("The body has half a character (a lone surrogate) in it.")
        if not isinstance(body, dict):
            raise InvalidBody("The body is JSON, but not an object.")
        return body


def is_text(body: Any) -> bool:
    """Tell whether all strings in the body can be written, which JSON's escapes do not see to."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
