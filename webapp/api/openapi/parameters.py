"""The parameters of a view as OpenAPI describes them."""

import re
from collections.abc import Iterator
from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers
from rest_framework.fields import empty

from webapp.api import fields
from webapp.api.base import ApiViewSet
from webapp.api.filters import DayFilter, YesNoFilter
from webapp.limits import MAX_ID_LENGTH
from webapp.rankings.models import RANKINGS

Schema = dict[str, Any]

DAY: Schema = {"type": "string", "format": "date"}
ID: Schema = {"type": "string", "pattern": rf"^[\p{{L}}\p{{M}}\p{{N}}\p{{P}}\p{{S}} ]{{1,{MAX_ID_LENGTH}}}$"}
MODEL: Schema = {"type": "string", "enum": list(RANKINGS)}

PATH: dict[str, tuple[Schema, str, str]] = {
    "advertiser_id": ({"type": "string", "minLength": 1, "maxLength": 64}, "The id on the ad platform.", "SHOES4YOU"),
    "model": (MODEL, "The model that ranks the list.", "TopCTR"),
    "product_id": (ID, "The product's id.", "boot42"),
    "date": (DAY, "A published day.", "2026-03-09"),
}


def object_schema(members: Schema) -> Schema:
    """An object that has all of these members."""
    return {"type": "object", "properties": members, "required": [*members]}


def schema_of_field(field: serializers.Field) -> Schema:
    """The JSON schema of a query parameter or body member."""
    if isinstance(field, fields.NumberField):
        return {"type": "integer", "minimum": field.least, "maximum": field.most}
    if isinstance(field, fields.WindowField):
        return {"type": "integer", "enum": list(field.choices)}
    if isinstance(field, fields.DayField):
        return DAY
    if isinstance(field, fields.IdField):
        return ID
    if isinstance(field, serializers.ListField):
        most, least = field.max_length, field.min_length
        bounds = {"maxItems": most, **({"minItems": least} if least else {})}
        return {"type": "array", "items": schema_of_field(field.child), **bounds}
    return MODEL


def schema_of_filter(each: django_filters.Filter) -> Schema:
    """The JSON schema of a filter; an empty value does not filter."""
    if isinstance(each, DayFilter):
        return {"anyOf": [DAY, {"const": ""}]}
    if isinstance(each, YesNoFilter):
        return {"type": "string", "enum": ["true", "false", ""]}
    if isinstance(each, django_filters.ChoiceFilter):
        return {"type": "string", "enum": [*(value for value, _ in each.extra["choices"]), ""]}
    return {"type": "string", "maxLength": each.extra["max_length"], "pattern": r"^[^\u0000]*$"}


def with_default(field: serializers.Field) -> Schema:
    schema = schema_of_field(field)
    if field.default is empty:
        return schema
    return schema | {"default": field.default() if callable(field.default) else field.default}


def schema_of_body(body: type[serializers.Serializer]) -> Schema:
    members = body().fields
    return {
        "type": "object",
        "properties": {name: schema_of_member(field) for name, field in members.items()},
        "required": [name for name, field in members.items() if field.required],
        "additionalProperties": False,
        "examples": [{"advertiser_ids": ["SHOES4YOU", "SHOES"], "models": ["TopCTR"], "fallback": "TopProduct"}],
    }


def schema_of_member(field: serializers.Field) -> Schema:
    description = {"description": str(field.help_text)} if field.help_text else {}
    return with_default(field) | description


def path_parameters(path: str) -> Iterator[OpenApiParameter]:
    for name in re.findall(r"{(\w+)}", path):
        schema, meaning, example = PATH[name]
        examples = [OpenApiExample(example, value=example)]
        yield OpenApiParameter(name, schema, "path", description=meaning, required=True, examples=examples)


def query_parameters(view: ApiViewSet) -> Iterator[OpenApiParameter]:
    """What the view's query, filters and formats accept."""
    schemas = {name: schema_of_filter(each) for name, each in view.filters().items()}
    schemas |= {name: with_default(field) for name, field in view.query_class().fields.items()}
    for name, meaning in view.parameters().items():
        schema = schemas.get(name) or {"type": "string", "enum": [each.format for each in view.renderer_classes]}
        yield OpenApiParameter(name, schema, "query", description=meaning, explode=True)
