#!/usr/bin/env python
"""Django's commands. Configuration errors end with one line and exit code 2, database errors with one line and 1."""

import os
import sys
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError
from django.db.migrations.exceptions import MigrationSchemaMissing

# How to fix an error, by PostgreSQL's error code.
FIXES = {
    "42P01": "run `python manage.py migrate` to create the tables",
    "42501": "run the command as the owner of the tables, or run `database_roles` again after `migrate`",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except OperationalError as error:
        exit_with_database_error(str(error).strip())
    except MigrationSchemaMissing:
        exit_with_database_error("no schema of the search_path exists; create the schema, then run migrate again")
    except ProgrammingError as error:
        code = getattr(error.__cause__, "pgcode", None)
        if code not in FIXES:
            raise
        exit_with_database_error(f"{str(error).splitlines()[0]}; {FIXES[code]}")


def exit_with_database_error(message: str) -> NoReturn:
    print(f"Database error (DATABASE_URL): {message}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
