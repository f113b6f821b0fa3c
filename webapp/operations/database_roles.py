"""The rights of the two login roles. The owner of the tables runs migrations; the batch fills the rankings, the web app
reads them and writes its own tables."""

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

from webapp.curation.models import HiddenProduct
from webapp.keys.models import ApiKey
from webapp.rankings.models import RUN_TABLES, Advertiser, Rollback, Run

Rights = dict[str, str]
"""Privileges by table, as GRANT spells them. Identity columns need none on their sequences."""


def batch_rights() -> Rights:
    """The batch deletes the rows of failed runs, and after a dry run the run as well."""
    return {
        table_of(Run): "select, insert, update, delete",
        table_of(Advertiser): "select, insert, update",
        **{table_of(model): "select, insert, delete" for model in RUN_TABLES},
        table_of(HiddenProduct): "select",
    }


def web_rights() -> Rights:
    """Of the tables that the batch writes, the web app updates only the three columns that a rollback changes."""
    everything = apps.get_models(include_auto_created=True)
    own = [model for model in everything if model._meta.managed and not model._meta.proxy]
    return {
        **{table_of(model): "select, insert, update, delete" for model in own},
        **{table_of(model): "select" for model in RUN_TABLES},
        table_of(Run): "select, update (state, published_at)",
        table_of(Advertiser): "select, update (active)",
        table_of(Rollback): "select, insert",
        table_of(HiddenProduct): "select, insert, update",
        table_of(ApiKey): "select, insert, update",  # keys stay for the record
        table_of(MigrationRecorder.Migration): "select",  # /health/ready checks that all are applied
    }


def table_of(model: type) -> str:
    return model._meta.db_table  # type: ignore[attr-defined]
