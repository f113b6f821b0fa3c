"""Template filters for numbers and times."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    return f"{number:,}"


@register.filter
def ago(moment: datetime) -> str:
    """“4 hours ago”, in the largest unit alone."""
    now = timezone.now()
    return "just now" if now - moment < timedelta(minutes=1) else f"{timesince(moment, now, depth=1)} ago"


@register.filter
def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
