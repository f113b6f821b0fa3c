"""The parser of request bodies: one small JSON object."""

import json
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from webapp.api.problems import BodyTooLarge, InvalidBody
from webapp.limits import MAX_BYTES


class SmallObjectParser(JSONParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        if int(parser_context["request"].META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
            raise BodyTooLarge(f"The body must not exceed {MAX_BYTES} bytes.")
        try:
            body = super().parse(stream, media_type, parser_context)
        except (ParseError, RecursionError):
            raise InvalidBody("The body is not valid JSON in UTF-8.") from None
        if not is_encodable(body):
            raise InvalidBody("The body contains a lone surrogate, which is not a character.")
        if not isinstance(body, dict):
            raise InvalidBody("The body must be a JSON object.")
        return body


def is_encodable(body: Any) -> bool:
    """Whether UTF-8 can encode every string of the body; JSON escapes allow lone surrogates, which it cannot."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
