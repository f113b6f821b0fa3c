"""What every list of the admin does about input that Django itself fails on. Our site registers no list without it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse

LONGEST_SEARCH = 200  # characters: Django adds a condition for every word


class ListAdmin(admin.ModelAdmin):
    """Shows the whole list if an address has a filter that Python or PostgreSQL cannot evaluate.

    Django itself does so for most wrong filters, but fails for a year 10000 or a regular expression with an error.
    """

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        if len(request.GET.get(SEARCH_VAR, "")) > LONGEST_SEARCH:
            raise IncorrectLookupParameters("the search is too long")
        try:
            return super().get_changelist_instance(request)
        except (IndexError, OverflowError, ValueError, DataError) as error:
            raise IncorrectLookupParameters(str(error)) from error

    def response_action(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse | None:
        """Raise BadRequest if the key of a selected row cannot be one, such as text instead of a number."""
        try:
            for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(chosen)
        except ValidationError as error:
            raise BadRequest(str(error)) from None
        return super().response_action(request, *arguments, **options)
