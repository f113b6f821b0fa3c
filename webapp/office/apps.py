from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class OfficeConfig(AppConfig):
    name = "webapp.office"
    label = "office"


class OfficeAdminConfig(AdminConfig):
    """Django's admin app, with our site in the place of its own."""

    default_site = "webapp.office.site.OfficeSite"
