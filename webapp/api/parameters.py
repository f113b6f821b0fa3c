"""Each endpoint's query parameters, and the batch's body. The help texts document them in the schema and in browsers.

Whatever is not understood is refused: an unknown parameter, a repeated one, a value out of range.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.text import get_text_list
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.settings import api_settings

from webapp.api.fields import DayField, IdField, JsonNumberField, ModelNameField, NumberField, WindowField
from webapp.limits import MAX_IDS
from webapp.lists.exploration import MOST_EXPLORED
from webapp.rankings.models import LONGEST_LIST, RANKINGS
from webapp.rankings.values import shown

MAX_PAGE_SIZE = 1000
LONGEST_KEPT = 4096  # bytes of a query string whose parameters are kept; strangers may send 78 KB
FORMAT = api_settings.URL_FORMAT_OVERRIDE  # ?format=json, which DRF itself reads

DAY = "A published day, YYYY-MM-DD; by default the newest."
LIMIT = f"The maximum number of products, 1 to {LONGEST_LIST}."
EXCLUDE = f"A product to leave out; repeat it for up to {MAX_IDS}. The other products keep their ranks."
FALLBACK = "The model to use where the requested one has no products; `instead_of` then names the requested one."
WINDOW = f"The number of days in a list, the last of which is its date: {WindowField.choices_in_words()}."
EXPLORE = (
    f"How many of the last places, 0 to {MOST_EXPLORED}, go to products that may be better than their few impressions can "
    "show; ExpectedCTR only."
)
ONE_MODEL = "Only this model's lists."
ROWS = "The maximum rows of most_changed and by_advertiser, 1 to 1000."
PAGE_SIZE = f"The number of results per page, 1 to {MAX_PAGE_SIZE}."
MODELS = "By default the models of which every advertiser with events has a list."
EXCLUDE_FROM_ALL = "Products to leave out of every list."


class Query(serializers.Serializer):
    """An endpoint's query parameters; this class has none. Only list fields may be repeated."""

    @classmethod
    def parse(cls, query_string: bytes, filters: frozenset[str] = frozenset()) -> Mapping[str, Any]:
        """The validated parameters of the query string; `filters` are names that a filter set validates."""
        parse = cls.parse_once if len(query_string) <= LONGEST_KEPT else cls.parse_again
        return parse(query_string, filters)

    @classmethod
    @lru_cache(maxsize=1000)  # most requests repeat the query strings of earlier ones
    def parse_once(cls, query_string: bytes, filters: frozenset[str]) -> Mapping[str, Any]:
        return cls.parse_again(query_string, filters)

    @classmethod
    def parse_again(cls, query_string: bytes, filters: frozenset[str]) -> Mapping[str, Any]:
        try:
            given: MultiValueDict[str, str] = QueryDict(query_string)
        except SuspiciousOperation as error:  # too many parameters
            raise ParseError(str(error)) from None
        fields = cls._declared_fields  # of the class: an instance would copy them
        lists = {name for name, field in fields.items() if isinstance(field, serializers.ListField)}
        known = sorted({*fields, *filters})
        for name, values in given.lists():
            if name not in (*known, FORMAT):
                takes = get_text_list(known, "and") if known else "no parameters"
                raise serializers.ValidationError({name: [f"unknown parameter; this endpoint takes {takes}."]})
            if name == FORMAT and not values[-1]:
                raise serializers.ValidationError({name: ["must not be empty."]})
            if len(values) > 1 and name not in lists:
                raise serializers.ValidationError({name: ["must not be repeated."]})
        query = cls(
            data={name: values if name in lists else values[-1] for name, values in given.lists() if name in fields}
        )
        query.is_valid(raise_exception=True)
        return query.validated_data


class RecommendationsQuery(Query):
    date = DayField(required=False, help_text=DAY)
    limit = NumberField(least=1, most=LONGEST_LIST, default=LONGEST_LIST, help_text=LIMIT)
    exclude = serializers.ListField(child=IdField(), max_length=MAX_IDS, default=list, help_text=EXCLUDE)
    fallback = ModelNameField(required=False, help_text=FALLBACK)
    window = WindowField(help_text=WINDOW)
    explore = NumberField(least=0, most=MOST_EXPLORED, default=0, help_text=EXPLORE)


class HistoryQuery(Query):
    days = NumberField(least=1, most=90, default=7, help_text="The number of days, 1 to 90.")
    to = DayField(required=False, help_text="The last day, YYYY-MM-DD; by default the newest published day.")
    model = serializers.CharField(required=False, trim_whitespace=False, help_text=ONE_MODEL)
    window = WindowField(help_text=WINDOW)


class SnapshotQuery(Query):
    model = ModelNameField(required=False, help_text=ONE_MODEL)
    window = WindowField(help_text=WINDOW)


class ExplainQuery(Query):
    date = DayField(required=False, help_text=DAY)


class StatsQuery(Query):
    date = DayField(required=False, help_text=DAY)
    limit = NumberField(least=1, most=1000, default=100, help_text=ROWS)


class PageQuery(Query):
    page = NumberField(least=1, most=999_999_999, default=1, help_text="The page number, from 1.")
    page_size = NumberField(least=1, most=MAX_PAGE_SIZE, default=100, help_text=PAGE_SIZE)


class BatchBody(serializers.Serializer):
    """The body of a request for many lists at once."""

    advertiser_ids = serializers.ListField(child=IdField(), min_length=1, max_length=MAX_IDS)
    models = serializers.ListField(
        child=ModelNameField(), min_length=1, max_length=len(RANKINGS), required=False, help_text=MODELS
    )
    date = DayField(required=False, help_text=DAY)
    limit = JsonNumberField(least=1, most=LONGEST_LIST, default=LONGEST_LIST, help_text=LIMIT)
    exclude = serializers.ListField(child=IdField(), max_length=MAX_IDS, default=list, help_text=EXCLUDE_FROM_ALL)
    fallback = ModelNameField(required=False, help_text=FALLBACK)
    window = WindowField(help_text=WINDOW)

    @classmethod
    def parse(cls, body: dict[str, Any]) -> dict[str, Any]:
        """The validated members of the body."""
        known = sorted(cls._declared_fields)
        for name in body:
            if name not in known:
                takes = get_text_list(known, "and")
                raise serializers.ValidationError({name[:40]: [f"unknown member; this endpoint takes {takes}."]})
        members = cls(data=body)
        members.is_valid(raise_exception=True)
        return members.validated_data


class FormatNegotiation(DefaultContentNegotiation):
    """DRF's, except that an unknown ?format= is an invalid parameter and not a page that is not found."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], wanted: str) -> list[BaseRenderer]:
        renderers = list(renderers)
        matching = [renderer for renderer in renderers if renderer.format == wanted]
        if not matching:
            formats = get_text_list([str(renderer.format) for renderer in renderers], "or")
            raise serializers.ValidationError({FORMAT: [f"{shown(wanted)} is not a format; use {formats}."]})
        return matching
