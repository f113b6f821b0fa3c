"""The verbs in which hidden products are asked for: `HiddenProduct.objects.in_force().taken_out_of(rows)`."""

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import connections
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from webapp.rankings.models import Advertiser

# As SQL, because every answer of the API asks it, and the ORM takes twenty times as long to write it as PostgreSQL takes
# to answer it (docs/performance-serving.md).
LAST_CHANGE = """
    SELECT count(id) FILTER (WHERE unhidden_at IS NULL AND until >= %(today)s),
           max(id) FILTER (WHERE unhidden_at IS NULL AND until >= %(today)s),
           max(hidden_at),
           max(unhidden_at),
           max(until) FILTER (WHERE unhidden_at IS NULL AND until < %(today)s)
    FROM hidden_product
    WHERE advertiser_id = coalesce(%(advertiser)s, advertiser_id)
"""

Rows = TypeVar("Rows", bound=QuerySet[Any])


class HiddenProductQuerySet(QuerySet[Any]):
    def in_force(self) -> Self:
        """Those that keep a product out of the lists now: nobody undid them, and their last day (UTC) is not over."""
        return self.filter(unhidden_at__isnull=True, until__gte=timezone.now().date())

    def for_advertiser(self, advertiser: "Advertiser | str") -> Self:
        return self.filter(advertiser=advertiser)

    def newest_first(self) -> Self:
        return self.order_by("-hidden_at", "-id")

    def taken_out_of(self, rows: Rows) -> Rows:
        """The ranking's rows without these products of theirs; part of the same query."""
        same = self.filter(advertiser=OuterRef("advertiser"), product_id=OuterRef("product_id"))
        return rows.filter(~Exists(same))

    def last_change(self, advertiser: "Advertiser | None") -> tuple[str, datetime | None]:
        """A text that is another one whenever other products of the advertiser, or of any, are in force, and since when.

        A row never comes back into force and new ones have greater ids, so that their number and the greatest id tell
        one set of them from every other that there was.
        """
        asked = {"advertiser": None if advertiser is None else advertiser.pk, "today": timezone.now().date()}
        with connections[self.db].cursor() as cursor:
            cursor.execute(LAST_CHANGE, asked)
            number, newest, hidden, undone, over = cursor.fetchone()
        ended = over and datetime.combine(over + timedelta(days=1), time(), UTC)
        moments = [moment for moment in (hidden, undone, ended) if moment]
        return f"{number}-{newest or 0}", max(moments, default=None)

    def unhide(self, by: "User") -> int:
        """Undo those that are in force; return how many there were."""
        return self.in_force().update(unhidden_at=Now(), unhidden_by=by)
