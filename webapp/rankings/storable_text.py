"""Refuses text that PostgreSQL cannot store, wherever a client sends it: in a form, a cookie, a path or a query."""

from typing import Any

from django.core.exceptions import BadRequest
from django.db import DataError
from psycopg2.errorcodes import CHARACTER_NOT_IN_REPERTOIRE, STRING_DATA_RIGHT_TRUNCATION, UNTRANSLATABLE_CHARACTER

from webapp.rankings.query_wrappers import Execute

UNSTORABLE = {CHARACTER_NOT_IN_REPERTOIRE, STRING_DATA_RIGHT_TRUNCATION, UNTRANSLATABLE_CHARACTER}


def refuse_unstorable(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """BadRequest for NUL characters, lone surrogates, and text that is longer than its column."""
    try:
        return execute(sql, params, many, context)
    except UnicodeEncodeError:
        raise BadRequest("The request contains a lone surrogate, which is not a character.") from None
    except ValueError as error:
        if "NUL" in str(error):
            raise BadRequest("The request contains a NUL character.") from None
        raise
    except DataError as error:
        if getattr(error.__cause__, "pgcode", None) in UNSTORABLE:
            raise BadRequest("The request contains text that cannot be stored.") from None
        raise
