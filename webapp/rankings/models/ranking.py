"""What the lists of all models have in common."""

from typing import Any, ClassVar, NamedTuple

from django.db import models

from webapp.rankings.models.counts import Counted, Product
from webapp.rankings.models.ledger import Advertiser, Run
from webapp.rankings.querysets import RankingQuerySet

LONGEST_LIST = 20  # products an advertiser's list may hold
WINDOWS = (7, 28)  # days that there are lists over, besides those of one day


class Absence(NamedTuple):
    """Why a model does not rank a product: a name that a program can switch on, and the same in words."""

    reason: str
    words: str


class Ranking(models.Model):
    """What every ranking's rows have in common: the product at one rank of one advertiser's list in one run.

    A ranking is a subclass that adds its score columns, names them in `scores`, the one that orders last, says in
    `summary` what it orders by, and is listed in RANKINGS (webapp/rankings/models). What is worked out of the columns when
    a row is read, it names and describes in `derived`; which columns are shares of 1, it says in `shares`. For explanations
    it says of a product's counts what the batch does with them: `absence`, `score_of`, `order_of` and `working`.
    """

    scores: ClassVar[tuple[str, ...]]
    derived: ClassVar[dict[str, str]] = {}
    shares: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str]
    is_lasting: ClassVar[bool] = True
    """Whether every advertiser with events has a list each day, much like the one before; if not, change is no news."""

    id = models.BigAutoField(primary_key=True, db_comment="Number of the row, given by the database")
    run = models.ForeignKey(
        Run,
        on_delete=models.CASCADE,
        db_index=False,  # the unique constraints below begin with it
        db_comment="The run that computed the row; read it only when that run is published",
    )
    date = models.DateField(db_comment="The run's day (UTC), repeated here so that rows can be sifted without a join")
    # No foreign key in the database: Spark appends the rows of new advertisers before the transaction that publishes
    # them brings the advertiser table up to date.
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        db_comment="Whose list it is: an advertiser_id of the advertiser table, once the run is published",
    )
    product_id = models.CharField(max_length=64, db_comment="The advertiser's product: 1 to 64 printable characters")
    rank = models.SmallIntegerField(db_comment="Place in the list, from 1, the best, to 20")

    objects = RankingQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            # Its index serves the API: one advertiser's list in one run, or in the runs of a history, already in order.
            models.UniqueConstraint(fields=["run", "advertiser", "rank"], name="%(class)s_one_product_a_rank"),
            # Its index serves /stats: whether a product was also in another day's or another ranking's list.
            models.UniqueConstraint(fields=["run", "advertiser", "product_id"], name="%(class)s_one_rank_a_product"),
            models.CheckConstraint(
                condition=models.Q(rank__gte=1, rank__lte=LONGEST_LIST), name="%(class)s_rank_in_range"
            ),
        )
        indexes = (
            # The admin's lists and their date hierarchy: newest day first, then advertiser by advertiser.
            models.Index(models.F("date").desc(), "advertiser", "rank", name="%(class)s_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.product_id}, rank {self.rank} of {self.advertiser_id} on {self.date}"

    @classmethod
    def absence(cls, product: Product, counted: Counted) -> Absence | None:
        """Why the product is not ranked; None if it is."""
        raise NotImplementedError

    @classmethod
    def score_of(cls, product: Product, counted: Counted) -> float:
        """What orders the list: the very number that the batch comes to."""
        raise NotImplementedError

    @classmethod
    def order_of(cls, product: Product, score: float) -> tuple[Any, ...]:
        """The product's place among others: the least comes first."""
        raise NotImplementedError

    @classmethod
    def working(cls, product: Product, counted: Counted) -> str:
        """How the score comes about."""
        raise NotImplementedError

    def as_item(self) -> dict[str, Any]:
        """The row as a list of the API has it."""
        return {name: getattr(self, name) for name in ("rank", "product_id", *self.scores, *self.derived)}


class WindowRanking(Ranking):
    """A ranking's rows over several days, the run's day the last of them."""

    days = models.SmallIntegerField(db_comment="Over how many days the list is, the run's day the last of them")

    class Meta:
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.UniqueConstraint(fields=["run", "advertiser", "days", "rank"], name="%(class)s_one_product_a_rank"),
            models.UniqueConstraint(
                fields=["run", "days", "advertiser", "product_id"], name="%(class)s_one_rank_a_product"
            ),
            models.CheckConstraint(
                condition=models.Q(rank__gte=1, rank__lte=LONGEST_LIST), name="%(class)s_rank_in_range"
            ),
            models.CheckConstraint(condition=models.Q(days__in=WINDOWS), name="%(class)s_window_known"),
        )
