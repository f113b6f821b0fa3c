"""Every problem of the API with an example, gathered by status as OpenAPI has responses."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from webapp.keys.permissions import HasKey, ReachesAll
from webapp.keys.problems import (
    AuthenticationRequired,
    ExpiredKey,
    InvalidKey,
    NotForThisKey,
    RevokedKey,
    TooManyRequests,
)
from webapp.rankings import problems
from webapp.rankings.models import RANKINGS
from webapp.rankings.problems import Problem

MEDIA_TYPE = "application/problem+json"

EXAMPLES: list[Problem] = [
    AuthenticationRequired("Send a key: `Authorization: Api-Key PREFIX.SECRET`."),
    InvalidKey("There is no such key."),
    ExpiredKey("The key 0123456789ab expired on 2026-03-01; ask for a new one."),
    RevokedKey("The key 0123456789ab was revoked; ask for a new one."),
    NotForThisKey("This tells about every advertiser, and the key is one advertiser's."),
    TooManyRequests("12000 requests a minute are allowed; go on in 17 seconds.", 17),
    problems.InvalidParameter("limit: “0” is not a whole number from 1 to 20.", parameter="limit"),
    problems.InvalidBody("The body is not JSON in UTF-8."),
    problems.BodyTooLarge("A body may have 65536 bytes at most."),
    problems.UnknownModel(f"“Best” is not a model; there are {', '.join(RANKINGS)}.", models=list(RANKINGS)),
    problems.UnknownAdvertiser("No advertiser “SHOES” was ever active; /api/v1/advertisers lists them."),
    problems.InactiveAdvertiser("“SHOES4YOU” is not active now; their history remains."),
    problems.NoRecommendations("“SHOES4YOU” had no events on 2026-03-09 that TopCTR could rank."),
    problems.NoExplanation("Run 7 of 2026-03-09 kept no counts; days ranked by this version on have them."),
    problems.DayNotPublished(
        "2026-03-10 is not published; the published days lie from 2026-01-01 to 2026-03-09.",
        first_day="2026-01-01",
        last_day="2026-03-09",
    ),
    problems.DatabaseUnavailable("The database does not answer at the moment; try again shortly."),
]
BY_CLASS = {type(example): example for example in EXAMPLES}
TYPES = ["about:blank", *(example.type for example in EXAMPLES)]


class ProblemSerializer(serializers.Serializer):
    """A problem document (RFC 9457). A program can switch on its type; some types have members of their own."""

    type = serializers.ChoiceField(choices=TYPES)
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    parameter = serializers.CharField(required=False, help_text="invalid-parameter: which")
    models = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="unknown-model: those there are"
    )
    first_day = serializers.DateField(required=False, allow_null=True, help_text="day-not-published: the first that is")
    last_day = serializers.DateField(required=False, allow_null=True, help_text="day-not-published: the last that is")

    class Meta:
        ref_name = "Problem"


def of_view(view: Any) -> set[type[Problem]]:
    """The problems that a view can answer with: its own, and those of whatever it is guarded by."""
    found: set[type[Problem]] = {*getattr(view, "problems", ())}
    permissions = view.permission_classes
    if any(issubclass(permission, HasKey) for permission in permissions):
        found |= {
            AuthenticationRequired,
            InvalidKey,
            ExpiredKey,
            RevokedKey,
            TooManyRequests,
            problems.DatabaseUnavailable,
        }
    if any(issubclass(permission, ReachesAll) for permission in permissions):
        found.add(NotForThisKey)
    return found


def responses(found: Iterable[type[Problem]], plain: Iterable[HTTPStatus]) -> dict[Any, OpenApiResponse]:
    """The problems as responses by status and media type; `plain` are statuses whose type is about:blank."""
    examples: dict[int, list[OpenApiExample]] = defaultdict(list)
    for example in EXAMPLES:
        if type(example) in found:
            document = example.members_of_document() | {"instance": "/api/v1/…"}
            examples[int(example.status_code)].append(
                OpenApiExample(example.type, summary=example.title, value=document)
            )
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
