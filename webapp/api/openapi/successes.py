"""Successful responses: their examples, and the schemas that no serializer declares."""

import json
from pathlib import Path
from typing import Any

import yaml
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from webapp.api.openapi.parameters import object_schema

EXAMPLES = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text())

A_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
LIVE = object_schema({"status": {"const": "alive"}})
CHECK = object_schema({"ok": {"type": "boolean"}, "message": {"type": "string"}})
CHECKS = {"type": "object", "additionalProperties": CHECK}
TEXT = {"type": "string"}


def successes(operation_id: str, declared: Any) -> dict[Any, OpenApiResponse]:
    """An operation's successful responses by status: what its serializer declares, unless one is defined here."""
    json_type = "application/json"
    if operation_id == "health_live":
        return {(200, json_type): OpenApiResponse(LIVE, "The server is alive.")}
    if operation_id in ("health_ready", "health_fresh"):
        status = operation_id.removeprefix("health_")
        checked = object_schema({"status": {"enum": [status, f"not {status}"]}, "checks": CHECKS})
        return {
            (200, json_type): OpenApiResponse(checked, "All checks pass."),
            (503, json_type): OpenApiResponse(checked, "A check fails."),
        }
    example = EXAMPLES.get(operation_id)
    examples = [] if example is None else [OpenApiExample("example", value=example)]
    if operation_id == "root":
        return {(200, json_type): OpenApiResponse(A_MAP, "The URLs of the endpoints.", examples)}
    if operation_id == "snapshots":
        line = json.dumps(example, ensure_ascii=False) + "\n"
        return {
            (200, "application/x-ndjson", "text/csv"): OpenApiResponse(
                TEXT, "The lists, gzipped.", [OpenApiExample("lines", value=line, media_type="application/x-ndjson")]
            )
        }
    return {200: OpenApiResponse(declared, "", examples)}
