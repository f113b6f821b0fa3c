"""What the tables of all models have in common, and the limits of their lists."""

from typing import Any, ClassVar, NamedTuple

from django.db import models

from webapp.rankings.models.counts import AdvertiserDay, ProductCounts
from webapp.rankings.models.ledger import Advertiser, Run
from webapp.rankings.querysets import RankingQuerySet

LONGEST_LIST = 20  # products in an advertiser's list, at most
WINDOWS = (7, 28)  # days that a list may cover, besides a single day


class Absence(NamedTuple):
    """Why a model does not rank a product: a reason for programs, and an explanation for people."""

    reason: str
    words: str


RANKS = models.Q(rank__gte=1, rank__lte=LONGEST_LIST)
IN_RANGE = models.CheckConstraint(condition=RANKS, name="%(class)s_rank_in_range")


class Ranking(models.Model):
    """One product at one rank of an advertiser's list in one run. Subclasses are the models, one table each.

    A subclass declares its columns and the class variables below, and explains its ranks by `absence`, `working` and the
    SQL of its order, which repeat the batch's arithmetic for one advertiser. RANKINGS (webapp/rankings/models) registers it.
    """

    scores: ClassVar[tuple[str, ...]]
    """The columns that readers see besides rank and product_id."""
    ordering_score: ClassVar[str]
    """The one of them that orders the list: the highest comes first."""
    tie_breaker: ClassVar[str]
    """Of equal scores, the product with more of this count comes first, then the one with the smaller product_id."""
    derived: ClassVar[dict[str, str]] = {}
    """Properties that readers see too, each with its description."""
    shares: ClassVar[tuple[str, ...]] = ()
    """Those of the columns and properties that are shares of 1, shown as percentages."""
    columns_of_page: ClassVar[tuple[str, ...]] = ()
    """Those of the columns that fit the advertiser's page, the ordering score last; by default all."""
    needs: ClassVar[str]
    """What an advertiser needs to have a list."""
    summary: ClassVar[str]
    """What the model ranks, and by what."""
    absence_reasons: ClassVar[tuple[str, ...]]
    """The reasons that `absence` may give."""
    ranked_sql: ClassVar[str]
    """Which products are ranked: those without an `absence`. lists/places.py names what these expressions are made of."""
    score_sql: ClassVar[str]
    """The ordering score, equal to the batch's to the last bit."""
    uses_decayed_counts: ClassVar[bool] = False
    """Whether it ranks by the decayed counts of 28 days and the prior, so also products without events on the day."""
    can_explore: ClassVar[bool] = False
    """Whether uncertain products may get the last places of a response (?explore=)."""
    is_lasting: ClassVar[bool] = True
    """Whether lists change little from day to day, and every advertiser with events has one. If not, changes are not news."""

    id = models.BigAutoField(primary_key=True, db_comment="Row number, assigned by the database")
    run = models.ForeignKey(
        Run,
        on_delete=models.CASCADE,
        db_index=False,  # the unique constraints below begin with it
        db_comment="The run that computed the row; read the row only while that run is published",
    )
    date = models.DateField(db_comment="The run's day (UTC), repeated here to filter rows without a join")
    # No foreign key in the database: Spark appends the rows of new advertisers before the publishing transaction adds
    # them to the advertiser table.
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        db_comment="The list's advertiser; in the advertiser table once the run is published",
    )
    product_id = models.CharField(max_length=64, db_comment="The advertiser's product: 1 to 64 printable characters")
    rank = models.SmallIntegerField(db_comment=f"Place in the list, from 1 (best) to {LONGEST_LIST}")

    objects = RankingQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            # Its index serves the API: an advertiser's list in one run, or in the runs of a history, already in order.
            models.UniqueConstraint(fields=["run", "advertiser", "rank"], name="%(class)s_one_product_a_rank"),
            # Its index serves /stats: whether a product was also in another day's or another model's list.
            models.UniqueConstraint(fields=["run", "advertiser", "product_id"], name="%(class)s_one_rank_a_product"),
            IN_RANGE,
        )
        indexes = (
            # Serves the admin's lists and their date hierarchy: newest day first, then advertiser by advertiser.
            models.Index(models.F("date").desc(), "advertiser", "rank", name="%(class)s_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.product_id}, rank {self.rank} of {self.advertiser_id} on {self.date}"

    @classmethod
    def absence_of_lists(cls, parameters: dict[str, Any]) -> Absence | None:
        """Why no run with these parameters has a list by this model; None if it may have some."""
        return None

    @classmethod
    def absence(cls, product: ProductCounts, day: AdvertiserDay) -> Absence | None:
        """Why the product is not ranked; None if it is."""
        raise NotImplementedError

    @classmethod
    def working(cls, product: ProductCounts, day: AdvertiserDay) -> str:
        """The calculation of the score, with its numbers."""
        raise NotImplementedError

    def as_item(self) -> dict[str, Any]:
        """The row as an item of a list in the API."""
        return {name: getattr(self, name) for name in ("rank", "product_id", *self.scores, *self.derived)}


class WindowRanking(Ranking):
    """One product at one rank of a list over several days, which end with the run's day."""

    days = models.SmallIntegerField(db_comment="Number of days that the list covers; the last one is the run's day")

    class Meta:
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.UniqueConstraint(fields=["run", "advertiser", "days", "rank"], name="%(class)s_one_product_a_rank"),
            models.UniqueConstraint(
                fields=["run", "days", "advertiser", "product_id"], name="%(class)s_one_rank_a_product"
            ),
            IN_RANGE,
            models.CheckConstraint(condition=models.Q(days__in=WINDOWS), name="%(class)s_window_known"),
        )
