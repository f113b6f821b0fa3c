"""A list as a file for a spreadsheet."""

import csv
from io import StringIO

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from webapp.curation.models import HiddenProduct
from webapp.rankings.models import Advertiser, Ranking, Run


def as_csv(ranking: type[Ranking], advertiser: Advertiser, run: Run) -> HttpResponse:
    """The advertiser's list in the run as it was published, with a column that says what is hidden now."""
    hidden = set(HiddenProduct.objects.in_force().for_advertiser(advertiser).values_list("product_id", flat=True))
    text = StringIO()
    table = csv.writer(text)
    columns = [*ranking.scores, *ranking.derived]
    table.writerow(["advertiser_id", "model", "date", "rank", "product_id", *columns, "hidden"])
    for row in ranking.objects.of(run).for_advertiser(advertiser).best_first():
        scores = [getattr(row, name) for name in columns]
        ids = (harmless(advertiser.pk), ranking.__name__, row.date, row.rank, harmless(row.product_id))
        table.writerow([*ids, *scores, "yes" if row.product_id in hidden else "no"])
    name = content_disposition_header(True, f"{advertiser.pk} {ranking.__name__} {run.day}.csv")
    return HttpResponse(text.getvalue(), "text/csv; charset=utf-8", headers={"Content-Disposition": name or ""})


def harmless(text: str) -> str:
    """An id that a spreadsheet would take for a formula gets an apostrophe before it, as a person would type it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
