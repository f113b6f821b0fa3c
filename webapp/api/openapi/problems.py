"""An example of every problem, grouped into responses by status."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from webapp.api import problems as bodies
from webapp.keys import problems as keys
from webapp.keys.permissions import HasKey, ReachesAll
from webapp.lists import problems as lists
from webapp.problems import DatabaseUnavailable, InvalidParameter, Problem
from webapp.rankings.models import LONGEST_LIST, RANKINGS

MEDIA_TYPE = "application/problem+json"

KEY_PROBLEMS = {keys.AuthenticationRequired, keys.InvalidKey, keys.ExpiredKey, keys.RevokedKey, keys.TooManyRequests}
EXAMPLES: list[Problem] = [
    keys.AuthenticationRequired("Send a key: `Authorization: Api-Key PREFIX.SECRET`."),
    keys.InvalidKey("There is no such key."),
    keys.ExpiredKey("The key 0123456789ab expired on 2026-03-01; ask for a new one."),
    keys.RevokedKey("The key 0123456789ab was revoked; ask for a new one."),
    keys.NotForThisKey("This tells about every advertiser, and the key is one advertiser's."),
    keys.TooManyRequests("12000 requests a minute are allowed; go on in 17 seconds.", 17),
    InvalidParameter(f"limit: “0” is not a whole number from 1 to {LONGEST_LIST}.", parameter="limit"),
    bodies.InvalidBody("The body is not valid JSON in UTF-8."),
    bodies.BodyTooLarge("The body must not exceed 65536 bytes."),
    lists.UnknownModel(f"“Best” is not a model; use {', '.join(RANKINGS)}.", models=list(RANKINGS)),
    lists.UnknownAdvertiser("There is no advertiser “SHOES”; see /api/v1/advertisers."),
    lists.InactiveAdvertiser("“SHOES4YOU” is not active; only its history is available."),
    lists.NoRecommendations("TopCTR has no products for “SHOES4YOU” on 2026-03-09."),
    lists.NoExplanation("Run 7 of 2026-03-09 stored no counts to explain its lists with."),
    lists.DayNotPublished(
        "2026-03-10 is not published; published days range from 2026-01-01 to 2026-03-09.",
        first_day="2026-01-01",
        last_day="2026-03-09",
    ),
    DatabaseUnavailable("The database is not responding; try again shortly."),
]
TYPES = ["about:blank", *(example.type for example in EXAMPLES)]


class ProblemSerializer(serializers.Serializer):
    """A problem document (RFC 9457). Programs can switch on its type; some types have extra members."""

    type = serializers.ChoiceField(choices=TYPES)
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    parameter = serializers.CharField(required=False, help_text="invalid-parameter: its name")
    models = serializers.ListField(child=serializers.CharField(), required=False, help_text="unknown-model: all models")
    first_day = serializers.DateField(required=False, allow_null=True, help_text="day-not-published: first published")
    last_day = serializers.DateField(required=False, allow_null=True, help_text="day-not-published: last published")

    class Meta:
        ref_name = "Problem"


def of_view(view: Any) -> set[type[Problem]]:
    """The problems a view can respond with: its own, and those of its permissions."""
    found: set[type[Problem]] = {*getattr(view, "problems", ())}
    permissions = view.permission_classes
    if any(issubclass(permission, HasKey) for permission in permissions):
        found |= {*KEY_PROBLEMS, DatabaseUnavailable}
    if any(issubclass(permission, ReachesAll) for permission in permissions):
        found.add(keys.NotForThisKey)
    return found


def responses(found: Iterable[type[Problem]], plain: Iterable[HTTPStatus]) -> dict[Any, OpenApiResponse]:
    """Responses by status and media type; `plain` are statuses of problems whose type is about:blank."""
    examples: dict[int, list[OpenApiExample]] = defaultdict(list)
    for example in EXAMPLES:
        if type(example) in found:
            value = example.as_member() | {"instance": "/api/v1/…"}
            examples[int(example.status_code)].append(OpenApiExample(example.type, summary=example.title, value=value))
    for status in plain:
        examples[int(status)] += []
    return {
        (status, MEDIA_TYPE): OpenApiResponse(
            ProblemSerializer,
            description=", ".join(each.name for each in of_status) or HTTPStatus(status).phrase,
            examples=of_status,
        )
        for status, of_status in sorted(examples.items())
    }
