from datetime import timedelta
from typing import Any

from django.db import migrations
from django.utils import timezone

MAX_LIFETIME = timedelta(days=730)


def cap_expiry(apps: Any, schema_editor: Any) -> None:
    """Keys could be valid until the year 9999. No key is valid for more than two years from now on."""
    latest = timezone.now() + MAX_LIFETIME
    keys = apps.get_model("keys", "ApiKey").objects.using(schema_editor.connection.alias)
    keys.filter(expires_at__gt=latest).update(expires_at=latest)


class Migration(migrations.Migration):
    dependencies = [("keys", "0002_plain_comments")]

    operations = [migrations.RunPython(cap_expiry, migrations.RunPython.noop)]
