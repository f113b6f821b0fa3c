#!/usr/bin/env python
"""Django's commands. What is wrong with the configuration is said in one sentence, with exit code 2; the database, 1."""

import os
import sys
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

NO_SUCH_TABLE, NOT_ALLOWED = "42P01", "42501"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as mistake:
        print(mistake, file=sys.stderr)
        sys.exit(2)
    except OperationalError as trouble:
        say(trouble)
    except ProgrammingError as trouble:
        if getattr(trouble.__cause__, "pgcode", None) not in (NO_SUCH_TABLE, NOT_ALLOWED):
            raise
        say(trouble)


def say(trouble: Exception) -> NoReturn:
    print(f"The database of DATABASE_URL does not do its part: {str(trouble).strip()}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
