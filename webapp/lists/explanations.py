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
from webapp.rankings.models import RANKINGS, Advertiser, AdvertiserCounts, Ranking, Run
from webapp.rankings.models.counts import AdvertiserDay, ProductCounts
from webapp.rankings.models.ranking import Absence
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


class Prior(NamedTuple):
    """The mean and weight of the prior distribution of the advertiser's click rates; the weight is in impressions."""

    mean: float
    weight: float


class DayShare(NamedTuple):
    """The shares of a product's decayed counts that come from the day itself; None if the count is 0."""

    clicks: float | None
    impressions: float | None


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
    day: AdvertiserDay | None = None

    @property
    def distance(self) -> float | None:
        return None if self.cut is None or self.score is None else self.score - self.cut.score

    @property
    def uses_decayed_counts(self) -> bool:
        return RANKINGS[self.selection.model].uses_decayed_counts

    @property
    def prior(self) -> Prior | None:
        """The prior by which the model scored the advertiser's products, if it uses one and the run estimated one."""
        if not self.uses_decayed_counts or self.day is None:
            return None
        mean, weight = self.day.prior_mean, self.day.prior_weight
        return None if mean is None or weight is None else Prior(mean, weight)

    @property
    def day_share(self) -> DayShare | None:
        if not self.uses_decayed_counts or self.counts is None or self.counts.decayed is None:
            return None
        of_day = self.counts.clicks, self.counts.impressions
        pairs = zip(of_day, self.counts.decayed, strict=True)
        # More clicks than impressions are not counted, so the day's clicks may be more than the decayed ones.
        return DayShare(*(min(1, count / decayed) if decayed else None for count, decayed in pairs))


def select_explanation(inputs: Inputs, model: str, product_id: str) -> ExplanationSelection:
    if not is_id(product_id):
        raise InvalidParameter(f"product_id: {no_id(product_id)}", parameter="product_id")
    check_model(model)
    advertiser, run = advertiser_of(inputs), run_of(inputs)
    return ExplanationSelection([run], advertiser, inputs.versions, run, model, product_id)


def load_explanation(selection: ExplanationSelection) -> Explanation:
    """The explanation; NoExplanation if the run stored no counts."""
    run, advertiser, ranking = selection.run, selection.advertiser, RANKINGS[selection.model]
    rows = AdvertiserCounts.objects.filter(run=run, advertiser=advertiser).select_related("run")
    row = rows.defer("products", "hidden", "rejected").order_by("-past_days").first()  # 0 if it has rejected lines only
    if row is not None:
        return explain(selection, row)
    if not AdvertiserCounts.objects.filter(run=run).exists():
        raise NoExplanation(f"Run {run.pk} of {run.day} stored no counts to explain its lists with.")
    if advertiser.last_active_on is None or advertiser.last_active_on < run.day:
        return Explanation(selection, False, "inactive", f"“{advertiser.pk}” was not active on {run.day}.")
    no_events = Absence("no-events", f"“{advertiser.pk}” had no events on {run.day}{earlier_days(ranking)}.")
    return Explanation(selection, False, *(ranking.absence_of_lists(run.parameters) or no_events))


def earlier_days(ranking: type[Ranking]) -> str:
    """What else is missing where nothing was counted, if the model ranks by more than the day."""
    return " and no impressions in the 27 days before" if ranking.uses_decayed_counts else ""


def explain(selection: ExplanationSelection, row: AdvertiserCounts) -> Explanation:
    ranking = RANKINGS[selection.model]
    place = load_place(row, ranking, selection.product_id)
    product = ProductCounts(**place.product) if place.product else None
    day = AdvertiserDay(
        place.impressions, place.clicks, row.past_days, row.run.parameters, place.prior_mean, place.prior_weight
    )

    def not_ranked(reason: str, words: str) -> Explanation:
        return Explanation(selection, False, reason, words, counts=product, rejected=place.rejected, day=day)

    if absence := ranking.absence_of_lists(day.parameters):
        return not_ranked(*absence)
    if product is None or not (product.has_events or ranking.uses_decayed_counts):
        if place.rejected:
            rows = sum(place.rejected.values())
            return not_ranked("only-rejected-rows", f"All of its {rows:,} rows for the day were rejected.")
        return not_ranked("no-events", f"It had no events on {selection.run.day}{earlier_days(ranking)}.")
    if place.hidden:
        return not_ranked("hidden", "It was hidden when the run ranked the day.")
    if absence := ranking.absence(product, day):
        return not_ranked(*absence)
    return explain_rank(selection, place, product, day)


def explain_rank(
    selection: ExplanationSelection, place: Place, product: ProductCounts, day: AdvertiserDay
) -> Explanation:
    """The explanation of a product that the run ranked."""
    rank, ranked, top = place.rank, place.ranked, day.parameters["top"]
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
        working=RANKINGS[selection.model].working(product, day),
        cut=Cut(top, *place.cut) if place.cut else None,
        rejected=place.rejected,
        day=day,
    )
