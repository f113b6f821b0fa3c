"""API keys: create, rename, replace and revoke. A key's text is shown once, on the page after it is created."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from webapp.backoffice.admin.base import WholeTextSearch
from webapp.keys.models import GRACE, LIFETIME, MAX_LIFETIME, ApiKey


class NewKeyForm(forms.ModelForm):
    class Meta:
        model = ApiKey
        fields = ("name", "advertiser", "expires_at")
        help_texts: ClassVar = {"advertiser": "The key reads only this advertiser's lists; leave it empty for all."}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if "expires_at" in self.fields:
            for part, label in zip(self.fields["expires_at"].widget.widgets, ("Last day", "Time (UTC)"), strict=True):
                part.attrs["aria-label"] = label

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at <= timezone.now():
            raise forms.ValidationError("Choose a time in the future.")
        if expires_at > timezone.now() + MAX_LIFETIME:
            raise forms.ValidationError(f"A key is valid for at most {MAX_LIFETIME.days} days; choose an earlier time.")
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(WholeTextSearch):
    form = NewKeyForm
    list_display = ("prefix", "name", "scope", "current_state", "created_at", "expires_at", "last_used_at")
    list_filter = ("revoked_at", "expires_at")
    list_select_related = ("advertiser",)
    search_fields = ("prefix__icontains", "name__icontains", "advertiser_id")
    search_help_text = "Part of the prefix or name, or a full advertiser id"
    ordering = ("-created_at",)
    raw_id_fields = ("advertiser",)  # screen readers cannot name the field of autocomplete_fields
    actions = ("replace", "revoke")
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return list(NewKeyForm.Meta.fields)
        return ["name", "prefix", "scope", "current_state", "created_at", "expires_at", "last_used_at", "revoked_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return [] if obj is None else self.get_fields(request, obj)[1:]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Django's, from the query; but the two fields of a time cannot show a text."""
        return {**super().get_changeform_initial_data(request), "expires_at": timezone.now() + LIFETIME}

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # keys are revoked, and stay for the record

    @admin.display(description="state")
    def current_state(self, key: ApiKey) -> str:
        return key.state

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.generate()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self.show_new_keys(request, [obj])

    @admin.action(
        description=f"Replace: create a new key; the old one works for {GRACE.days} more days", permissions=["add"]
    )
    def replace(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse:
        new_keys = []
        for key in keys.filter(pk__in=ApiKey.objects.live()):
            successor = key.replace()
            self.log_change(request, key, f"Replaced by {successor.prefix}")
            self.log_addition(request, successor, f"Replaces {key.prefix}")
            new_keys.append(successor)
        return self.show_new_keys(request, new_keys)

    @admin.action(description="Revoke: end the key at once and for good", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        not_revoked = ApiKey.objects.filter(pk__in=keys, revoked_at=None)
        for key in not_revoked:
            self.log_change(request, key, "Revoked")
        messages.success(request, f"Keys revoked: {not_revoked.revoke()}.")

    def show_new_keys(self, request: HttpRequest, new_keys: list[ApiKey]) -> HttpResponse:
        """Render the keys' texts directly: a message or redirect would leave them in a cookie."""
        title = "Copy the new key now"
        context = {**self.admin_site.each_context(request), "new_keys": new_keys, "opts": self.opts, "title": title}
        response = render(request, "backoffice/new_keys.html", context)
        add_never_cache_headers(response)
        return response
