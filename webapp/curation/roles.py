"""The three roles of staff, each with all that the one before may do. A migration makes them groups."""

from typing import Any

from django.apps.registry import Apps

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
    "axes.delete_accessattempt",  # lets somebody try again at once
)
ROLES = {"viewer": VIEWER, "operator": OPERATOR, "administrator": ADMINISTRATOR}


def grant(apps: Apps, roles: dict[str, tuple[str, ...]]) -> None:
    """Give each role, by name, those permissions (`app.action_model`) besides what it has; make what is not there.

    For migrations, which run before Django adds the rows of permissions, and before the models of some apps are made.
    """
    group, permission, content_type = (
        apps.get_model(name) for name in ("auth.Group", "auth.Permission", "contenttypes.ContentType")
    )
    for role, names in roles.items():
        granted = group.objects.get_or_create(name=role)[0].permissions
        for name in names:
            granted.add(_permission(permission, content_type, *name.split(".")))


def _permission(permission: Any, content_type: Any, app: str, codename: str) -> Any:
    action, model = codename.split("_")
    kind, _ = content_type.objects.get_or_create(app_label=app, model=model)
    words = {"name": f"Can {action} {model}"}
    return permission.objects.get_or_create(content_type=kind, codename=codename, defaults=words)[0]
