"""The filters of the listings."""

from typing import Any

import django_filters
from django import forms
from django.utils.text import get_text_list

from webapp.api.fields import DayFormField
from webapp.limits import MAX_ID_LENGTH
from webapp.rankings.models import Advertiser, Run


class YesNoField(forms.TypedChoiceField):
    """true or false in any case."""

    def to_python(self, value: Any) -> str:
        return super().to_python(value).lower()


class YesNoFilter(django_filters.ChoiceFilter):
    """true or false. Unlike BooleanFilter it refuses anything else instead of ignoring it."""

    field_class = YesNoField

    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=[("true", "Yes"), ("false", "No")],
            coerce=lambda word: word == "true",
            empty_value=None,
            error_messages={"invalid_choice": "“%(value)s” is neither true nor false."},
            **options,
        )


class DayFilter(django_filters.Filter):
    field_class = DayFormField


class AdvertiserFilter(django_filters.FilterSet):
    active = YesNoFilter(label="Active", help_text="true or false.")
    search = django_filters.CharFilter(
        field_name="advertiser_id",
        lookup_expr="icontains",
        label="Id contains",
        max_length=MAX_ID_LENGTH,
        strip=False,
        help_text="A part of the id, in any case.",
    )

    class Meta:
        model = Advertiser
        fields = ()


STATES = get_text_list(Run.State.values, "or")


class RunFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(
        choices=Run.State.choices,
        label="State",
        help_text=f"{STATES}.",
        error_messages={"invalid_choice": f"“%(value)s” is not a state; use {STATES}."},
    )
    day = DayFilter(label="Day", help_text="The day that was ranked, YYYY-MM-DD.")
    day_from = DayFilter(field_name="day", lookup_expr="gte", label="First day", help_text="The first day of a range.")
    day_to = DayFilter(field_name="day", lookup_expr="lte", label="Last day", help_text="The last day of a range.")

    class Meta:
        model = Run
        fields = ()
