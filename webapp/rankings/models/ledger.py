"""Advertisers, the runs of the nightly job, and rollbacks."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from webapp.rankings.querysets import AdvertiserQuerySet, RunQuerySet

EMPTY = models.Value({}, models.JSONField())
EMPTY_LIST = models.Value([], models.JSONField())


class Advertiser(models.Model):
    """An advertiser. The batch keeps the active ones up to date as it publishes; no row is ever removed."""

    advertiser_id = models.CharField(
        primary_key=True, max_length=64, db_comment="The ad platform's id: 1 to 64 printable characters"
    )
    active = models.BooleanField(
        db_default=True, db_comment="Whether the newest published day lists the advertiser as active"
    )
    last_active_on = models.DateField(
        null=True, blank=True, db_comment="Newest published day (UTC) on which the advertiser was active"
    )

    objects = AdvertiserQuerySet.as_manager()

    class Meta:
        db_table = "advertiser"
        db_table_comment = "Every advertiser that was ever active; the nightly job updates it as it publishes"

    def __str__(self) -> str:
        return self.advertiser_id


class Run(models.Model):
    """One attempt of the nightly job to rank one day. Readers see its rows only while its state is published."""

    class State(models.TextChoices):
        RUNNING = "running"
        PUBLISHED = "published"
        SUPERSEDED = "superseded"
        REFUSED = "refused"
        FAILED = "failed"

    FINISHED = frozenset({State.PUBLISHED, State.SUPERSEDED, State.REFUSED})
    """States of a day that the nightly job does not run again by itself, unless its events come late."""

    id = models.BigAutoField(primary_key=True, db_comment="Run number, ascending, assigned by the database")
    day = models.DateField(db_comment="The day (UTC) whose events were ranked")
    state = models.CharField(
        max_length=16,
        choices=State,
        db_default=State.RUNNING,
        db_comment="running, published (at most one run per day), superseded, refused (by the audit) or failed",
    )
    started_at = models.DateTimeField(db_default=Now(), db_comment="When the run started")
    finished_at = models.DateTimeField(null=True, blank=True, db_comment="When the run ended")
    published_at = models.DateTimeField(null=True, blank=True, db_comment="When the run's lists were last published")
    code_version = models.CharField(
        max_length=200, blank=True, db_default="", db_comment="Version or commit of the batch's code"
    )
    spark_version = models.CharField(
        max_length=200, blank=True, db_default="", db_comment="Version of Spark that computed the run"
    )
    parameters = models.JSONField(
        blank=True, db_default=models.Value({}, models.JSONField()), db_comment="The options of the run, by name"
    )
    counts = models.JSONField(
        blank=True,
        db_default=EMPTY,
        db_comment="Numbers of rows read, rejected, ranked and so on, by name; nested one level at most",
    )
    inputs = models.JSONField(
        blank=True,
        db_default=EMPTY,
        db_comment="What the run read: the first files of each input, number and digest of all, fingerprints of lines",
    )
    stages = models.JSONField(
        blank=True,
        db_default=EMPTY_LIST,
        db_comment="The finished stages, in order: name and seconds; days of one job share their stages",
    )
    message = models.TextField(blank=True, db_default="", db_comment="Why the run was refused or failed")
    final = models.BooleanField(
        db_default=False, db_comment="Whether the day is past the lookback: late events no longer change it"
    )
    pruned_at = models.DateTimeField(
        null=True, blank=True, db_comment="When prune_runs deleted the run's rows; the run itself and its counts stay"
    )
    lake_pruned_at = models.DateTimeField(
        null=True, blank=True, db_comment="When the nightly job deleted the pruned run's folders in the lake"
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        db_table = "run"
        db_table_comment = "One row per attempt of the nightly job to rank a day; readers see the day's published run"
        constraints = (
            # Its index also finds the newest published day and the one before, the first query of every response.
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

    @property
    def duration(self) -> timedelta | None:
        """How long the run took; None if it has not ended."""
        return self.finished_at - self.started_at if self.finished_at else None


class Rollback(models.Model):
    """A day that somebody rolled back from one run to another. Rows are never changed."""

    id = models.BigAutoField(primary_key=True, db_comment="Rollback number, ascending, assigned by the database")
    day = models.DateField(db_comment="The day (UTC) that was rolled back")
    withdrawn = models.ForeignKey(
        Run,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_comment="The run published before the rollback",
    )
    restored = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="+", db_index=False, db_comment="The run published by the rollback"
    )
    author = models.CharField(
        max_length=200, db_comment="Who rolled back: an admin user, or cli: and the operating system's account"
    )
    reason = models.TextField(blank=True, db_default="", db_comment="The author's reason")
    at = models.DateTimeField(db_default=Now(), db_comment="When the restored run was published again")

    class Meta:
        db_table = "rollback"
        db_table_comment = "One row per rollback: who rolled back which day, from which run to which, and why"

    def __str__(self) -> str:
        return f"{self.day} from run {self.withdrawn_id} to run {self.restored_id}"
