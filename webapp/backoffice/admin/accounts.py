"""Staff accounts: who may log in, and who may give which rights."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField, Model, ProtectedError
from django.db.models.signals import pre_delete
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from webapp.backoffice.roles import role_permissions


class StaffAdmin(UserAdmin):
    """Accounts. Administrators give roles, and nothing else.

    Only superusers manage superusers, and accounts with a permission or group besides the roles: setting the password
    of an account gives its rights. An account that has done something in the admin cannot be deleted, only deactivated.
    """

    filter_horizontal = ()  # the roles are three checkboxes

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        times = ("last_login", "date_joined")
        return times if request.user.is_superuser else (*times, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_manage(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_manage(request, obj) and super().has_delete_permission(request, obj)

    def may_manage(self, request: HttpRequest, account: Model | None) -> bool:
        if request.user.is_superuser or not isinstance(account, User):
            return True
        other_groups = account.groups.exclude(name__in=role_permissions())
        return not (account.is_superuser or account.user_permissions.exists() or other_groups.exists())

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxSelectMultiple
            if not request.user.is_superuser:
                kwargs["queryset"] = Group.objects.filter(name__in=role_permissions())
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        protected = [
            *protected,
            *(f"the history of “{account}” in the admin" for account in objs if has_history(account)),
        ]
        if protected:
            self.message_user(request, "Deactivate the account instead: clear “Active” on its page.", messages.WARNING)
        return to_delete, counts, perms_needed, protected


class PlainGroupAdmin(GroupAdmin):
    filter_horizontal = ()  # screen readers can use the plain list


def has_history(account: User) -> bool:
    return account.logentry_set.exists()


def protect_history(sender: type[User], instance: User, **_: Any) -> None:
    """Before an account is deleted: refuse it, if Django would delete the log of what its owner did along with it."""
    if has_history(instance):
        raise ProtectedError(f"“{instance}” has a history in the admin; deactivate the account instead.", {instance})


pre_delete.connect(protect_history, sender=User)

admin.site.unregister([User, Group])
admin.site.register(User, StaffAdmin)
admin.site.register(Group, PlainGroupAdmin)
