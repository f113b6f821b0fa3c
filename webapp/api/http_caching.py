"""HTTP caching: ETag, Cache-Control and 304.

The ETag is made of whatever determines the response: what the request means, the published runs, the advertiser, and the
versions of what is hidden and who is active. There is no Last-Modified, because not every change has a time that is known
(docs/decisions/caching.md).
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from rest_framework.request import Request

from webapp.keys.requests import key_of
from webapp.lists.selection import Selection
from webapp.operations.freshness import A_DAY, is_fresh

RESPONSE_VERSION = 4  # raise it when responses change for the same data, so that clients drop their copies
A_MINUTE = 60


def conditional_response(
    request: Request, meaning: Any, selection: Selection, respond: Callable[[str], HttpResponseBase]
) -> HttpResponseBase:
    """304 if the client has the response, otherwise what `respond` returns for the ETag; either with its headers.

    `meaning` is what the request asks for, as the view has understood it.
    """
    etag = etag_of(request, meaning, selection)
    response = HttpResponseNotModified() if client_has(etag, request) else respond(etag)
    response["ETag"] = etag
    visibility = "public" if request.auth is None else "private"
    patch_cache_control(response, max_age=max_age(selection), **{visibility: True})
    return response


def etag_of(request: Request, meaning: Any, selection: Selection) -> str:
    """The response's ETag.

    It is made before the lists are read. A change between the two is in the response under the old tag. That does no harm,
    because the versions never recur: no later request gets the old tag.
    """
    key, advertiser = key_of(request), selection.advertiser
    parts = [
        RESPONSE_VERSION,
        meaning,
        request.accepted_media_type,
        getattr(request.accepted_renderer, "encoding", "identity"),
        key and key.advertiser_id,
        [(run.pk, run.published_at, run.final, is_fresh(run.day)) for run in selection.runs],
        advertiser and (advertiser.active, advertiser.last_active_on),
        selection.versions,
    ]
    return f'"{hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]}"'


def client_has(etag: str, request: Request) -> bool:
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    return etag in (tag.removeprefix("W/") for tag in tags)


def max_age(selection: Selection) -> int:
    """How many seconds the response may be kept without asking again.

    The next day's lists are expected from midnight (UTC). Until then the newest lists and those of final days do not
    change; others may be replaced at any moment.
    """
    newest, now = selection.runs[0], timezone.now()
    if not is_fresh(newest.day) and not newest.final:
        return min(A_MINUTE, settings.CACHE_AT_MOST)
    midnight = datetime.combine(now.date() + A_DAY, time(), UTC)
    return min(int((midnight - now).total_seconds()), settings.CACHE_AT_MOST)
