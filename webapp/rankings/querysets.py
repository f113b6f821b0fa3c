"""Queries as verbs: `TopCTR.objects.published().for_advertiser(a).best_first()`."""

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Subquery

if TYPE_CHECKING:
    from webapp.rankings.models import Advertiser, Run


ACTIVE_VERSION = """
    SELECT concat_ws('-', count(*), sum(hashtextextended(advertiser_id, 0)),
                     (SELECT published_at FROM run WHERE state = 'published' ORDER BY day DESC LIMIT 1))
    FROM advertiser WHERE active AND {whose}
"""
"""A version of who is active; `whose` is a condition on the advertiser.

A version never comes back: who is active changes only when the newest day is published or rolled back, and both set that
day's published_at.
"""


class Reader(Protocol):
    """Who may read lists: those of one advertiser, or of all if `advertiser_id` is None. An API key is a reader."""

    @property
    def advertiser_id(self) -> str | None: ...


class Days(NamedTuple):
    """The first and the last of some days; both None if there are none."""

    first: date | None
    last: date | None


class AdvertiserQuerySet(QuerySet["Advertiser"]):
    def active(self) -> Self:
        return self.filter(active=True)

    def named(self, advertiser_id: str) -> Self:
        """The advertiser with that id, if any. PostgreSQL stores no text with a NUL, so no id contains one."""
        return self.none() if "\0" in advertiser_id else self.filter(advertiser_id=advertiser_id)

    def visible_to(self, reader: Reader | None) -> Self:
        """The advertisers that the reader may see. Without a reader that is all: permissions decide who needs a key."""
        return self if reader is None or reader.advertiser_id is None else self.filter(pk=reader.advertiser_id)

    def listed_in(self, run: "Run", *rankings: type[Any]) -> Self:
        """The advertisers that have a list of every one of the models in the run."""
        best = (ranking.objects.of(run).filter(rank=1, advertiser=OuterRef("pk")) for ranking in rankings)
        return self.filter(*map(Exists, best))


class RunQuerySet(QuerySet["Run"]):
    def published(self) -> Self:
        """The runs that readers see: at most one per day."""
        return self.filter(state=self.model.State.PUBLISHED)

    def find_published(self, day: date | None) -> "Run | None":
        """The published run of the day, or of the newest day if None."""
        return self.published().newest() if day is None else self.published().on(day).first()

    def on(self, day: date) -> Self:
        return self.filter(day=day)

    def between(self, first: date, last: date) -> Self:
        """The runs of the days from the first to the last, both included."""
        return self.filter(day__range=(first, last))

    def before(self, day: date) -> Self:
        return self.filter(day__lt=day)

    def up_to(self, day: date) -> Self:
        """The runs of the day and of all earlier days."""
        return self.filter(day__lte=day)

    def after(self, day: date) -> Self:
        return self.filter(day__gt=day)

    def with_days_before(self, run_id: int, number: int) -> Self:
        """The run in whatever state, and the published runs of the `number` published days before its own."""
        day = Subquery(self.filter(pk=run_id).values("day"))
        before = self.published().filter(day__lt=day).newest_first()[:number]
        return self.filter(Q(pk=run_id) | Q(pk__in=before.values("pk")))

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

    def for_advertiser(self, advertiser: "Advertiser | str") -> Self:
        return self.filter(advertiser=advertiser)

    def best_first(self) -> Self:
        return self.order_by("rank")
