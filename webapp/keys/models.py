"""API keys. The database knows a key's SHA-256 only, so neither it nor a backup of it lets anyone in."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from webapp.keys import key_text
from webapp.rankings import written
from webapp.rankings.models import Advertiser

LIFETIME = timedelta(days=365)
GRACE = timedelta(days=7)  # how long a key that was replaced goes on working
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(self, name: str, advertiser: Advertiser | None, lifetime: timedelta = LIFETIME) -> "ApiKey":
        """Make a key; its `text` is there now and never again."""
        key = self.model(name=name, advertiser=advertiser, expires_at=timezone.now() + lifetime)
        key.draw()
        key.save(using=self.db)
        return key

    def of_prefix(self, prefix: str) -> "ApiKey | None":
        """The key that begins so, if any."""
        return written.first(self.model, self.db, "SELECT * FROM api_key WHERE prefix = %s", [prefix])

    def live(self) -> Self:
        """Those that let someone in now."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())

    def revoke(self) -> int:
        """End them for good, from the next request on; return how many were not ended before."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class ApiKey(models.Model):
    """A key that reads the lists of one advertiser, or of all when it has none."""

    class State(models.TextChoices):
        LIVE = "live"
        EXPIRED = "expired"
        REVOKED = "revoked"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the key, given by the database")
    name = models.CharField(max_length=100, db_comment="Who uses the key and for what, in words")
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_comment="Whose lists the key reads; null for those of all advertisers",
    )
    prefix = models.CharField(
        max_length=12, unique=True, editable=False, db_comment="First part of the key, no secret: finds it, names it"
    )
    digest = models.CharField(max_length=64, editable=False, db_comment="SHA-256 of the key's secret part, in hex")
    created_at = models.DateTimeField(editable=False, db_comment="When the key was made")
    expires_at = models.DateTimeField(db_comment="When the key stops working by itself")
    revoked_at = models.DateTimeField(
        null=True, editable=False, db_comment="When somebody ended the key; null if nobody"
    )
    last_used_at = models.DateTimeField(
        null=True, editable=False, db_comment="Last use, to the minute; null if none yet"
    )

    text: str | None = None  # the whole key, on the object that was just drawn and nowhere else

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_key"
        db_table_comment = "Keys to the API; one that was ended stays, for the record"
        verbose_name = "API key"
        constraints = (
            models.CheckConstraint(condition=models.Q(digest__regex="^[0-9a-f]{64}$"), name="api_key_digest_is_sha256"),
        )

    def __str__(self) -> str:
        return f"{self.prefix} ({self.name})"

    @property
    def state(self) -> State:
        if self.revoked_at is not None:
            return self.State.REVOKED
        return self.State.LIVE if self.expires_at > timezone.now() else self.State.EXPIRED

    @property
    def reads(self) -> str:
        return self.advertiser_id or "all advertisers"

    def draw(self) -> None:
        """Give a new key its text, and keep what recognises it."""
        prefix, secret = key_text.new_prefix(), key_text.new_secret()
        self.prefix, self.digest, self.created_at = prefix, key_text.digest_of(secret), timezone.now()
        self.text = key_text.written(prefix, secret)

    def rotate(self, grace: timedelta = GRACE) -> "ApiKey":
        """Issue a successor of the same name, reach and lifetime, and let this one work for `grace` at most."""
        successor = type(self).objects.issue(self.name, self.advertiser, self.expires_at - self.created_at)
        self.expires_at = min(self.expires_at, timezone.now() + grace)
        self.save(update_fields=["expires_at"])
        return successor

    def note_use(self, now: datetime) -> None:
        """Remember that the key was used, in at most one write a minute."""
        due = now - USE_IS_NOTED_EVERY
        if self.last_used_at is None or self.last_used_at <= due:
            unnoted = models.Q(last_used_at=None) | models.Q(last_used_at__lte=due)  # by another request meanwhile
            type(self).objects.filter(unnoted, pk=self.pk).update(last_used_at=now)
