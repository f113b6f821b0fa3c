"""The fields that parameters and request bodies are made of."""

import re
from datetime import date
from typing import Any

from django import forms
from django.utils.text import get_text_list
from rest_framework import serializers

from webapp.rankings.models import RANKINGS, WINDOWS
from webapp.rankings.values import is_id, no_id, parse_day, shown


class DayField(serializers.Field):
    """A day, YYYY-MM-DD."""

    def to_internal_value(self, data: Any) -> date:
        try:
            return parse_day(data if isinstance(data, str) else str(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class NumberField(serializers.Field):
    """A whole number from `least` to `most`, in ASCII digits."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def to_internal_value(self, data: Any) -> int:
        if re.fullmatch(r"[0-9]{1,9}", data) and self.least <= int(data) <= self.most:
            return int(data)
        raise self.error(data)

    def error(self, data: Any) -> serializers.ValidationError:
        numbers = f"whole number from {self.least} to {self.most}"
        return serializers.ValidationError(f"{shown(str(data))} is not a {numbers}.")


class JsonNumberField(NumberField):
    """A whole number as a JSON number; 20.0 is one."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) in (int, float) and self.least <= data <= self.most and data == int(data):
            return int(data)
        raise self.error(data)


class IdField(serializers.Field):
    """The id of an advertiser or product."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and is_id(data):
            return data
        raise serializers.ValidationError(no_id(str(data)))


class ModelNameField(serializers.ChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=list(RANKINGS), **options)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and data in RANKINGS:
            return data
        models = get_text_list(list(RANKINGS), "or")
        raise serializers.ValidationError(f"{shown(str(data))} is not a model; use {models}.")


class WindowField(serializers.Field):
    """The number of days in a list."""

    choices = (1, *WINDOWS)

    def __init__(self, **options: Any) -> None:
        super().__init__(default=1, **options)

    def to_internal_value(self, data: Any) -> int:
        if str(data) in map(str, self.choices):
            return int(data)
        raise serializers.ValidationError(f"{shown(str(data))} is not a valid window; use {self.choices_in_words()}.")

    @classmethod
    def choices_in_words(cls) -> str:
        return get_text_list([str(days) for days in cls.choices], "or")


class DayFormField(forms.Field):
    """A day in a filter form."""

    widget = forms.DateInput(attrs={"type": "date"})

    def to_python(self, value: Any) -> date | None:
        try:
            return parse_day(value) if value else None
        except ValueError as error:
            # Passed as a parameter, because Django would interpret a percent sign in the message itself.
            raise forms.ValidationError("%(error)s", params={"error": str(error)}) from None
