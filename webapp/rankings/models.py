"""The tables: the contract between the batch, which fills them by column name, and everything that reads them."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now

from webapp.rankings.intervals import wilson
from webapp.rankings.querysets import AdvertiserQuerySet, RankingQuerySet, RunQuerySet

LONGEST_LIST = 20  # products an advertiser's list may hold


class Advertiser(models.Model):
    """Who shows products. Follows the batch's list of active advertisers; nobody is ever removed."""

    advertiser_id = models.CharField(
        primary_key=True, max_length=64, db_comment="The ad platform's id: 1 to 64 printable characters"
    )
    active = models.BooleanField(
        db_default=True, db_comment="Whether they were among the active advertisers of the newest published day"
    )
    last_active_on = models.DateField(
        null=True, blank=True, db_comment="Newest published day (UTC) on which they were active"
    )

    objects = AdvertiserQuerySet.as_manager()

    class Meta:
        db_table = "advertiser"
        db_table_comment = "Every advertiser that was ever active; kept by the nightly batch as it publishes"

    def __str__(self) -> str:
        return self.advertiser_id


class Run(models.Model):
    """One attempt of the batch at one day. Rows under it are read once its state is published."""

    class State(models.TextChoices):
        RUNNING = "running"
        PUBLISHED = "published"
        SUPERSEDED = "superseded"
        REFUSED = "refused"
        FAILED = "failed"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the run, counted upwards by the database")
    day = models.DateField(db_comment="The day (UTC) whose events were ranked")
    state = models.CharField(
        max_length=16,
        choices=State,
        db_default=State.RUNNING,
        db_comment="running, published (what readers see: one run a day), superseded, refused (by the audit) or failed",
    )
    started_at = models.DateTimeField(db_default=Now(), db_comment="When the batch opened the run")
    finished_at = models.DateTimeField(null=True, blank=True, db_comment="When the run ended, well or badly")
    published_at = models.DateTimeField(
        null=True, blank=True, db_comment="When the run's lists last became what readers see"
    )
    code_version = models.CharField(
        max_length=200, blank=True, db_default="", db_comment="Version or commit of the batch's code"
    )
    spark_version = models.CharField(
        max_length=200, blank=True, db_default="", db_comment="Version of Spark that computed the run"
    )
    parameters = models.JSONField(
        blank=True,
        db_default=models.Value({}, models.JSONField()),
        db_comment="The options the batch was started with, by name",
    )
    counts = models.JSONField(
        blank=True,
        db_default=models.Value({}, models.JSONField()),
        db_comment="How many rows were read, rejected, ranked and so on, by name; nested one level at most",
    )
    inputs = models.JSONField(
        blank=True,
        db_default=models.Value({}, models.JSONField()),
        db_comment="What the run read: the files of each input with size, time and ETag, and a fingerprint of its lines",
    )
    message = models.TextField(blank=True, db_default="", db_comment="Why the run was refused or failed, in words")
    final = models.BooleanField(
        db_default=False,
        db_comment="Whether the nights no longer look back at the day: late events change nothing any more",
    )
    pruned_at = models.DateTimeField(
        null=True, blank=True, db_comment="When the run's rows and its part of the lake were removed; its counts stay"
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        db_table = "run"
        db_table_comment = "One row an attempt of the nightly batch at one day; the day's published run is what is read"
        constraints = (
            # Its index also finds the newest published day and the one before, the first query of every answer.
            models.UniqueConstraint(
                fields=["day"], condition=models.Q(state="published"), name="run_one_published_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["running", "published", "superseded", "refused", "failed"]),
                name="run_state_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="published") | models.Q(published_at__isnull=False),
                name="run_published_has_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.id} of {self.day}"


class Rollback(models.Model):
    """A day taken back from one run to another by a person: an entry of the ledger, never changed."""

    id = models.BigAutoField(primary_key=True, db_comment="Number of the rollback, counted upwards by the database")
    day = models.DateField(db_comment="The day (UTC) that was taken back")
    withdrawn = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="+", db_index=False, db_comment="The run that readers saw before"
    )
    restored = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="+", db_index=False, db_comment="The run that readers saw after it"
    )
    author = models.CharField(
        max_length=200, db_comment="Who did it: a user of the admin, or cli: and an account of the machine"
    )
    reason = models.TextField(blank=True, db_default="", db_comment="Why, in the author's words")
    at = models.DateTimeField(db_default=Now(), db_comment="When readers began to see the restored run")

    class Meta:
        db_table = "rollback"
        db_table_comment = "One row a rollback: who took which day back from which run to which, and why"

    def __str__(self) -> str:
        return f"{self.day} from run {self.withdrawn_id} to run {self.restored_id}"


class Ranking(models.Model):
    """What every ranking's rows have in common: the product at one rank of one advertiser's list in one run.

    A ranking is a subclass that adds its score columns, names them in `scores`, the one that orders last, says in
    `summary` what it orders by, and is listed in RANKINGS below. What is worked out of the columns when a row is read, it
    names and describes in `derived`.
    """

    scores: ClassVar[tuple[str, ...]]
    derived: ClassVar[dict[str, str]] = {}
    summary: ClassVar[str]

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

    def as_item(self) -> dict[str, Any]:
        """The row as a list of the API has it."""
        return {name: getattr(self, name) for name in ("rank", "product_id", *self.scores, *self.derived)}


class TopProduct(Ranking):
    scores = ("views",)
    summary = "The products whose pages were visited most that day; equal ones by product id."

    views = models.BigIntegerField(db_comment="Visits to the product's page that day")

    class Meta(Ranking.Meta):
        db_table = "top_product"
        db_table_comment = "Each advertiser's most viewed products of a day"
        verbose_name = "top product"
        constraints = (
            *Ranking.Meta.constraints,
            models.CheckConstraint(condition=models.Q(views__gte=0), name="topproduct_views_not_negative"),
        )


class TopCTR(Ranking):
    scores = ("clicks", "impressions", "ctr", "score")
    derived: ClassVar[dict[str, str]] = {
        "ctr_low": "Lower end of the 95 % interval (Wilson's) in which the product's true click rate lies",
        "ctr_high": "Upper end of that interval, at most 1",
    }
    summary = (
        "The products with the highest score that day: clicks per impression, unless the run had a prior weight, which "
        "draws rates of few impressions towards the advertiser's own; equal scores by impressions, most first, then by "
        "product id. A product never shown, or less often than the run's minimum, is not ranked."
    )

    clicks = models.BigIntegerField(db_comment="Clicks on the product's ads that day")
    impressions = models.BigIntegerField(db_comment="Times the product's ads were shown that day; never 0")
    ctr = models.FloatField(
        db_comment="Click-through rate: clicks / impressions; above 1 when ads shown the day before are clicked"
    )
    score = models.FloatField(
        null=True,  # rows of batches that knew no score
        db_comment="What orders the list: ctr, or with a prior weight W of the run (clicks + W*p) / (impressions + W),"
        " p being the advertiser's own rate; null, which means ctr, in rows written before there were scores",
    )

    class Meta(Ranking.Meta):
        db_table = "top_ctr"
        db_table_comment = "Each advertiser's products of a day with the highest click-through rate"
        verbose_name = "top CTR"
        verbose_name_plural = "top CTRs"
        constraints = (
            *Ranking.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(clicks__gte=0, impressions__gt=0), name="topctr_counts_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(ctr__gte=0, ctr__lt=float("inf")), name="topctr_rate_is_a_number"
            ),
            models.CheckConstraint(
                condition=models.Q(score__gte=0, score__lt=float("inf")), name="topctr_score_is_a_number"
            ),
        )

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        """A row as it is stored; before there were scores, the ratio ordered."""
        row = super().from_db(*args, **kwargs)
        if "score" in vars(row) and row.score is None:
            row.score = row.ctr
        return row

    @property
    def ctr_low(self) -> float:
        return wilson(self.clicks, self.impressions)[0]

    @property
    def ctr_high(self) -> float:
        return wilson(self.clicks, self.impressions)[1]


# The rankings by the name the API gives them. A new one is added here, and in the web half nowhere else but in the SQL
# of statistics.py, which compares the two.
RANKINGS: dict[str, type[Ranking]] = {ranking.__name__: ranking for ranking in (TopProduct, TopCTR)}
