#!/usr/bin/env python
"""Django's commands. What is wrong with the configuration is said in one sentence, with exit code 2; the database, 1."""

import os
import sys
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

# What to do about it, by PostgreSQL's code.
ADVICE = {
    "42P01": "`python manage.py migrate` makes the tables",
    "42501": "the command is for the owner of the tables, or `database_roles` has not run since the last `migrate`",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as mistake:
        print(mistake, file=sys.stderr)
        sys.exit(2)
    except OperationalError as trouble:
        say(str(trouble).strip())
    except ProgrammingError as trouble:
        code = getattr(trouble.__cause__, "pgcode", None)
        if code not in ADVICE:
            raise
        say(f"{str(trouble).splitlines()[0]}; {ADVICE[code]}")


def say(trouble: str) -> NoReturn:
    print(f"The database of DATABASE_URL does not do its part: {trouble}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
