"""What the lists of the API can be filtered by."""

from typing import Any

import django_filters
from django import forms

from webapp.rankings.models import Advertiser, Run
from webapp.rankings.parameters import DayFormField


class YesNoField(forms.TypedChoiceField):
    """true or false, however capitalised."""

    def to_python(self, value: Any) -> str:
        return super().to_python(value).lower()


class YesNoFilter(django_filters.ChoiceFilter):
    """True or false; unlike BooleanFilter it refuses anything else instead of not filtering."""

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
    active = YesNoFilter(label="Active")
    search = django_filters.CharFilter(
        field_name="advertiser_id", lookup_expr="icontains", label="Id contains", max_length=64
    )

    class Meta:
        model = Advertiser
        fields = ()


class RunFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(
        choices=Run.State.choices,
        label="State",
        error_messages={"invalid_choice": f"“%(value)s” is not a state; it is {', '.join(Run.State.values)}."},
    )
    day = DayFilter(label="Day")
    day_from = DayFilter(field_name="day", lookup_expr="gte", label="First day")
    day_to = DayFilter(field_name="day", lookup_expr="lte", label="Last day")

    class Meta:
        model = Run
        fields = ()
