"""API keys. The database stores only the SHA-256 of a key's secret, so a stolen database or backup gives no access."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from webapp.keys import key_text
from webapp.rankings import raw_sql
from webapp.rankings.models import Advertiser

LIFETIME = timedelta(days=365)
MAX_LIFETIME = timedelta(days=730)
GRACE = timedelta(days=7)  # how long a replaced key keeps working
USE_RECORDED_EVERY = timedelta(minutes=1)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(self, name: str, advertiser: Advertiser | None, lifetime: timedelta = LIFETIME) -> "ApiKey":
        """Create a key. Only the returned object has its `text`. ValueError beyond MAX_LIFETIME."""
        if lifetime > MAX_LIFETIME:
            raise ValueError(f"A key is valid for at most {MAX_LIFETIME.days} days.")
        key = self.model(name=name, advertiser=advertiser, expires_at=timezone.now() + lifetime)
        key.generate()
        key.save(using=self.db)
        return key

    def find_by_prefix(self, prefix: str) -> "ApiKey | None":
        return raw_sql.first(self.model, self.db, "SELECT * FROM api_key WHERE prefix = %s", [prefix])

    def live(self) -> Self:
        """Keys that work now."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())

    def revoke(self) -> int:
        """End the keys at once and for good; return how many were not revoked before."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class ApiKey(models.Model):
    """A key that reads the lists of one advertiser, or of all if it has none."""

    class State(models.TextChoices):
        LIVE = "live"
        EXPIRED = "expired"
        REVOKED = "revoked"

    id = models.BigAutoField(primary_key=True, db_comment="Number of the key, given by the database")
    name = models.CharField(max_length=100, db_comment="Who uses the key and for what")
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_comment="Advertiser whose lists the key reads; null for all advertisers",
    )
    prefix = models.CharField(
        max_length=12, unique=True, editable=False, db_comment="First part of the key, not secret; identifies the key"
    )
    digest = models.CharField(max_length=64, editable=False, db_comment="SHA-256 of the key's secret part, in hex")
    created_at = models.DateTimeField(editable=False, db_comment="When the key was created")
    expires_at = models.DateTimeField(db_comment="When the key expires")
    revoked_at = models.DateTimeField(
        null=True, editable=False, db_comment="When the key was revoked; null if it was not"
    )
    last_used_at = models.DateTimeField(
        null=True, editable=False, db_comment="Last use, to the minute; null before the first"
    )

    text: str | None = None  # the whole key, only on the object that `generate` was called on

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_key"
        db_table_comment = "Keys to the API; revoked and expired ones stay for the record"
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
    def scope(self) -> str:
        return self.advertiser_id or "all advertisers"

    def generate(self) -> None:
        """Give a new key its text and the digest that verifies it."""
        prefix, secret = key_text.new_prefix(), key_text.new_secret()
        self.prefix, self.digest, self.created_at = prefix, key_text.digest_of(secret), timezone.now()
        self.text = key_text.join(prefix, secret)

    def replace(self, grace: timedelta = GRACE) -> "ApiKey":
        """Issue a key with the same name, scope and lifetime; this one keeps working for `grace` at most."""
        lifetime = min(self.expires_at - self.created_at, MAX_LIFETIME)
        successor = type(self).objects.issue(self.name, self.advertiser, lifetime)
        self.expires_at = min(self.expires_at, timezone.now() + grace)
        self.save(update_fields=["expires_at"])
        return successor

    def record_use(self, now: datetime) -> None:
        """Update `last_used_at`, at most once a minute."""
        due = now - USE_RECORDED_EVERY
        if self.last_used_at is None or self.last_used_at <= due:
            not_recorded = models.Q(last_used_at=None) | models.Q(last_used_at__lte=due)  # by a concurrent request
            type(self).objects.filter(not_recorded, pk=self.pk).update(last_used_at=now)
