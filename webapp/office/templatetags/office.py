"""Addresses of the admin's pages, whose ids may hold any printable character."""

from datetime import date
from urllib.parse import urlencode

from django import template
from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.safestring import SafeString

from webapp.office.run_page import Figures, figures
from webapp.rankings.admin import address_of, link
from webapp.rankings.models import Advertiser, Run

register = template.Library()


@register.simple_tag
def advertiser_link(advertiser_id: str) -> SafeString:
    return link("advertiser_change", advertiser_id, advertiser_id)


@register.simple_tag
def advertiser_address(advertiser: Advertiser) -> str:
    return address_of("advertiser_change", advertiser.pk)


@register.simple_tag
def hide_address(advertiser: Advertiser, product_id: str = "") -> str:
    return address_of("advertiser_hide", advertiser.pk, **({"product_id": product_id} if product_id else {}))


@register.simple_tag
def explain_address(advertiser: Advertiser, model: str, product_id: str, day: date) -> str:
    return address_of("advertiser_explain", advertiser.pk, model=model, product_id=product_id, day=day)


@register.simple_tag
def unhide_address(advertiser: Advertiser) -> str:
    return address_of("advertiser_unhide", advertiser.pk)


@register.simple_tag
def csv_address(advertiser: Advertiser, model: str, day: date) -> str:
    address = reverse("admin:rankings_advertiser_csv", args=[quote(advertiser.pk), model])
    return f"{address}?{urlencode({'day': day})}"


@register.simple_tag
def figures_of(run: Run) -> Figures:
    return figures(run)
