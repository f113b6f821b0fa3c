"""A list that is there, so that the links and examples of the API's pages work."""

from datetime import date
from typing import NamedTuple

from webapp.lists.selection import lasting_models
from webapp.rankings.models import Advertiser, Run
from webapp.rankings.querysets import Reader


class Example(NamedTuple):
    """The first product of a list of the newest published day, whose advertiser has lists of every lasting model."""

    advertiser_id: str
    model: str
    product_id: str
    date: date


def find_example(reader: Reader | None) -> Example | None:
    """An example from what the reader may see; None if nothing is published."""
    run = Run.objects.published().newest()
    if run is None:
        return None
    models = lasting_models(run)
    model, ranking = next(iter(models.items()))
    listed = Advertiser.objects.active().visible_to(reader).listed_in(run, *models.values())
    rows = ranking.objects.of(run).filter(rank=1, advertiser__in=listed).order_by("advertiser_id")
    found = rows.values_list("advertiser_id", "product_id").first()
    return found and Example(found[0], model, found[1], run.day)
