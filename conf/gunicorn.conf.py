"""Settings of the production server: `gunicorn --config conf/gunicorn.conf.py`, from any folder."""

import gc
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from logging import LogRecord
from pathlib import Path
from typing import Any

from pythonjsonlogger.json import JsonFormatter

wsgi_app = "webapp.wsgi:application"
chdir = str(Path(__file__).resolve().parent.parent)
sys.path.insert(0, chdir)

from webapp.client_address import client_address  # noqa: E402
from webapp.server.worker import PatientWorker  # noqa: E402

# Listen on 127.0.0.1 by default; a container sets BIND=0.0.0.0.
bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# Requests mostly wait for the database, so threads are cheap; each holds one connection. Throttles count requests in the
# cache, and processes can only share a Redis cache, so without CACHE_URL the default is one process.
workers = int(os.environ.get("WEB_CONCURRENCY") or ("2" if os.environ.get("CACHE_URL") else "1"))
threads = int(os.environ.get("WEB_THREADS") or "8")

# To load a change of webapp/server or webapp/limits.py, restart the server; a SIGHUP is not enough.
worker_class = PatientWorker
# Connections of one worker, idle ones included. When there are more, the oldest that no request is running on is closed.
worker_connections = min(512, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
timeout = 30  # seconds after which a worker that hangs is replaced
graceful_timeout = 20  # seconds that running requests get to finish when the server stops
# Longer than the idle timeout of AWS's load balancers (60 s), so that they never reuse a connection we have just closed.
keepalive = 75
max_requests, max_requests_jitter = 20_000, 2_000  # restart workers before a slow leak becomes a problem
memory = Path("/dev/shm")  # noqa: S108
if memory.is_dir():
    worker_tmp_dir = str(memory)  # keep the heartbeat file off the disk

# Limits of a request; webapp/server enforces those of webapp/limits.py, which follow from what the API promises.
limit_request_line = 0
limit_request_fields = 64
limit_request_field_size = 8190

# Trust no header of a proxy here, not even from this machine: SCRIPT_NAME would change every address that we send. Django
# reads X-Forwarded-For and X-Forwarded-Proto itself, as PROXIES and HTTPS_ONLY say.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
sendfile = False  # the worker's write deadlines are in sendall()
control_socket_disable = True  # gunicorn is managed by signals alone

accesslog = "-"
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL", "info").lower()


class AccessLine(JsonFormatter):
    """Formats a request as one line of JSON, with the client's address and the request id from the response."""

    def format(self, record: LogRecord) -> str:
        atoms: Any = record.args
        peer = {"REMOTE_ADDR": atoms["h"], "HTTP_X_FORWARDED_FOR": atoms["{http_x_forwarded_for}e"]}
        record.__dict__["address"] = str(client_address(peer))
        text = {"method": "m", "path": "U", "query": "q", "agent": "a", "request_id": "{x-request-id}o"}
        numbers = {"status": "s", "bytes": "B", "milliseconds": "M"}
        record.__dict__ |= {name: atoms[atom] for name, atom in text.items()}
        record.__dict__ |= {name: int(atoms[atom]) for name, atom in numbers.items()}
        record.msg, record.args = "request", ()
        return super().format(record)


renamed = {"levelname": "level", "name": "logger"}
line = {"format": "{levelname}{name}{message}", "style": "{", "timestamp": "time", "rename_fields": renamed}
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"access": {"()": AccessLine, **line}, "line": {"()": JsonFormatter, **line}},
    "handlers": {
        "access": {"class": "logging.StreamHandler", "formatter": "access", "stream": "ext://sys.stdout"},
        "error": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"},
    },
    "root": {"level": "INFO", "handlers": ["error"]},
    "loggers": {
        "gunicorn.access": {"level": "INFO", "handlers": ["access"], "propagate": False},
        "gunicorn.error": {"level": loglevel.upper(), "handlers": ["error"], "propagate": False},
    },
}


def on_starting(server: Any) -> None:
    """Check the configuration once, so that an error is one sentence and not a traceback from every worker.

    The check runs in a separate process, so that a SIGHUP still makes the workers reload code and settings.
    """
    if server.cfg.workers > 1:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="vitrina-metrics-")  # shared by the workers
        if not os.environ.get("CACHE_URL"):
            server.log.warning("Without CACHE_URL, each of the %d workers counts requests alone", server.cfg.workers)
    checked = subprocess.run([sys.executable, "manage.py", "check"], cwd=chdir, stdout=subprocess.DEVNULL)
    if checked.returncode:
        sys.exit(checked.returncode)


def post_worker_init(worker: Any) -> None:
    """Exclude long-lived objects, mostly code and models, from garbage collection."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Keep a dead worker's counters in the metrics, but drop its gauges."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
