from django.apps import AppConfig


class RankingsConfig(AppConfig):
    name = "webapp.rankings"
    label = "rankings"
    verbose_name = "Rankings"
