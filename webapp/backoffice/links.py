"""URLs of the admin's pages and links to them. Ids may hold any printable character, so they are always quoted."""

from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from webapp.rankings.models import RANKINGS


def admin_url(view: str, *args: object, **query: object) -> str:
    """The URL of a page of the rankings app, such as `admin_url("run_change", 7)`."""
    url = reverse(f"admin:rankings_{view}", args=[quote(str(arg)) for arg in args])
    return f"{url}?{urlencode(query)}" if query else url


def admin_link(view: str, text: object, *args: object, **query: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', admin_url(view, *args, **query), text)


def list_links(**query: object) -> SafeString:
    """A link to each model's rows, filtered by the query."""
    links = [
        admin_link(f"{ranking._meta.model_name}_changelist", ranking._meta.verbose_name_plural, **query)
        for ranking in RANKINGS.values()
    ]
    return format_html_join(mark_safe(" · "), "{}", ((link,) for link in links))
