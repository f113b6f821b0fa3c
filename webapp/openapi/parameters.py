"""The parameters of a view as OpenAPI has them, with what the view's docstring says of each."""

import re
from collections.abc import Iterator
from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers
from rest_framework.fields import empty

from webapp.rankings import parameters
from webapp.rankings.filters import DayFilter, YesNoFilter
from webapp.rankings.models import RANKINGS

Schema = dict[str, Any]

DAY: Schema = {"type": "string", "format": "date"}
ID: Schema = {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f]{1,64}$"}
MODEL: Schema = {"type": "string", "enum": list(RANKINGS)}

PATH: dict[str, tuple[Schema, str, Any]] = {
    "advertiser_id": ({"type": "string", "minLength": 1, "maxLength": 64}, "The ad platform's id.", "SHOES4YOU"),
    "model": (MODEL, "The ranking.", "TopCTR"),
    "product_id": (ID, "The advertiser's product.", "boot42"),
    "date": (DAY, "A published day.", "2026-03-09"),
}


def schema_of_field(field: serializers.Field) -> Schema:
    """The JSON schema of a field of a query or body."""
    if isinstance(field, parameters.NumberField):
        return {"type": "integer", "minimum": field.least, "maximum": field.most}
    if isinstance(field, parameters.WindowField):
        return {"type": "integer", "enum": list(field.choices)}
    if isinstance(field, parameters.DayField):
        return DAY
    if isinstance(field, parameters.IdField):
        return ID
    if isinstance(field, serializers.ListField):
        most, least = field.max_length, field.min_length
        bounds = {"maxItems": most, **({"minItems": least} if least else {})}
        return {"type": "array", "items": schema_of_field(field.child), **bounds}
    return MODEL


def schema_of_filter(each: django_filters.Filter) -> Schema:
    """The JSON schema of a filter; one that is empty does not filter."""
    if isinstance(each, DayFilter):
        return {"anyOf": [DAY, {"const": ""}]}
    if isinstance(each, YesNoFilter):
        return {"type": "string", "enum": ["true", "false", ""]}
    if isinstance(each, django_filters.ChoiceFilter):
        return {"type": "string", "enum": [*(value for value, _ in each.extra["choices"]), ""]}
    return {"type": "string", "maxLength": each.extra["max_length"], "pattern": r"^[^\u0000]*$"}


def with_default(schema: Schema, field: serializers.Field) -> Schema:
    if field.default is empty:
        return schema
    return schema | {"default": field.default() if callable(field.default) else field.default}


def schema_of_body(body: type[serializers.Serializer]) -> Schema:
    fields = body().fields
    return {
        "type": "object",
        "properties": {name: with_default(schema_of_field(field), field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
        "additionalProperties": False,
        "examples": [{"advertiser_ids": ["SHOES4YOU", "SHOES"], "models": ["TopCTR"], "fallback": "TopProduct"}],
    }


def parameters_of(view: Any, path: str) -> Iterator[OpenApiParameter]:
    """Those in the path, then those that the view's query and filters take."""
    for name in re.findall(r"{(\w+)}", path):
        schema, meaning, example = PATH[name]
        yield OpenApiParameter(
            name,
            schema,
            OpenApiParameter.PATH,
            description=meaning,
            required=True,
            examples=[OpenApiExample(str(example), value=example)],
        )
    meanings = meanings_in(view.__doc__ or "")
    filters = view.filterset_class.base_filters if getattr(view, "filterset_class", None) else {}
    schemas = {name: schema_of_filter(each) for name, each in filters.items()}
    schemas |= {name: with_default(schema_of_field(field), field) for name, field in view.query_class().fields.items()}
    if len(view.renderer_classes) > 1 and "format" in meanings:
        schemas["format"] = {"type": "string", "enum": [renderer.format for renderer in view.renderer_classes]}
    for name, schema in schemas.items():
        yield OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=meanings.get(name, ""), explode=True)


def meanings_in(docstring: str) -> dict[str, str]:
    """What the lines `name: meaning` of a docstring say."""
    return dict(re.findall(r"^ *(\w+): (.+)$", docstring, re.MULTILINE))


def without_meanings(docstring: str) -> str:
    """The rest of it."""
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"^ *\w+: .+$\n?", "", docstring, flags=re.MULTILINE)).strip()
