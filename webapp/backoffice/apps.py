from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class BackofficeConfig(AppConfig):
    name = "webapp.backoffice"
    label = "backoffice"

    def ready(self) -> None:
        from webapp.backoffice.roles import grant_roles

        post_migrate.connect(grant_roles)


class BackofficeAdminConfig(AdminConfig):
    """Django's admin app with our site as the default."""

    default_site = "webapp.backoffice.site.BackofficeSite"
