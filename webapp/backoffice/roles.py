"""The staff roles: groups whose permissions follow from the models that the admin shows.

Each role may do everything that the one before may. Every `migrate` brings the groups up to date, so a new model needs
nothing here. Permissions that a superuser added to a group by hand stay.
"""

from typing import Any

from axes.models import AccessAttempt
from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, User
from django.db.models import Model

from webapp.curation.models import HiddenProduct
from webapp.keys.models import ApiKey
from webapp.rankings.models import Rollback

VIEWED_APPS = {"rankings", "curation"}

Permission = tuple[str, str]  # app label and codename


def role_permissions() -> dict[str, set[Permission]]:
    """The permissions of each role, by its name."""
    registered = (model for model in installed_apps.get_models() if admin.site.is_registered(model))
    viewed = (model for model in registered if model._meta.app_label in VIEWED_APPS)
    viewer = {permission for model in viewed for permission in permissions(model, "view")}
    operator = viewer | permissions(HiddenProduct, "add", "change") | permissions(Rollback, "add")
    administrator = (
        operator
        | permissions(User, "view", "add", "change", "delete")
        | permissions(Group, "view")
        | permissions(ApiKey, "view", "add", "change")
        | permissions(AccessAttempt, "view", "delete")  # deleting an attempt ends a lockout
    )
    return {"viewer": viewer, "operator": operator, "administrator": administrator}


def permissions(model: type[Model], *actions: str) -> set[Permission]:
    return {(model._meta.app_label, get_permission_codename(action, model._meta)) for action in actions}


def grant_roles(sender: AppConfig, using: str, apps: Apps = installed_apps, **_: Any) -> None:
    """After `migrate`: give each role its permissions on the models of the sender."""
    # Django's own handler of this signal may run later. It skips the permissions that exist.
    create_permissions(sender, verbosity=0, using=using, apps=apps)
    try:
        groups = apps.get_model("auth.Group").objects.using(using)
        existing = apps.get_model("auth.Permission").objects.using(using)
    except LookupError:
        return  # `migrate APP` can stop before these tables exist
    for role, granted in role_permissions().items():
        codenames = [codename for app_label, codename in granted if app_label == sender.label]
        of_sender = existing.filter(content_type__app_label=sender.label, codename__in=codenames)
        groups.get_or_create(name=role)[0].permissions.add(*of_sender)
