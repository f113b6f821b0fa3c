"""What the read-only pages of the admin share."""

from typing import Any

from django.db.models import Model, Q, QuerySet
from django.forms import Media
from django.http import HttpRequest

from webapp.backoffice.lists import ListAdmin


class WholeTextSearch(ListAdmin):
    """Searches for the text as it was typed, by the lookups of `search_fields`.

    Django would strip the text and split it at spaces, which are a part of ids.
    """

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if search_term:
            lookups = ((lookup, search_term) for lookup in self.get_search_fields(request))
            queryset = queryset.filter(Q(*lookups, _connector=Q.OR))
        return queryset, False


class ReadOnlyAdmin(ListAdmin):
    """Lists, filters and single rows. Nobody can add, change or delete: only the nightly job writes these tables."""

    actions: tuple[str, ...] | None = None
    show_full_result_count = False  # the count of a large table is slow

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @property
    def media(self) -> Media:
        """The scripts that lists need, without Django's 600 kB for forms."""
        scripts = ("vendor/jquery/jquery.min.js", "jquery.init.js", "actions.js")
        return Media(js=[f"admin/js/{script}" for script in scripts])
