"""Why a product has its place in a list, or none.

From what the run counted of the advertiser (the table advertiser_counts, one row to read) and from its parameters: the
models' own words say how those become places, as the batch does it.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from webapp.curation.models import HiddenProduct
from webapp.keys.models import ApiKey
from webapp.rankings.lists import Source, find_advertiser, find_ranking, find_run
from webapp.rankings.models import Advertiser, AdvertiserCounts, Ranking, Run
from webapp.rankings.models.counts import Counted, Product
from webapp.rankings.parameters import ID, no_id
from webapp.rankings.problems import InvalidParameter, NoExplanation


@dataclass(frozen=True)
class ExplanationSource(Source):
    advertiser: Advertiser
    run: Run
    model: str
    product_id: str


class Cut(NamedTuple):
    """The last place of a list that is full."""

    rank: int
    product_id: str
    score: float


@dataclass(frozen=True)
class Explanation:
    """Of one product of one list. What does not apply is None.

    `rank` counts all products that the run ranked, also beyond the list; `ranked` is how many they are. `distance` is how
    far the score lies above the list's last, and below it where it is negative.
    """

    source: ExplanationSource
    listed: bool
    reason: str
    words: str
    counts: Product | None = None
    rank: int | None = None
    ranked: int | None = None
    score: float | None = None
    working: str | None = None
    cut: Cut | None = None
    rejected: dict[str, int] | None = None

    @property
    def distance(self) -> float | None:
        return None if self.cut is None or self.score is None else self.score - self.cut.score


def find_explanation(
    advertiser_id: str, model: str, product_id: str, day: date | None, key: ApiKey | None
) -> ExplanationSource:
    if not re.fullmatch(ID, product_id):
        raise InvalidParameter(f"product_id: {no_id(product_id)}", parameter="product_id")
    find_ranking(model)
    advertiser = find_advertiser(advertiser_id, key)
    run = find_run(day)
    return ExplanationSource([run], advertiser, run, model, product_id)


def explanation(source: ExplanationSource) -> Explanation:
    """The explanation; NoExplanation where the run kept no counts to explain with."""
    run, advertiser = source.run, source.advertiser
    row = AdvertiserCounts.objects.filter(run=run, advertiser=advertiser).select_related("run").first()
    if row is not None:
        return explained(source, row.read())
    if not AdvertiserCounts.objects.filter(run=run).exists():
        raise NoExplanation(f"Run {run.pk} of {run.day} kept no counts; days ranked by this version on have them.")
    if advertiser.last_active_on is None or advertiser.last_active_on < run.day:
        return Explanation(source, False, "inactive", f"“{advertiser.pk}” was not active on {run.day}.")
    return Explanation(source, False, "no-events", f"“{advertiser.pk}” had no events on {run.day}.")


def explained(source: ExplanationSource, counted: Counted) -> Explanation:
    ranking, product_id = find_ranking(source.model), source.product_id
    product, rejected = counted.products.get(product_id), counted.rejected.get(product_id)

    def absent(reason: str, words: str) -> Explanation:
        return Explanation(source, False, reason, words, counts=product, rejected=rejected)

    if product is None and rejected:
        lines = sum(rejected.values())
        return absent("only-rejected-rows", f"All {lines:,} lines of it that concern the day were rejected.")
    if product is None:
        return absent("no-events", f"It had no events on {source.run.day}.")
    if product_id in counted.hidden:
        return absent("hidden", "Somebody had hidden it when the night ranked.")
    absence = ranking.absence(product, counted)
    if absence:
        return absent(*absence)
    return placed(source, ranking, counted, product)


def placed(source: ExplanationSource, ranking: type[Ranking], counted: Counted, product: Product) -> Explanation:
    """The explanation of a product that the run ranked."""
    scored = [
        (each, ranking.score_of(each, counted)) for each in counted.rankable if not ranking.absence(each, counted)
    ]
    best_first = sorted(scored, key=lambda each: ranking.order_of(*each))
    places = {each.product_id: rank for rank, (each, _) in enumerate(best_first, start=1)}
    rank, top = places[product.product_id], counted.parameters["top"]
    cut = None
    if len(best_first) >= top:
        last, score = best_first[top - 1]
        cut = Cut(top, last.product_id, score)
    hidden = HiddenProduct.objects.in_force().for_advertiser(source.advertiser)
    is_hidden = hidden.filter(product_id=product.product_id).exists()
    if is_hidden:
        reason, words = "hidden", f"It ranks {rank} of {len(places):,}, and somebody hid it after the night."
    elif rank <= top:
        reason, words = "listed", f"It ranks {rank} of {len(places):,}."
    else:
        reason, words = "beyond-the-list", f"It ranks {rank:,} of {len(places):,}, and the list ends with {top}."
    return Explanation(
        source,
        reason == "listed",
        reason,
        words,
        counts=product,
        rank=rank,
        ranked=len(places),
        score=ranking.score_of(product, counted),
        working=ranking.working(product, counted),
        cut=cut,
        rejected=counted.rejected.get(product.product_id),
    )
