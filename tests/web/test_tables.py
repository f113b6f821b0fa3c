"""What the database guarantees, whoever writes to it."""

import math

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from tests.web.conftest import SCORES, YESTERDAY, make_run
from webapp.rankings.models import RANKINGS, RUN_TABLES, WINDOWED, Advertiser, Run, TopCTR, TopProduct, Trending

pytestmark = pytest.mark.django_db
OURS = ["advertiser", "run", "rollback", "api_key", *(model._meta.db_table for model in RUN_TABLES)]
LISTS = [*RANKINGS.values(), *WINDOWED.values()]


def refuses(constraint):
    return pytest.raises(IntegrityError, match=constraint)


def row(model, **columns):
    """A valid row of the model in a new run, except for the columns given."""
    scores = SCORES.get(model, dict.fromkeys(model.scores, 1)) | ({"days": 7} if model in WINDOWED.values() else {})
    run = columns.pop("run", None) or make_run(state="running")
    return model(
        **{"run": run, "date": run.day, "advertiser_id": "A", "product_id": "p", "rank": 1, **scores, **columns}
    )


def test_the_models_have_no_change_without_a_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_batch_opens_a_run_with_a_day_alone():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO run (day) VALUES (%s) RETURNING id", [YESTERDAY])
        run = Run.objects.get(pk=cursor.fetchone()[0])

    assert (run.state, run.counts, run.parameters, run.message) == ("running", {}, {}, "")
    assert run.started_at is not None


def test_the_batch_adds_top_products_by_column_name():
    run = make_run(state="running")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO top_product (run_id, date, advertiser_id, product_id, rank, views) "
            "VALUES (%s, %s, 'A', 'p', 1, 3)",
            [run.pk, run.day],
        )

    assert TopProduct.objects.get().views == 3


def test_the_batch_adds_click_rates_by_column_name():
    run = make_run(state="running")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO top_ctr (run_id, date, advertiser_id, product_id, rank, clicks, impressions, ctr) "
            "VALUES (%s, %s, 'A', 'p', 1, 3, 2, 1.5)",
            [run.pk, run.day],
        )

    assert TopCTR.objects.get().ctr == 1.5


def test_the_batch_adds_advertisers_by_id_alone():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO advertiser (advertiser_id) VALUES ('A')")

    assert Advertiser.objects.get().active


def test_rows_may_be_added_before_their_advertiser():
    row(TopProduct, advertiser_id="nobody yet").save()

    assert TopProduct.objects.count() == 1


def test_a_row_without_its_run_is_refused():
    with refuses("foreign key"), transaction.atomic():
        orphan = row(TopProduct)
        orphan.run_id = 10**9
        orphan.save()
        connection.check_constraints()


def test_a_day_has_one_published_run():
    make_run()

    with refuses("run_one_published_a_day"):
        make_run()


def test_a_day_has_any_number_of_runs_that_are_not_published():
    for state in ["published", "superseded", "superseded", "failed", "failed"]:
        make_run(state=state)

    assert Run.objects.on(YESTERDAY).count() == 5


def test_an_unknown_state_is_refused():
    with refuses("run_state_known"):
        make_run(state="perhaps")


def test_a_published_run_without_its_time_is_refused():
    with refuses("run_published_has_time"):
        make_run(published_at=None)


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("rank", [0, 21])
def test_a_rank_outside_1_to_20_is_refused(model, rank):
    with refuses("rank_in_range"):
        row(model, rank=rank).save()


@pytest.mark.parametrize("model", LISTS)
def test_two_products_at_one_rank_are_refused(model):
    first = row(model)
    first.save()

    with refuses("one_product_a_rank"):
        row(model, run=first.run, product_id="q").save()


@pytest.mark.parametrize("model", LISTS)
def test_one_product_at_two_ranks_is_refused(model):
    first = row(model)
    first.save()

    with refuses("one_rank_a_product"):
        row(model, run=first.run, rank=2).save()


def test_negative_views_are_refused():
    with refuses("topproduct_views_not_negative"):
        row(TopProduct, views=-1).save()


@pytest.mark.parametrize("columns", [{"clicks": -1}, {"impressions": 0}, {"impressions": -1}])
def test_counts_without_a_valid_rate_are_refused(columns):
    with refuses("topctr_counts_not_negative"):
        row(TopCTR, **columns).save()


@pytest.mark.parametrize("score", [0.9, math.nan, math.inf])
def test_trending_refuses_a_score_below_1_or_not_finite(score):
    with refuses("trending_score_is_a_rise"):
        row(Trending, score=score).save()


@pytest.mark.parametrize("model", WINDOWED.values())
def test_an_unknown_window_is_refused(model):
    with refuses("window_known"):
        row(model, days=2).save()


@pytest.mark.parametrize("model", WINDOWED.values())
def test_each_window_has_its_own_list(model):
    first = row(model)
    first.save()
    row(model, run=first.run, days=28).save()

    assert model.objects.count() == 2


@pytest.mark.parametrize("score", [-0.1, math.nan, math.inf])
def test_a_negative_or_not_finite_score_is_refused(score):
    with refuses("topctr_score_is_a_number"):
        row(TopCTR, score=score).save()


@pytest.mark.parametrize("ctr", [-0.1, math.nan, math.inf])
def test_a_negative_or_not_finite_rate_is_refused(ctr):
    with refuses("topctr_rate_is_a_number"):
        row(TopCTR, ctr=ctr).save()


def test_every_table_and_column_has_a_comment():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, a.attname FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
            WHERE c.relname = ANY(%s) AND c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NULL
            UNION ALL
            SELECT c.relname, NULL FROM pg_class c
            WHERE c.relname = ANY(%s) AND c.relkind = 'r' AND obj_description(c.oid, 'pg_class') IS NULL
            """,
            [OURS, OURS],
        )
        without_comment = cursor.fetchall()

    assert without_comment == []
