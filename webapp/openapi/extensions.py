"""What drf-spectacular cannot see by itself: keys, the rows of the rankings, and what became of a batch's items."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension

from webapp.openapi.parameters import MODEL
from webapp.openapi.problems import ProblemSerializer
from webapp.rankings.models import RANKINGS
from webapp.rankings.serializers import RecommendationsSerializer

Schema = dict[str, Any]


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "webapp.keys.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The word `Api-Key`, a space, and the key: `Api-Key PREFIX.SECRET`.",
        }


def an_object(required: Schema, **optional: Schema) -> Schema:
    return {"type": "object", "properties": required | optional, "required": [*required]}


class ItemShape(OpenApiSerializerExtension):
    """A row of either ranking; of which, its scores say."""

    target_class = "webapp.rankings.serializers.ItemSerializer"

    def map_serializer(self, auto_schema: Any, direction: str) -> Schema:
        return {"oneOf": [self.row(ranking) for ranking in RANKINGS.values()]}

    def row(self, ranking: Any) -> Schema:
        rank = {"type": "integer", "minimum": 1, "maximum": 20}
        scores = {score: self.score(ranking._meta.get_field(score)) for score in ranking.scores}
        derived = {
            name: {"type": "number", "minimum": 0, "description": text} for name, text in ranking.derived.items()
        }
        return an_object({"rank": rank, "product_id": {"type": "string"}, **scores, **derived})

    def score(self, field: Any) -> Schema:
        kind = "number" if field.get_internal_type() == "FloatField" else "integer"
        return {"type": kind, "minimum": 0, "description": field.db_comment}


class OutcomeShape(OpenApiSerializerExtension):
    target_class = "webapp.rankings.serializers.OutcomeSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        answer = auto_schema.resolve_serializer(RecommendationsSerializer, direction).ref
        problem = auto_schema._map_serializer(ProblemSerializer, direction)
        del problem["properties"]["instance"]
        problem["required"].remove("instance")
        asked = {"advertiser_id": {"type": "string"}, "model": MODEL}
        return {
            "oneOf": [
                an_object({**asked, "status": {"const": 200}, "answer": answer}),
                an_object({**asked, "status": {"const": 404}, "problem": problem}),
            ]
        }
