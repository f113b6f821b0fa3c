from typing import Any

from django.db import migrations

from webapp.curation.roles import ROLES, grant


def make_roles(apps: Any, schema_editor: Any) -> None:
    grant(apps, ROLES)


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        # Nothing to undo: a group that people were given stays.
        migrations.RunPython(make_roles, migrations.RunPython.noop),
    ]
