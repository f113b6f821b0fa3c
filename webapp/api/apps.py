from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "webapp.api"
    label = "api"

    def ready(self) -> None:
        from webapp.api.openapi import extensions  # noqa: F401  # drf-spectacular registers extensions on import
