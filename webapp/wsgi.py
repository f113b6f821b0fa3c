"""What a WSGI server runs: `gunicorn --config conf/gunicorn.conf.py`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
# In the server only: a migration may take as long as it needs. A timeout in DATABASE_URL's own options counts instead.
os.environ.setdefault("PGOPTIONS", f"-c statement_timeout={settings.STATEMENT_TIMEOUT}s")
application = get_wsgi_application()
