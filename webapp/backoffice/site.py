"""The admin site: Django's, with a home page that reports on last night's run."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from webapp.backoffice import logins
from webapp.backoffice.home import home_context


class BackofficeSite(admin.AdminSite):
    site_header = "Vitrina"
    site_title = "Vitrina"
    index_title = "Last night"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), **home_context(request.user)})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        refusal = logins.refusal(request) if request.method == "POST" else None
        return refusal or super().login(request, extra_context)
