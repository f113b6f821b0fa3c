"""The verbs in which the database is asked: `TopCTR.objects.published().for_advertiser(a).best_first()`."""

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from django.db.models import Exists, Max, Min, OuterRef, QuerySet

from webapp.rankings import written

if TYPE_CHECKING:
    from webapp.keys.models import ApiKey
    from webapp.rankings.models import Advertiser, Run


FIND_ADVERTISER = """
    SELECT advertiser_id, active, last_active_on FROM advertiser
    WHERE advertiser_id = %(advertiser)s AND advertiser_id = coalesce(%(only)s, advertiser_id)
"""
FIND_PUBLISHED = """
    SELECT id, day, state, started_at, published_at, final FROM run
    WHERE state = 'published' AND day = coalesce(%(day)s, day) ORDER BY day DESC LIMIT 1
"""


class Days(NamedTuple):
    """The first and the last of some days; both None when there are none."""

    first: date | None
    last: date | None


class AdvertiserQuerySet(QuerySet["Advertiser"]):
    def active(self) -> Self:
        return self.filter(active=True)

    def named(self, advertiser_id: str) -> Self:
        """The advertiser of that id, if any; PostgreSQL keeps no text with a NUL in it, so no id has one."""
        return self.none() if "\0" in advertiser_id else self.filter(advertiser_id=advertiser_id)

    def visible_to(self, key: "ApiKey | None") -> Self:
        """Those that the key reads: its own advertiser, or all; all too without a key, which is for the views to refuse."""
        return self if key is None or key.advertiser_id is None else self.filter(pk=key.advertiser_id)

    def find(self, advertiser_id: str, key: "ApiKey | None") -> "Advertiser | None":
        """What `visible_to(key).named(advertiser_id).first()` finds."""
        if "\0" in advertiser_id:
            return None
        only = None if key is None else key.advertiser_id
        return written.first(self.model, self.db, FIND_ADVERTISER, {"advertiser": advertiser_id, "only": only})

    def listed_in(self, run: "Run", *rankings: type[Any]) -> Self:
        """Those who have a list of every one of the rankings in the run."""
        first_places = (ranking.objects.of(run).filter(rank=1, advertiser=OuterRef("pk")) for ranking in rankings)
        return self.filter(*map(Exists, first_places))


class RunQuerySet(QuerySet["Run"]):
    def published(self) -> Self:
        """The runs that readers see: at most one a day."""
        return self.filter(state=self.model.State.PUBLISHED)

    def find_published(self, day: date | None) -> "Run | None":
        """The run that readers see for the day, or for the newest day if None; its counts are read when asked for."""
        return written.first(self.model, self.db, FIND_PUBLISHED, {"day": day})

    def on(self, day: date) -> Self:
        return self.filter(day=day)

    def between(self, first: date, last: date) -> Self:
        """The runs of the days from the first to the last, both included."""
        return self.filter(day__range=(first, last))

    def before(self, day: date) -> Self:
        return self.filter(day__lt=day)

    def up_to(self, day: date) -> Self:
        """The runs of the day and of all days before."""
        return self.filter(day__lte=day)

    def after(self, day: date) -> Self:
        return self.filter(day__gt=day)

    def newest_first(self) -> Self:
        return self.order_by("-day", "-id")

    def oldest_first(self) -> Self:
        return self.order_by("day", "id")

    def newest(self) -> "Run | None":
        """The run of the newest day."""
        return self.newest_first().first()

    def latest_started(self) -> Self:
        return self.order_by("-id")

    def days(self) -> Days:
        return Days(**self.aggregate(first=Min("day"), last=Max("day")))


class RankingQuerySet(QuerySet[Any]):
    def published(self) -> Self:
        """The rows that readers see."""
        return self.filter(run__state="published")

    def of(self, run: "Run") -> Self:
        return self.filter(run=run)

    def on(self, day: date) -> Self:
        return self.filter(date=day)

    def for_advertiser(self, advertiser: "Advertiser | str") -> Self:
        return self.filter(advertiser=advertiser)

    def best_first(self) -> Self:
        return self.order_by("rank")
