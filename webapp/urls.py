"""All URLs. The API is mounted under /api/v1/ and, for its first clients, at the root."""

from django.contrib import admin
from django.urls import include, path, re_path

from webapp.api.root import RootViewSet
from webapp.api.router import both_forms
from webapp.operations.metrics import MetricsView
from webapp.site import error_pages
from webapp.site.front_page import FrontView

urlpatterns = [
    path("", FrontView.as_view(), name="front"),
    path("admin/", admin.site.urls),
    *both_forms("api/v1", RootViewSet.as_view({"get": "retrieve"}, name="API"), "root"),
    path("api/v1/", include("webapp.api.openapi.views")),
    path("api/v1/", include("webapp.api.urls", namespace="v1")),
    path("", include("webapp.api.urls", namespace="unversioned")),
    *both_forms("metrics", MetricsView.as_view(), "metrics"),
    re_path(r"^(?!admin(?:/|\Z))", error_pages.nothing_here),
]

handler400 = error_pages.bad_request
handler403 = error_pages.permission_denied
handler404 = error_pages.not_found
handler500 = error_pages.server_error
