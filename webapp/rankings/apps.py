from django.apps import AppConfig

from webapp.rankings.query_wrappers import wrap_queries
from webapp.rankings.storable_text import refuse_unstorable


class RankingsConfig(AppConfig):
    name = "webapp.rankings"
    label = "rankings"
    verbose_name = "Rankings"

    def ready(self) -> None:
        wrap_queries(refuse_unstorable)
