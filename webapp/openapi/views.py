"""/api/v1/schema/ and /api/v1/docs/: open, since they say nothing about anybody."""

from typing import Any

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

# Swagger UI writes styles into its elements and draws its icons from data: addresses; scripts are files of ours only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SchemaView(SpectacularAPIView):
    content_negotiation_class = DefaultContentNegotiation


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI, where a key can be entered and every question asked."""

    url_name = "schema"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        return response


urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("schema", SchemaView.as_view()),
    path("docs/", DocsView.as_view(), name="docs"),
    path("docs", DocsView.as_view()),
]
