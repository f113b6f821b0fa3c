"""The WSGI application: `gunicorn --config conf/gunicorn.conf.py`."""

import os

from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

from webapp.operations.statement_timeout import limit_statements
from webapp.site.requests import Request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
connection_created.connect(limit_statements)  # only in the server, because migrations may take longer
application = get_wsgi_application()
application.request_class = Request
