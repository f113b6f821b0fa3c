from django.apps import AppConfig
from django.db.backends.signals import connection_created

from webapp.operations.slow_queries import watch


class OperationsConfig(AppConfig):
    name = "webapp.operations"
    label = "operations"

    def ready(self) -> None:
        connection_created.connect(watch)
