"""The production server: `gunicorn --config conf/gunicorn.conf.py`, from any folder."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from logging import LogRecord
from pathlib import Path
from typing import Any

from gunicorn.workers.gthread import ThreadWorker
from pythonjsonlogger.json import JsonFormatter

wsgi_app = "webapp.wsgi:application"
chdir = str(Path(__file__).resolve().parent.parent)

# Only this machine may connect unless BIND says otherwise; in a container it is 0.0.0.0.
bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# A request waits mostly for the database, so threads are cheap; each holds one connection to it. Requests are counted
# in a cache that only Redis lets several processes share, so without one there is one process.
workers = int(os.environ.get("WEB_CONCURRENCY") or ("2" if os.environ.get("CACHE_URL") else "1"))
threads = int(os.environ.get("WEB_THREADS") or "8")


class FairWorker(ThreadWorker):
    """Takes a new connection the later the more it has, a millisecond at most, so that the one with the fewest takes it.

    Else one worker may take all of a load balancer's, which stay open, while another has nothing to do.
    """

    def accept(self, listener: Any) -> None:
        if self.cfg.workers > 1:
            time.sleep(min(self.nr_conns, 10) / 10_000)
        super().accept(listener)


worker_class = FairWorker
timeout = 30  # seconds until a worker that does not answer is replaced
graceful_timeout = 20  # seconds that running requests get when the server stops
# Longer than a load balancer's 60 seconds (AWS), which else may ask on a connection that was just closed.
keepalive = 75
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


class AccessLine(JsonFormatter):
    """A request in one line of JSON, under the id that the answer bore."""

    def format(self, record: LogRecord) -> str:
        asked: Any = record.args
        said = {"address": "h", "method": "m", "path": "U", "query": "q", "agent": "a", "request_id": "{x-request-id}o"}
        numbers = {"status": "s", "bytes": "B", "milliseconds": "M"}
        record.__dict__ |= {name: asked[atom] for name, atom in said.items()}
        record.__dict__ |= {name: int(asked[atom]) for name, atom in numbers.items()}
        record.msg, record.args = "answered", ()
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
    """Lets manage.py say in one sentence what is wrong with the configuration, before every worker does in a traceback.

    In a process of its own, so that the workers still read the code and the settings anew after a SIGHUP.
    """
    if server.cfg.workers > 1:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="vitrina-metrics-")  # where their figures meet
        if not os.environ.get("CACHE_URL"):
            server.log.warning("Without CACHE_URL each of the %d workers counts requests by itself", server.cfg.workers)
    checked = subprocess.run([sys.executable, "manage.py", "check"], cwd=chdir, stdout=subprocess.DEVNULL)
    if checked.returncode:
        sys.exit(checked.returncode)


def post_worker_init(worker: Any) -> None:
    """Lets the garbage collector pass over what lives as long as the worker, code and models above all."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Lets the figures of a worker that is gone count on, but no longer those of what it was doing."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
