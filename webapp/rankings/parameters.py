"""What may stand behind the `?` of an address. Anything that is not understood is refused, never guessed at."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings

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


class DayFormField(forms.Field):
    """A day of a filter form."""

    widget = forms.DateInput(attrs={"type": "date"})

    def to_python(self, value: Any) -> date | None:
        try:
            return parse_day(value) if value else None
        except ValueError as mistake:
            raise forms.ValidationError(str(mistake)) from None


class Query(serializers.Serializer):
    """The parameters that an endpoint takes; this one takes none."""

    @classmethod
    def read(cls, request: Request, also: Iterable[str] = ()) -> dict[str, Any]:
        """The request's parameters, checked. `also` names those that somebody else reads."""
        given: MultiValueDict[str, str] = request.query_params
        query = cls(data={name: value for name, value in given.items() if name in cls().fields})
        known = sorted({*query.fields, *also})
        for name, values in given.lists():
            if name not in (*known, FORMAT):
                takes = f"takes {', '.join(known)}" if known else "takes no parameter"
                raise serializers.ValidationError({name: [f"there is no such parameter; this endpoint {takes}."]})
            if len(values) > 1:
                raise serializers.ValidationError({name: ["it is given more than once."]})
        query.is_valid(raise_exception=True)
        return query.validated_data


class RecommendationsQuery(Query):
    date = DayField(required=False)
    limit = NumberField(least=1, most=20, default=20)


class HistoryQuery(Query):
    days = NumberField(least=1, most=90, default=7)
    to = DayField(required=False)
    model = serializers.CharField(required=False, trim_whitespace=False)


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
