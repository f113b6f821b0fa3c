"""Batch and web never import each other; here they are compared on what both must know."""

import re
import sys
from unicodedata import category

import pytest
from django.conf import settings

from spark_jobs.advertiser_counts import PRODUCT_NUMBERS
from spark_jobs.ranking.model import LONGEST_LIST
from spark_jobs.ranking.registry import MODELS, WINDOW_TABLES
from spark_jobs.ranking.windows import WINDOWS
from spark_jobs.raw import validate
from spark_jobs.settings import lookback_from
from spark_jobs.warehouse import LOCK_CLASS, RUN_TABLES
from spark_jobs.warehouse.locks import PUBLISHING
from webapp.limits import MAX_ID_LENGTH
from webapp.operations import locks
from webapp.rankings import models
from webapp.rankings.values import is_id


def tables(rankings):
    return {ranking._meta.db_table: ranking for ranking in rankings}


def test_both_have_the_same_longest_list():
    assert models.LONGEST_LIST == LONGEST_LIST


def test_both_look_back_as_far_by_default():
    assert lookback_from({}) == settings.LOOKBACK_DAYS


def test_both_have_the_same_windows():
    assert models.WINDOWS == WINDOWS


def test_both_have_the_same_models_in_the_same_order():
    assert list(tables(models.RANKINGS.values())) == list(MODELS)


def test_both_have_the_same_models_over_windows():
    by_window_table = {
        models.WINDOWED[name]._meta.db_table: ranking._meta.db_table
        for name, ranking in models.RANKINGS.items()
        if name in models.WINDOWED
    }

    assert by_window_table == WINDOW_TABLES


@pytest.mark.parametrize("table", MODELS)
def test_both_agree_whether_every_day_has_a_list(table):
    assert tables(models.RANKINGS.values())[table].is_lasting == MODELS[table].is_lasting


@pytest.mark.parametrize("table", [*MODELS, *WINDOW_TABLES])
def test_the_batch_fills_every_column_of_a_table(table):
    model = MODELS[WINDOW_TABLES.get(table, table)]
    filled = {column.rsplit(" as ", 1)[-1] for column in model.columns}
    key = {"id", "run_id", "date", "advertiser_id", "product_id", "rank"} | (
        {"days"} if table in WINDOW_TABLES else set()
    )
    rankings = tables([*models.RANKINGS.values(), *models.WINDOWED.values()])

    assert {field.column for field in rankings[table]._meta.get_fields()} - key == filled


@pytest.mark.parametrize("table", MODELS)
def test_the_score_that_orders_a_list_is_a_column_that_the_batch_fills(table):
    assert tables(models.RANKINGS.values())[table].ordering_score in MODELS[table].shown_columns


def test_both_have_the_same_tables_of_a_run():
    assert sorted(table._meta.db_table for table in models.RUN_TABLES) == sorted(RUN_TABLES)


def test_both_have_the_numbers_of_a_product_in_the_same_order():
    assert models.counts.ProductCounts._fields == ("product_id", *PRODUCT_NUMBERS)


def test_both_lock_a_day_with_the_same_key():
    assert locks.LOCK_CLASS == LOCK_CLASS


def test_both_have_the_same_rule_for_ids():
    """The web app takes unassigned code points, too: the job's Java may know newer characters than Python."""
    classes = re.fullmatch(r"\\A\[((?:\\p\{\w\})+) &&\[\^\\x\{FFFD\}\]\]\{1,(\d+)\}\\z", validate.ID)
    assert classes
    allowed = set(re.findall(r"\{(\w)\}", classes[1]))

    assert int(classes[2]) == MAX_ID_LENGTH
    for character in map(chr, range(sys.maxunicode + 1)):
        in_job = category(character)[0] in allowed or character == " "
        assert is_id(character) == (category(character) == "Cn" or (in_job and character != "\ufffd")), ascii(character)


def test_both_lock_publishing_with_the_same_key():
    assert locks.PUBLISHING == PUBLISHING
