"""Every address of the site. The API stands under /api/v1/ and, as its first clients have it, at the root."""

from django.contrib import admin
from django.urls import include, path, re_path

from webapp.operations.metrics import MetricsView
from webapp.rankings import error_pages
from webapp.rankings.front import FrontView
from webapp.rankings.views import RootView

root = RootView.as_view()
metrics = MetricsView.as_view()

urlpatterns = [
    path("", FrontView.as_view(), name="front"),
    path("admin/", admin.site.urls),
    path("api/v1/", root, name="root"),
    path("api/v1", root),
    path("api/v1/", include("webapp.openapi.views")),
    path("api/v1/", include("webapp.rankings.urls", namespace="v1")),
    path("", include("webapp.rankings.urls", namespace="unversioned")),
    path("metrics/", metrics, name="metrics"),
    path("metrics", metrics),
    re_path(r"^(?!admin(?:/|$))", error_pages.nothing_here),
]

handler400 = error_pages.bad_request
handler403 = error_pages.permission_denied
handler404 = error_pages.not_found
handler500 = error_pages.server_error
