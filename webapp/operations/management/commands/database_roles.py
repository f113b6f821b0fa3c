import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Composable, Identifier

from webapp.operations import database_roles as roles
from webapp.rankings.models import Run

IS_PRIVILEGED = """
    select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
           or pg_has_role(rolname, current_user, 'member')
    from pg_roles where rolname = %s
"""
SCHEMA = """
    select current_database(), nspname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = %s::regclass
"""


class Command(BaseCommand):
    help = (
        "Create the login roles of the batch and the web app, and grant each the rights it needs. Run it after every "
        "migrate, as the owner of the tables (with CREATEROLE). Passwords come from BATCH_PASSWORD and WEB_PASSWORD; an "
        "existing role keeps its password if the variable is not set."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch", default="vitrina_batch", metavar="ROLE", help="the batch's role (default: vitrina_batch)"
        )
        parser.add_argument(
            "--web", default="vitrina_web", metavar="ROLE", help="the web app's role (default: vitrina_web)"
        )

    @transaction.atomic
    def handle(self, *, batch: str, web: str, **options: Any) -> None:
        if batch == web:
            raise CommandError("--batch and --web must be different roles.")
        self.create_or_update(batch, os.environ.get("BATCH_PASSWORD"), "BATCH_PASSWORD")
        self.create_or_update(web, os.environ.get("WEB_PASSWORD"), "WEB_PASSWORD")
        database, schema = self.database_and_schema()
        for role in (batch, web):
            self.revoke_all(role, database, schema)
            self.find_tables(role, database, schema)
        self.grant(batch, roles.batch_rights())
        self.grant(web, roles.web_rights())
        self.stdout.write(f"{batch} and {web} have the rights they need in {connection.settings_dict['NAME']}.")

    def create_or_update(self, role: str, password: str | None, variable: str) -> None:
        """Create the role, or change its password. Only a hash is sent, so that no server log holds the password."""
        with connection.cursor() as cursor:
            cursor.execute(IS_PRIVILEGED, [role])
            found = cursor.fetchone()
        if found and found[0]:
            raise CommandError(
                f"The role {role} already exists and has more rights than it should; choose another name."
            )
        if not (found or password):
            raise CommandError(f"{variable} is not set; the new role {role} needs a password.")
        verb = "alter" if found else "create"
        if password:
            hashed = encrypt_password(password, role, connection.connection, "scram-sha-256")
            self.execute_sql(f"{verb} role {{}} login password %s", role, values=[hashed])

    def revoke_all(self, role: str, database: str, schema: str) -> None:
        """Revoke PostgreSQL's default rights for everybody, and whatever the role was granted before."""
        self.execute_sql("revoke connect, temporary on database {} from public", database)
        self.execute_sql("revoke create on schema {} from public", schema)
        self.execute_sql("revoke all on all tables in schema {} from {}", schema, role)
        self.execute_sql("revoke all on all sequences in schema {} from {}", schema, role)
        self.execute_sql("revoke all on schema {} from {}", schema, role)
        self.execute_sql("revoke all on database {} from {}", database, role)
        self.execute_sql("grant connect on database {} to {}", database, role)
        self.execute_sql("grant usage on schema {} to {}", schema, role)

    def find_tables(self, role: str, database: str, schema: str) -> None:
        """Let the role find tables that are not in PostgreSQL's usual schema, however the owner finds them."""
        if schema != "public":
            self.execute_sql("alter role {} in database {} set search_path to {}", role, database, schema)

    def grant(self, role: str, rights: roles.Rights) -> None:
        for table, privileges in rights.items():
            self.execute_sql(f"grant {privileges} on {{}} to {{}}", table, role)

    def database_and_schema(self) -> tuple[str, str]:
        """The names of the database, and of the schema that has the tables."""
        with connection.cursor() as cursor:
            cursor.execute(SCHEMA, [roles.table_of(Run)])
            return cursor.fetchone()

    def execute_sql(self, statement: str, *names: str, values: list[str] | None = None) -> None:
        """Execute a statement with the quoted names in place of the braces."""
        composed: Composable = SQL(statement).format(*map(Identifier, names))
        with connection.cursor() as cursor:
            cursor.execute(composed, values)
