"""The admin's action on a run: make it what readers of its day see again, once the change has been shown and confirmed."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from webapp.rankings.locks import DayIsHeld
from webapp.rankings.models import RANKINGS, Rollback, Run
from webapp.rankings.rollbacks import CannotRollBack, Change, change_of, roll_back


class Confirmation(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(required=False, max_length=1000, widget=forms.TextInput(attrs={"size": 60}))


class RollsBack(admin.ModelAdmin):
    """The action `go_back`, for those who may add a rollback; a run itself stays read-only."""

    def has_go_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("rankings.add_rollback")

    @admin.action(description="Go back to the selected run", permissions=["go_back"])
    def go_back(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        """Show what would change; with the confirmation's form, change it. No response means the list again."""
        try:
            run = queryset.get()
        except Run.MultipleObjectsReturned:
            self.message_user(request, "Select one run, the one to go back to.", messages.ERROR)
            return None
        try:
            change = change_of(run.day, run.pk)
            if "seen" not in request.POST:
                return self.ask(request, change, Confirmation(initial={"seen": change.withdrawn.pk}))
            form = Confirmation(request.POST)
            if not form.is_valid():
                return self.ask(request, change, form)
            rollback = self.carry_out(request, run, **form.cleaned_data)
        except (CannotRollBack, DayIsHeld) as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return None
        told = f"{rollback.day} shows run {rollback.restored_id} again instead of run {rollback.withdrawn_id}."
        self.message_user(request, told, messages.SUCCESS)
        return None

    @transaction.atomic
    def carry_out(self, request: HttpRequest, run: Run, seen: int, reason: str) -> Rollback:
        author = request.user.get_username()
        rollback = roll_back(run.day, author, reason, to=run.pk, seen=seen)
        why = f": {reason}" if reason else "."
        self.log_change(request, rollback.withdrawn, f"Withdrawn by rollback {rollback.pk}{why}")
        self.log_change(request, rollback.restored, f"Restored by rollback {rollback.pk}{why}")
        return rollback

    def ask(self, request: HttpRequest, change: Change, form: Confirmation) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Go back on {change.withdrawn.day}",
            "opts": self.opts,
            "form": form,
            "day": change.withdrawn.day,
            "selected": {"name": ACTION_CHECKBOX_NAME, "value": change.restored.pk},
            "runs": [
                {"run": run, "becomes": becomes, "rows": rows_of(run)}
                for run, becomes in ((change.withdrawn, "withdrawn"), (change.restored, "what readers see"))
            ],
            "models": list(RANKINGS),
        }
        return TemplateResponse(request, "admin/rankings/run/go_back.html", context)


def rows_of(run: Run) -> list[int]:
    """How many rows the run has in each ranking."""
    return [ranking.objects.of(run).count() for ranking in RANKINGS.values()]
