"""What drf-spectacular cannot derive: keys, the items of lists, and the results of a batch."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension

from webapp.api.openapi.parameters import MODEL, Schema, object_schema
from webapp.api.openapi.problems import ProblemSerializer
from webapp.api.serializers import RecommendationsSerializer
from webapp.rankings.models import LONGEST_LIST, RANKINGS, Ranking

EXPLORE: Schema = {"const": True, "description": "The product was drawn by ?explore=; otherwise absent"}


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "webapp.keys.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key`, a space, and the key: `Api-Key PREFIX.SECRET`.",
        }


class ItemExtension(OpenApiSerializerExtension):
    """An item of any model; its score columns tell which."""

    target_class = "webapp.api.serializers.ItemSerializer"

    def map_serializer(self, auto_schema: Any, direction: str) -> Schema:
        return {"oneOf": [self.item(ranking) for ranking in RANKINGS.values()]}

    def item(self, ranking: type[Ranking]) -> Schema:
        rank: Schema = {"type": "integer", "minimum": 1}
        if not ranking.can_explore:  # explored products are from beyond the end of the list
            rank["maximum"] = LONGEST_LIST
        scores = {score: self.score(ranking._meta.get_field(score)) for score in ranking.scores}
        derived = {
            name: {"type": "number", "minimum": 0, "description": text} for name, text in ranking.derived.items()
        }
        item = object_schema({"rank": rank, "product_id": {"type": "string"}, **scores, **derived})
        if ranking.can_explore:
            item["properties"]["explore"] = EXPLORE
        return item

    def score(self, field: Any) -> Schema:
        kind = "number" if field.get_internal_type() == "FloatField" else "integer"
        return {"type": kind, "minimum": 0, "description": field.db_comment}


class BatchResultExtension(OpenApiSerializerExtension):
    target_class = "webapp.api.serializers.BatchResultSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        answer = auto_schema.resolve_serializer(RecommendationsSerializer, direction).ref
        problem = auto_schema._map_serializer(ProblemSerializer, direction)
        del problem["properties"]["instance"]
        problem["required"].remove("instance")
        requested = {"advertiser_id": {"type": "string"}, "model": MODEL}
        return {
            "oneOf": [
                object_schema({**requested, "status": {"const": 200}, "answer": answer}),
                object_schema({**requested, "status": {"const": 404}, "problem": problem}),
            ]
        }
