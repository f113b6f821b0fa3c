from django.apps import AppConfig

from webapp.operations.slow_queries import log_if_slow
from webapp.rankings.query_wrappers import wrap_queries


class OperationsConfig(AppConfig):
    name = "webapp.operations"
    label = "operations"

    def ready(self) -> None:
        wrap_queries(log_if_slow)
