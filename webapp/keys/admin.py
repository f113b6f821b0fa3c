"""Keys for administrators: made, replaced and revoked here; never changed, deleted or shown a second time."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from webapp.keys.models import LIFETIME, ApiKey


class NewKeyForm(forms.ModelForm):
    """A key that is about to be made; until when it works, unless said otherwise, is a year from now."""

    class Meta:
        model = ApiKey
        fields = ("name", "advertiser", "expires_at")

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at <= timezone.now():
            raise forms.ValidationError("This is past.")
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    form = NewKeyForm
    list_display = ("prefix", "name", "reads", "shown_state", "created_at", "expires_at", "last_used_at")
    list_filter = ("revoked_at", "expires_at")
    list_select_related = ("advertiser",)
    search_fields = ("prefix", "name", "advertiser__advertiser_id__exact")
    search_help_text = "A part of the prefix or name, or a whole advertiser id"
    ordering = ("-created_at",)
    autocomplete_fields = ("advertiser",)
    actions = ("replace", "revoke")
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return list(NewKeyForm.Meta.fields)
        return ["name", "prefix", "reads", "shown_state", "created_at", "expires_at", "last_used_at", "revoked_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return [] if obj is None else self.get_fields(request, obj)[1:]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"expires_at": timezone.now() + LIFETIME, **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # it is revoked, and stays for the record

    @admin.display(description="state")
    def shown_state(self, key: ApiKey) -> str:
        return key.state

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.draw()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self.shown_once(request, [obj])

    @admin.action(description="Replace: make a new key; the old one works for 7 days longer", permissions=["add"])
    def replace(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse:
        made = []
        for key in keys.filter(pk__in=ApiKey.objects.live()):
            successor = key.rotate()
            self.log_change(request, key, f"Replaced by {successor.prefix}")
            self.log_addition(request, successor, f"Replaces {key.prefix}")
            made.append(successor)
        return self.shown_once(request, made)

    @admin.action(description="Revoke: end it now and for good", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        chosen = ApiKey.objects.filter(pk__in=keys, revoked_at=None)
        for key in chosen:
            self.log_change(request, key, "Revoked")
        messages.success(request, f"Revoked: {chosen.revoke()}.")

    def shown_once(self, request: HttpRequest, made: list[ApiKey]) -> HttpResponse:
        """The page that has the keys' texts: neither a message nor a redirect, which would leave them in a cookie."""
        context = {**self.admin_site.each_context(request), "made": made, "opts": self.opts, "title": "Copy it now"}
        response = render(request, "keys/made.html", context)
        add_never_cache_headers(response)
        return response
