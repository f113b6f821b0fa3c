"""A list as a CSV file for a spreadsheet."""

import csv
from io import StringIO

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from webapp.curation.models import HiddenProduct
from webapp.rankings.models import Advertiser, Ranking, Run


def csv_response(ranking: type[Ranking], advertiser: Advertiser, run: Run) -> HttpResponse:
    """The advertiser's list as published; a last column says which products are hidden now."""
    hidden = set(HiddenProduct.objects.in_force().for_advertiser(advertiser).values_list("product_id", flat=True))
    text = StringIO()
    writer = csv.writer(text)
    score_columns = [*ranking.scores, *ranking.derived]
    writer.writerow(["advertiser_id", "model", "date", "rank", "product_id", *score_columns, "hidden"])
    for row in ranking.objects.of(run).for_advertiser(advertiser).best_first():
        ids = (escape_formula(advertiser.pk), ranking.__name__, row.date, row.rank, escape_formula(row.product_id))
        scores = [getattr(row, name) for name in score_columns]
        writer.writerow([*ids, *scores, "yes" if row.product_id in hidden else "no"])
    disposition = content_disposition_header(True, f"{advertiser.pk} {ranking.__name__} {run.day}.csv")
    return HttpResponse(text.getvalue(), "text/csv; charset=utf-8", headers={"Content-Disposition": disposition or ""})


def escape_formula(text: str) -> str:
    """Put an apostrophe before an id that a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
