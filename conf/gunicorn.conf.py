"""The production server: `gunicorn --config conf/gunicorn.conf.py`, from any folder."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

wsgi_app = "webapp.wsgi:application"
chdir = str(Path(__file__).resolve().parent.parent)

# Only this machine may connect unless BIND says otherwise; in a container it is 0.0.0.0.
bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# A request waits mostly for the database, so threads are cheap; each holds one connection to it.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 30  # seconds until a worker that does not answer is replaced
graceful_timeout = 20  # seconds that running requests get when the server stops
keepalive = 5
max_requests, max_requests_jitter = 20_000, 2_000  # a slow leak never becomes an outage
memory = Path("/dev/shm")  # noqa: S108
if memory.is_dir():
    worker_tmp_dir = str(memory)  # the heartbeat file must not wait for a disk

# The longest line asks for an id of 64 four-byte characters, percent-encoded: 768 bytes and the rest of the path.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

accesslog = "-"
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL", "info").lower()
access_log_format = '%(h)s "%(r)s" %(s)s %(b)s %(M)sms "%(a)s"'


def on_starting(server: Any) -> None:
    """Lets manage.py say in one sentence what is wrong with the configuration, before every worker does in a traceback.

    In a process of its own, so that the workers still read the code and the settings anew after a SIGHUP.
    """
    checked = subprocess.run([sys.executable, "manage.py", "check"], cwd=chdir, stdout=subprocess.DEVNULL)
    if checked.returncode:
        sys.exit(checked.returncode)
