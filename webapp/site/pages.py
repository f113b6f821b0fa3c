"""HTML pages outside the admin and the browsable API."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string

# A page loads its own style sheet and icon, and nothing else.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"


def page(
    template: str, context: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Render the template without context processors, which would query the database for the user."""
    text = render_to_string(template, context)
    return HttpResponse(text, status=status, headers={"Content-Security-Policy": POLICY, **(headers or {})})
