"""What lets a caller keep an answer, and ask cheaply whether it still holds.

An answer follows from the published runs it is made from, from what is hidden of their lists, and from the request. Of
these its ETag is made, so that a rollback, a hidden product or the passing of midnight (fresh turns stale) changes it.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.conf import settings
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.http import http_date, parse_etags, parse_http_date_safe
from rest_framework.request import Request

from webapp.keys.requests import key_of
from webapp.rankings.freshness import A_DAY, is_fresh
from webapp.rankings.lists import Source, change_of_shown
from webapp.rankings.models import Run

SHAPE = 2  # raise it when an answer changes its shape, so that nobody keeps one of the old shape
A_MINUTE = 60


@dataclass(frozen=True)
class Validators:
    """An answer's ETag and when it last changed."""

    etag: str
    last_modified: datetime

    def hold_for(self, request: Request) -> bool:
        """Tell whether the caller has this very answer. A time must be the same, not later: a rollback goes back in time."""
        tags = request.headers.get("If-None-Match")
        if tags is not None:
            return self.etag in (tag.removeprefix("W/") for tag in parse_etags(tags))
        since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
        return since == int(self.last_modified.timestamp())


def validators(request: Request, source: Source, encoding: str) -> Validators:
    """The validators of the answer to the request that is made from the source, in its Content-Encoding."""
    change, key = change_of_shown(source.advertiser), key_of(request)
    made_of = [
        SHAPE,
        request.get_full_path(),
        request.accepted_media_type,
        encoding,
        key and key.advertiser_id,
        [(run.pk, str(run.published_at), run.final, is_fresh(run.day)) for run in source.runs],
        change.version,
    ]
    etag = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]
    changes = [change.at, *(moment for run in source.runs for moment in (run.published_at, stale_since(run)))]
    return Validators(f'"{etag}"', max(moment for moment in changes if moment is not None))


def stale_since(run: Run) -> datetime | None:
    """When the run's answers turned from fresh to stale; None if they have not."""
    return None if is_fresh(run.day) else datetime.combine(run.day + 2 * A_DAY, time(), UTC)


def seconds_to_keep(source: Source) -> int:
    """How long the answer holds by itself.

    The next day's lists are expected from midnight (UTC) on. Until then the newest lists, and those of days that the
    nights no longer look back at, stay as they are; others may be replaced at any moment.
    """
    newest, now = source.runs[0], timezone.now()
    if not is_fresh(newest.day) and not newest.final:
        return min(A_MINUTE, settings.CACHE_AT_MOST)
    midnight = datetime.combine(now.date() + A_DAY, time(), UTC)
    return min(int((midnight - now).total_seconds()), settings.CACHE_AT_MOST)


def mark(response: HttpResponseBase, request: Request, source: Source, found: Validators) -> None:
    """Write on the response how long it may be kept, and how to ask for it again."""
    response["ETag"] = found.etag
    response["Last-Modified"] = http_date(found.last_modified.timestamp())
    patch_cache_control(
        response, max_age=seconds_to_keep(source), **{"public" if request.auth is None else "private": True}
    )
