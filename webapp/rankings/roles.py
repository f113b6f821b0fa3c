"""Who may do what in the database. The owner of the tables migrates; two login roles work with them, and may do no more
than their work: the batch fills the rankings, the web app reads them and keeps tables of its own."""

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

from webapp.curation.models import HiddenProduct
from webapp.rankings.models import RUN_TABLES, Advertiser, Rollback, Run

Rights = dict[str, str]
"""What may be done, by table, as GRANT spells it. Identity columns need no rights to their sequences."""


def batch_rights() -> Rights:
    """A failed run's rows are deleted, and after a dry run the run as well."""
    return {
        table_of(Run): "select, insert, update, delete",
        table_of(Advertiser): "select, insert, update",
        **{table_of(model): "select, insert, delete" for model in RUN_TABLES},
        table_of(HiddenProduct): "select",
    }


def web_rights() -> Rights:
    """A rollback changes the three columns named here; whatever else the batch writes is only read."""
    everything = apps.get_models(include_auto_created=True)
    own = [model for model in everything if model._meta.managed and not model._meta.proxy]
    return {
        **{table_of(model): "select, insert, update, delete" for model in own},
        **{table_of(model): "select" for model in RUN_TABLES},
        table_of(Run): "select, update (state, published_at)",
        table_of(Advertiser): "select, update (active)",
        table_of(Rollback): "select, insert",
        table_of(HiddenProduct): "select, insert, update",
        table_of(MigrationRecorder.Migration): "select",  # /health/ready asks whether all are applied
    }


def table_of(model: type) -> str:
    return model._meta.db_table  # type: ignore[attr-defined]
