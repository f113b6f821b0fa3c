from django.apps import AppConfig


class OpenApiConfig(AppConfig):
    name = "webapp.openapi"
    label = "openapi"

    def ready(self) -> None:
        from webapp.openapi import extensions  # noqa: F401  # drf-spectacular knows what was imported
