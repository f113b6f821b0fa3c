"""The runs of the nightly job, and the action that rolls a day back to one of them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from webapp.backoffice.admin.base import ReadOnlyAdmin
from webapp.backoffice.json_table import json_table
from webapp.backoffice.links import list_links
from webapp.backoffice.run_page import load_run
from webapp.operations.locks import DayIsHeld
from webapp.operations.rollbacks import CannotRollBack, Change, change_of, roll_back
from webapp.rankings.models import RANKINGS, Rollback, Run


class ConfirmationForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(required=False, max_length=1000, widget=forms.TextInput(attrs={"size": 60}))


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """The table of runs. Users who may add a rollback can roll a day back, after a page that shows what changes."""

    actions = ("roll_back",)
    list_display = ("id", "day", "state", "final", "started_at", "duration", "message")
    list_filter = ("state", "final")
    search_fields = ("message", "code_version")
    search_help_text = "Part of the message or of the code version"
    date_hierarchy = "day"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ["final", "lists"]}),
        ("Times", {"fields": ["started_at", "finished_at", "published_at", "pruned_at"]}),
        ("Versions and parameters", {"fields": ["code_version", "spark_version", "parameters_table"]}),
        ("All counts", {"fields": ["counts_table"], "classes": ["collapse"]}),
        ("All inputs", {"fields": ["inputs_table"], "classes": ["collapse"]}),
    )
    readonly_fields = ("lists", "counts_table", "inputs_table", "parameters_table")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Run | None:
        """The run; its page finds the runs that it is compared with as `days_before`."""
        try:
            run, days_before = load_run(Run._meta.pk.to_python(object_id))
        except ValidationError:
            return None
        if run:
            run.days_before = days_before  # type: ignore[attr-defined]
        return run

    @admin.display
    def duration(self, run: Run) -> str:
        return str(run.duration).partition(".")[0] if run.duration is not None else "–"

    @admin.display
    def lists(self, run: Run) -> SafeString:
        return list_links(run__id__exact=run.pk)

    @admin.display(description="counts")
    def counts_table(self, run: Run) -> SafeString | str:
        return json_table(run.counts)

    @admin.display(description="inputs")
    def inputs_table(self, run: Run) -> SafeString | str:
        """Without the lists that a run in steps hands over from one step to the next: they are no inputs."""
        return json_table({name: value for name, value in run.inputs.items() if name != "prepared"})

    @admin.display(description="parameters")
    def parameters_table(self, run: Run) -> SafeString | str:
        return json_table(run.parameters)

    def has_roll_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("rankings.add_rollback")

    @admin.action(description="Roll back to the selected run", permissions=["roll_back"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        """Ask for confirmation, or roll back once it is given; None returns to the list with a message."""
        try:
            run = queryset.get()
        except Run.MultipleObjectsReturned:
            self.message_user(request, "Select only the run to roll back to.", messages.ERROR)
            return None
        except Run.DoesNotExist:
            self.message_user(request, "There is no such run.", messages.ERROR)
            return None
        try:
            change = change_of(run.day, run.pk)
            if "seen" not in request.POST:
                return self.confirm(request, change, ConfirmationForm(initial={"seen": change.withdrawn.pk}))
            form = ConfirmationForm(request.POST)
            if not form.is_valid():
                return self.confirm(request, change, form)
            rollback = self.record_rollback(request, run, **form.cleaned_data)
        except (CannotRollBack, DayIsHeld) as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return None
        message = f"Rolled {rollback.day} back from run {rollback.withdrawn_id} to run {rollback.restored_id}."
        self.message_user(request, message, messages.SUCCESS)
        return None

    @transaction.atomic
    def record_rollback(self, request: HttpRequest, run: Run, seen: int, reason: str) -> Rollback:
        author = request.user.get_username()
        rollback = roll_back(run.day, author, reason, to=run.pk, seen=seen)
        suffix = f": {reason}" if reason else "."
        self.log_change(request, rollback.withdrawn, f"Withdrawn by rollback {rollback.pk}{suffix}")
        self.log_change(request, rollback.restored, f"Restored by rollback {rollback.pk}{suffix}")
        return rollback

    def confirm(self, request: HttpRequest, change: Change, form: ConfirmationForm) -> HttpResponse:
        outcomes = ((change.withdrawn, "withdrawn"), (change.restored, "published again"))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Roll back {change.withdrawn.day}",
            "opts": self.opts,
            "form": form,
            "day": change.withdrawn.day,
            "selected": {"name": ACTION_CHECKBOX_NAME, "value": change.restored.pk},
            "runs": [{"run": run, "outcome": outcome, "rows": count_rows(run)} for run, outcome in outcomes],
            "models": list(RANKINGS),
        }
        return TemplateResponse(request, "admin/rankings/run/roll_back.html", context)


def count_rows(run: Run) -> list[int]:
    """The number of the run's rows in each model's table."""
    return [ranking.objects.of(run).count() for ranking in RANKINGS.values()]
