"""Makes the login roles of batch and web, or brings their rights up to date; run it after every `migrate`."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Composable, Identifier

from webapp.rankings import roles

MAY_TOO_MUCH = """
    select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
           or pg_has_role(rolname, current_user, 'member')
    from pg_roles where rolname = %s
"""


class Command(BaseCommand):
    help = (
        "Makes the login roles of batch and web in the database of DATABASE_URL, whose owner (with CREATEROLE) that URL "
        "must name, and grants each what its work needs and no more. Passwords come from BATCH_PASSWORD and "
        "WEB_PASSWORD; a role that is there keeps its own where the variable is not set. Run it after every migrate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", default="vitrina_batch", metavar="ROLE", help="the batch's (vitrina_batch)")
        parser.add_argument("--web", default="vitrina_web", metavar="ROLE", help="the web app's (vitrina_web)")

    @transaction.atomic
    def handle(self, *, batch: str, web: str, **options: Any) -> None:
        if batch == web:
            raise CommandError("--batch and --web must be two roles.")
        self.make(batch, os.environ.get("BATCH_PASSWORD"), "BATCH_PASSWORD")
        self.make(web, os.environ.get("WEB_PASSWORD"), "WEB_PASSWORD")
        self.close(batch, web)
        self.grant(batch, roles.batch_rights())
        self.grant(web, roles.web_rights())
        self.stdout.write(f"{batch} and {web} may do their work in {connection.settings_dict['NAME']}, and no more.")

    def make(self, role: str, password: str | None, variable: str) -> None:
        """Make the role, or give it the password of the variable; it reaches the server hashed, and so no log of it."""
        with connection.cursor() as cursor:
            cursor.execute(MAY_TOO_MUCH, [role])
            found = cursor.fetchone()
        if found and found[0]:
            raise CommandError(f"The role {role} is there already and may do too much; choose another name.")
        if not (found or password):
            raise CommandError(f"{variable} is not set: the role {role} is not there yet, and needs a password.")
        verb = "alter" if found else "create"
        if password:
            hashed = encrypt_password(password, role, connection.connection, "scram-sha-256")
            self.perform(f"{verb} role {{}} login password %s", role, values=[hashed])

    def close(self, *all_roles: str) -> None:
        """Take back what everybody may do by default, and what the roles were granted before."""
        database, schema = self.database_and_schema()
        self.perform("revoke connect, temporary on database {} from public", database)
        self.perform("revoke create on schema {} from public", schema)
        for role in all_roles:
            self.perform("revoke all on all tables in schema {} from {}", schema, role)
            self.perform("revoke all on all sequences in schema {} from {}", schema, role)
            self.perform("revoke all on schema {} from {}", schema, role)
            self.perform("revoke all on database {} from {}", database, role)
            self.perform("grant connect on database {} to {}", database, role)
            self.perform("grant usage on schema {} to {}", schema, role)

    def grant(self, role: str, rights: roles.Rights) -> None:
        for table, what in rights.items():
            self.perform(f"grant {what} on {{}} to {{}}", table, role)

    def database_and_schema(self) -> tuple[str, str]:
        with connection.cursor() as cursor:
            cursor.execute("select current_database(), current_schema()")
            return cursor.fetchone()

    def perform(self, statement: str, *names: str, values: list[str] | None = None) -> None:
        """Execute a statement, its names in the place of the braces."""
        composed: Composable = SQL(statement).format(*map(Identifier, names))
        with connection.cursor() as cursor:
            cursor.execute(composed, values)
