from typing import Any

from django.db import migrations

VIEWER = (
    "rankings.view_advertiser",
    "rankings.view_run",
    "rankings.view_topproduct",
    "rankings.view_topctr",
    "rankings.view_rollback",
    "curation.view_hiddenproduct",
)
OPERATOR = (
    *VIEWER,
    "curation.add_hiddenproduct",
    "curation.change_hiddenproduct",
    "rankings.add_rollback",
)
ADMINISTRATOR = (
    *OPERATOR,
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    "auth.delete_user",
    "auth.view_group",
    "keys.view_apikey",
    "keys.add_apikey",
    "keys.change_apikey",
    "axes.view_accessattempt",
    "axes.delete_accessattempt",
)
ROLES = {"viewer": VIEWER, "operator": OPERATOR, "administrator": ADMINISTRATOR}


def make_roles(apps: Any, schema_editor: Any) -> None:
    group, permission, content_type = (
        apps.get_model(name) for name in ("auth.Group", "auth.Permission", "contenttypes.ContentType")
    )
    for role, names in ROLES.items():
        granted = group.objects.get_or_create(name=role)[0].permissions
        for name in names:
            app, codename = name.split(".")
            action, model = codename.split("_")
            kind, _ = content_type.objects.get_or_create(app_label=app, model=model)
            label = {"name": f"Can {action} {model}"}
            granted.add(permission.objects.get_or_create(content_type=kind, codename=codename, defaults=label)[0])


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
