"""The admin site: Django's, with a home page that answers the questions of the morning."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from webapp.office import home


class OfficeSite(admin.AdminSite):
    site_header = "Vitrina"
    site_title = "Vitrina"
    index_title = "Last night"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), **home.state_of_things(request.user)})
