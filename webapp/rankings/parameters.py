"""What may stand behind the `?` of an address. Anything that is not understood is refused, never guessed at."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.settings import api_settings

from webapp.rankings.models import LONGEST_LIST, RANKINGS, WINDOWS

ID = r"[^\x00-\x1f\x7f]{1,64}"
MOST_IDS = 100  # in one request
FORMAT = api_settings.URL_FORMAT_OVERRIDE  # ?format=json, which DRF itself takes


def parse_day(text: str) -> date:
    """YYYY-MM-DD in ASCII digits and nothing else of ISO 8601; ValueError says how a day is written."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # such as 2026-02-30
    raise ValueError(f"{shown(text)} is not a day; write it as YYYY-MM-DD.")


def shown(text: str) -> str:
    """What was sent, short enough to be said back."""
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def no_id(text: str) -> str:
    return f"{shown(text)} is no id; one has 1 to 64 printable characters."


class DayField(serializers.Field):
    """A day of the query."""

    def to_internal_value(self, data: str) -> date:
        try:
            return parse_day(data)
        except ValueError as mistake:
            raise serializers.ValidationError(str(mistake)) from None


class NumberField(serializers.Field):
    """A whole number from `least` to `most`, in ASCII digits."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def to_internal_value(self, data: str) -> int:
        if re.fullmatch(r"[0-9]{1,9}", data) and self.least <= int(data) <= self.most:
            return int(data)
        raise serializers.ValidationError(f"{shown(data)} is not a whole number from {self.least} to {self.most}.")


class JsonNumberField(NumberField):
    """The same in JSON, where it is no text."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) in (int, float) and self.least <= data <= self.most and data == int(data):  # 20.0 is whole
            return int(data)
        raise serializers.ValidationError(f"{shown(str(data))} is not a whole number from {self.least} to {self.most}.")


class JsonDayField(DayField):
    def to_internal_value(self, data: Any) -> date:
        return super().to_internal_value(data if isinstance(data, str) else str(data))


class IdField(serializers.Field):
    """An advertiser's or a product's id."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and re.fullmatch(ID, data):
            return data
        raise serializers.ValidationError(no_id(str(data)))


class NameField(serializers.ChoiceField):
    """The name of a model."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=list(RANKINGS), **options)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and data in RANKINGS:
            return data
        raise serializers.ValidationError(f"{shown(str(data))} is not a model; there are {', '.join(RANKINGS)}.")


class WindowField(serializers.Field):
    """Over how many days a list is."""

    choices = (1, *WINDOWS)

    def __init__(self, **options: Any) -> None:
        super().__init__(default=1, **options)

    def to_internal_value(self, data: Any) -> int:
        if str(data) in map(str, self.choices):
            return int(data)
        raise serializers.ValidationError(f"{shown(str(data))} is none; it is {', '.join(map(str, self.choices))}.")


class DayFormField(forms.Field):
    """A day of a filter form."""

    widget = forms.DateInput(attrs={"type": "date"})

    def to_python(self, value: Any) -> date | None:
        try:
            return parse_day(value) if value else None
        except ValueError as mistake:
            # As a parameter, since a percent sign in the message itself would be taken for one.
            raise forms.ValidationError("%(mistake)s", params={"mistake": str(mistake)}) from None


class Query(serializers.Serializer):
    """The parameters that an endpoint takes; this one takes none. A list may be given several times, others once."""

    @classmethod
    @lru_cache(maxsize=1000)  # most requests ask with what others asked before: nothing, or always the same
    def read(cls, query_string: bytes, also: frozenset[str] = frozenset()) -> Mapping[str, Any]:
        """What stands behind the `?`, checked. `also` names the parameters that somebody else reads."""
        given: MultiValueDict[str, str] = QueryDict(query_string)
        fields = cls._declared_fields  # the class's own, since a serializer's are copied for each request
        lists = {name for name, field in fields.items() if isinstance(field, serializers.ListField)}
        query = cls(
            data={name: values if name in lists else values[-1] for name, values in given.lists() if name in fields}
        )
        known = sorted({*fields, *also})
        for name, values in given.lists():
            if name not in (*known, FORMAT):
                takes = f"takes {', '.join(known)}" if known else "takes no parameter"
                raise serializers.ValidationError({name: [f"there is no such parameter; this endpoint {takes}."]})
            if name == FORMAT and not values[-1]:
                raise serializers.ValidationError({name: ["it is empty."]})
            if len(values) > 1 and name not in lists:
                raise serializers.ValidationError({name: ["it is given more than once."]})
        query.is_valid(raise_exception=True)
        return query.validated_data


class RecommendationsQuery(Query):
    date = DayField(required=False)
    limit = NumberField(least=1, most=LONGEST_LIST, default=LONGEST_LIST)
    exclude = serializers.ListField(child=IdField(), max_length=MOST_IDS, default=list)
    fallback = NameField(required=False)
    window = WindowField()


class BatchQuery(serializers.Serializer):
    """The body of a request for many lists at once."""

    advertiser_ids = serializers.ListField(child=IdField(), min_length=1, max_length=MOST_IDS)
    models = serializers.ListField(child=NameField(), min_length=1, max_length=len(RANKINGS), required=False)
    date = JsonDayField(required=False)
    limit = JsonNumberField(least=1, most=LONGEST_LIST, default=LONGEST_LIST)
    exclude = serializers.ListField(child=IdField(), max_length=MOST_IDS, default=list)
    fallback = NameField(required=False)
    window = WindowField()

    @classmethod
    def read(cls, body: dict[str, Any]) -> dict[str, Any]:
        """The body's members, checked."""
        for name in body:
            if name not in cls().fields:
                members = ", ".join(sorted(cls().fields))
                raise serializers.ValidationError(
                    {name[:40]: [f"there is no such member; this endpoint takes {members}."]}
                )
        query = cls(data=body)
        query.is_valid(raise_exception=True)
        return query.validated_data


class HistoryQuery(Query):
    days = NumberField(least=1, most=90, default=7)
    to = DayField(required=False)
    model = serializers.CharField(required=False, trim_whitespace=False)
    window = WindowField()


class SnapshotQuery(Query):
    model = NameField(required=False)
    window = WindowField()


class ExplainQuery(Query):
    date = DayField(required=False)


class StatsQuery(Query):
    date = DayField(required=False)
    limit = NumberField(least=1, most=1000, default=100)


class PageQuery(Query):
    page = NumberField(least=1, most=999_999_999, default=1)
    page_size = NumberField(least=1, most=1000, default=100)


class FormatNegotiation(DefaultContentNegotiation):
    """DRF's, except that a format there is not is a parameter that is not valid, rather than a page not found."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], wanted: str) -> list[BaseRenderer]:
        renderers = list(renderers)
        fitting = [renderer for renderer in renderers if renderer.format == wanted]
        if not fitting:
            formats = " or ".join(str(renderer.format) for renderer in renderers)
            raise serializers.ValidationError({FORMAT: [f"{shown(wanted)} is not one; it is {formats}."]})
        return fitting
