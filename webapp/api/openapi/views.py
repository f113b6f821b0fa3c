"""/api/v1/schema/ and /api/v1/docs/. Both are open, since neither contains data."""

import json
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import Error
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from webapp.api.router import both_forms
from webapp.limits import SCHEMA_WEIGHT
from webapp.lists.example import find_example

# Swagger UI sets inline styles and loads icons from data: URLs. Scripts come from our own files only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SchemaView(SpectacularAPIView):
    weight = SCHEMA_WEIGHT
    content_negotiation_class = DefaultContentNegotiation


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI, where you can enter a key and try every endpoint; with examples that work, where the API is public."""

    schema = None  # not an endpoint of the API
    url_name = "schema"
    template_name = "api/swagger_ui.html"
    template_name_js = "api/swagger_ui.js"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        response = super().get(request, *args, **kwargs)
        if response.template_name == self.template_name_js:
            response.data["example"] = json.dumps(self.example(), default=str)
        return response

    def example(self) -> dict[str, Any]:
        """Parameters in the path with which a request finds something; none if the API requires a key."""
        example = None
        if settings.API_PUBLIC:
            with suppress(Error):  # the reference stays readable while the database is down
                example = find_example(None)
        return example._asdict() if example else {}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        return response


urlpatterns = [*both_forms("schema", SchemaView.as_view(), "schema"), *both_forms("docs", DocsView.as_view(), "docs")]
