"""What good answers look like: one example each, and the shapes that no serializer declares."""

import json
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from webapp.rankings import health, many, views

DAY = "2026-03-09"
LIST = {
    "advertiser_id": "SHOES4YOU",
    "model": "TopCTR",
    "date": DAY,
    "status": "fresh",
    "run": 41,
    "published_at": "2026-03-10T03:10:00Z",
    "final": False,
    "items": [
        {
            "rank": 1,
            "product_id": "boot42",
            "clicks": 9,
            "impressions": 120,
            "ctr": 0.075,
            "score": 0.075,
            "ctr_low": 0.039957115,
            "ctr_high": 0.136409176,
        },
        {
            "rank": 2,
            "product_id": "sandal",
            "clicks": 4,
            "impressions": 80,
            "ctr": 0.05,
            "score": 0.05,
            "ctr_low": 0.019613555,
            "ctr_high": 0.121622763,
        },
    ],
}
VIEWED = [{"rank": 1, "product_id": "boot42", "views": 310}]
LINE = {name: LIST[name] for name in ("advertiser_id", "model", "date", "run", "items")}
PROBLEM = {
    "type": "unknown-advertiser",
    "title": "There is no such advertiser",
    "status": 404,
    "detail": "No advertiser “SHOES” was ever active; /api/v1/advertisers lists them.",
}

EXAMPLES: dict[type, Any] = {
    views.RootView: {"models": "https://vitrina.example.com/api/v1/models/"},
    views.RecommendationsView: LIST,
    views.HistoryView: {
        "advertiser_id": "SHOES4YOU",
        "from": DAY,
        "to": DAY,
        "days": [
            {"date": DAY, "published": True, "final": False, "models": {"TopProduct": VIEWED, "TopCTR": LIST["items"]}}
        ],
    },
    views.ExplanationView: {
        "advertiser_id": "SHOES4YOU",
        "model": "TopCTR",
        "product_id": "clog",
        "date": DAY,
        "run": 41,
        "published_at": "2026-03-10T03:10:00Z",
        "listed": False,
        "reason": "beyond-the-list",
        "explanation": "It ranks 23 of 640, and the list ends with 20.",
        "rank": 23,
        "ranked": 640,
        "counts": {"views": 12, "impressions": 100, "clicks": 2, "past_views": 70},
        "score": 0.02,
        "working": "2 clicks / 100 impressions",
        "cut": {"rank": 20, "product_id": "pump", "score": 0.025},
        "distance": -0.005,
        "rejected": None,
    },
    views.StatsView: {
        "date": DAY,
        "published_at": "2026-03-10T03:10:00Z",
        "advertisers": {"active": 20, "with_recommendations": 20},
        "products": 640,
        "scorecard": [
            {
                "model": "TopCTR",
                "impressions": 9000,
                "clicks": 180,
                "ctr": 0.02,
                "other_impressions": 91000,
                "other_clicks": 910,
                "other_ctr": 0.01,
                "share_of_impressions": 0.09,
                "share_of_clicks": 0.165137614,
            }
        ],
        "most_changed": [{"advertiser_id": "SHOES4YOU", "model": "TopCTR", "changed": 7}],
        "model_overlap": {
            "mean": 0.24,
            "by_advertiser": [{"advertiser_id": "SHOES4YOU", "shared": 5, "overlap": 0.14285714285714285}],
        },
    },
    many.BatchView: {
        "date": DAY,
        "run": 41,
        "results": [
            {"advertiser_id": "SHOES4YOU", "model": "TopCTR", "status": 200, "answer": LIST},
            {"advertiser_id": "SHOES", "model": "TopCTR", "status": 404, "problem": PROBLEM},
        ],
    },
}
A_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
LIVE = {"type": "object", "properties": {"status": {"const": "alive"}}, "required": ["status"]}
CHECK = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "message": {"type": "string"}},
    "required": ["ok", "message"],
}
READY = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ready", "not ready"]},
        "checks": {"type": "object", "additionalProperties": CHECK},
    },
    "required": ["status", "checks"],
}
TEXT = {"type": "string"}


def answers(view: Any, declared: Any) -> dict[Any, OpenApiResponse]:
    """The good answers of a view by status: what its serializer declares, unless one stands here."""
    json_type = "application/json"
    if isinstance(view, health.LiveView):
        return {(200, json_type): OpenApiResponse(LIVE, "It lives.")}
    if isinstance(view, health.ReadyView):
        return {
            (200, json_type): OpenApiResponse(READY, "Every check is passed."),
            (503, json_type): OpenApiResponse(READY, "Some check is not."),
        }
    if isinstance(view, views.RootView):
        return {(200, json_type): OpenApiResponse(A_MAP, "Where everything is.", examples_of(view))}
    if isinstance(view, many.SnapshotView):
        line = json.dumps(LINE, ensure_ascii=False) + "\n"
        return {
            (200, "application/x-ndjson", "text/csv"): OpenApiResponse(
                TEXT, "The lists, gzipped.", [OpenApiExample("lines", value=line, media_type="application/x-ndjson")]
            ),
        }
    return {200: OpenApiResponse(declared, "", examples_of(view))}


def examples_of(view: Any) -> list[OpenApiExample]:
    example = EXAMPLES.get(type(view))
    return [] if example is None else [OpenApiExample("example", value=example)]
