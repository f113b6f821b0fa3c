"""The log of rollbacks: who rolled which day back, and why."""

from django.contrib import admin
from django.utils.safestring import SafeString

from webapp.backoffice.admin.base import ReadOnlyAdmin
from webapp.backoffice.links import admin_link
from webapp.rankings.models import Rollback


@admin.register(Rollback)
class RollbackAdmin(ReadOnlyAdmin):
    list_display = ("id", "day", "from_run", "to_run", "author", "reason", "at")
    search_fields = ("author", "reason")
    search_help_text = "Part of the author's name or of the reason"
    date_hierarchy = "day"
    ordering = ("-id",)
    fields = ("day", "from_run", "to_run", "author", "reason", "at")
    readonly_fields = ("from_run", "to_run")

    @admin.display(ordering="withdrawn")
    def from_run(self, rollback: Rollback) -> SafeString:
        return admin_link("run_change", rollback.withdrawn_id, rollback.withdrawn_id)

    @admin.display(ordering="restored")
    def to_run(self, rollback: Rollback) -> SafeString:
        return admin_link("run_change", rollback.restored_id, rollback.restored_id)
