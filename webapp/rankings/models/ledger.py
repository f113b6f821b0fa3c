"""Who shows products, what the batch did for them, and what people took back."""

from django.db import models
from django.db.models.functions import Now

from webapp.rankings.querysets import AdvertiserQuerySet, RunQuerySet


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
