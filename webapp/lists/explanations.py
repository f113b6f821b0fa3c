"""Why a product has its place in a list, or is not in it.

The answer follows from the run's parameters and from what it counted for the advertiser (its rows of advertiser_counts).
Each model explains itself in the terms in which the nightly job ranks by it.
"""

from dataclasses import dataclass
from typing import NamedTuple

from webapp.curation.models import HiddenProduct
from webapp.lists.inputs import Inputs
from webapp.lists.places import Place, load_place
from webapp.lists.problems import NoExplanation
from webapp.lists.selection import Selection, advertiser_of, check_model, run_of
from webapp.problems import InvalidParameter
from webapp.rankings.models import RANKINGS, Advertiser, AdvertiserCounts, Run
from webapp.rankings.models.counts import AdvertiserDay, ProductCounts
from webapp.rankings.values import is_id, no_id

REASONS = ("listed", "beyond-the-list", "hidden", "no-events", "only-rejected-rows", "inactive")
"""The reasons common to all models; each model adds its `absence_reasons`."""


@dataclass(frozen=True)
class ExplanationSelection(Selection):
    advertiser: Advertiser
    run: Run
    model: str
    product_id: str


class Cut(NamedTuple):
    """The last place of a full list."""

    rank: int
    product_id: str
    score: float


@dataclass(frozen=True)
class Explanation:
    """The explanation of one product in one list. Fields that do not apply are None.

    `rank` counts every product that the run ranked, beyond the end of the list too; `ranked` is their number. `distance`
    is the score minus that of the list's last product.
    """

    selection: ExplanationSelection
    listed: bool
    reason: str
    words: str
    counts: ProductCounts | None = None
    rank: int | None = None
    ranked: int | None = None
    score: float | None = None
    working: str | None = None
    cut: Cut | None = None
    rejected: dict[str, int] | None = None

    @property
    def distance(self) -> float | None:
        return None if self.cut is None or self.score is None else self.score - self.cut.score


def select_explanation(inputs: Inputs, model: str, product_id: str) -> ExplanationSelection:
    if not is_id(product_id):
        raise InvalidParameter(f"product_id: {no_id(product_id)}", parameter="product_id")
    check_model(model)
    advertiser, run = advertiser_of(inputs), run_of(inputs)
    return ExplanationSelection([run], advertiser, inputs.versions, run, model, product_id)


def load_explanation(selection: ExplanationSelection) -> Explanation:
    """The explanation; NoExplanation if the run stored no counts."""
    run, advertiser = selection.run, selection.advertiser
    rows = AdvertiserCounts.objects.filter(run=run, advertiser=advertiser).select_related("run")
    row = rows.defer("products", "hidden", "rejected").order_by("-past_days").first()  # 0 if it has rejected lines only
    if row is not None:
        return explain(selection, row)
    if not AdvertiserCounts.objects.filter(run=run).exists():
        raise NoExplanation(f"Run {run.pk} of {run.day} stored no counts to explain its lists with.")
    if advertiser.last_active_on is None or advertiser.last_active_on < run.day:
        return Explanation(selection, False, "inactive", f"“{advertiser.pk}” was not active on {run.day}.")
    return Explanation(selection, False, "no-events", f"“{advertiser.pk}” had no events on {run.day}.")


def explain(selection: ExplanationSelection, row: AdvertiserCounts) -> Explanation:
    ranking, product_id = RANKINGS[selection.model], selection.product_id
    place = load_place(row, ranking, product_id)
    day = AdvertiserDay(place.impressions, place.clicks, row.past_days, row.run.parameters)
    product = ProductCounts(**place.product) if place.product else None

    def not_ranked(reason: str, words: str) -> Explanation:
        return Explanation(selection, False, reason, words, counts=product, rejected=place.rejected)

    if product is None and place.rejected:
        rows = sum(place.rejected.values())
        return not_ranked("only-rejected-rows", f"All of its {rows:,} rows for the day were rejected.")
    if product is None:
        return not_ranked("no-events", f"It had no events on {selection.run.day}.")
    if place.hidden:
        return not_ranked("hidden", "It was hidden when the run ranked the day.")
    absence = ranking.absence(product, day)
    if absence:
        return not_ranked(*absence)
    return explain_rank(selection, place, product, ranking.working(product, day), day.parameters["top"])


def explain_rank(
    selection: ExplanationSelection, place: Place, product: ProductCounts, working: str, top: int
) -> Explanation:
    """The explanation of a product that the run ranked."""
    rank, ranked = place.rank, place.ranked
    hidden = HiddenProduct.objects.in_force().for_advertiser(selection.advertiser)
    if hidden.filter(product_id=product.product_id).exists():
        reason, words = "hidden", f"It ranks {rank} of {ranked:,}, and was hidden after the run."
    elif rank <= top:
        reason, words = "listed", f"It ranks {rank} of {ranked:,}."
    else:
        reason, words = "beyond-the-list", f"It ranks {rank:,} of {ranked:,}, and the list ends at rank {top}."
    return Explanation(
        selection,
        reason == "listed",
        reason,
        words,
        counts=product,
        rank=rank,
        ranked=ranked,
        score=place.score,
        working=working,
        cut=Cut(top, *place.cut) if place.cut else None,
        rejected=place.rejected,
    )
