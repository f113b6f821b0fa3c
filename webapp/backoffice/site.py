"""The admin site: Django's, with a home page that reports on last night's run."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from webapp.backoffice import logins
from webapp.backoffice.home import home_context
from webapp.backoffice.lists import ListAdmin


class BackofficeSite(admin.AdminSite):
    site_header = "Vitrina"
    site_title = "Vitrina"
    index_title = "Last night"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register the models with a ListAdmin: Django's and django-axes' own lists become one, too."""
        own = admin_class or admin.ModelAdmin
        if not issubclass(own, ListAdmin):
            own = type(own.__name__, (ListAdmin, own), {})
        super().register(model_or_iterable, own, **options)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), **home_context(request.user)})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        refusal = logins.refusal(request) if request.method == "POST" else None
        return refusal or super().login(request, extra_context)
