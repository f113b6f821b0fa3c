"""A local S3 server: moto's, which keeps objects in memory and accepts any access key."""

import json
import subprocess
import sys
import time
from pathlib import Path

import boto3
import psutil
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from devstack.state import StackError, free_port, last_line, locked

REGION = "us-east-1"
# Not secret: moto needs a key but accepts any.
ACCESS_KEY = SECRET_KEY = "devstack"


class S3:
    """One S3 server with its pid file and log in `folder`; its objects are lost when it stops."""

    def __init__(self, folder: Path, bucket: str = "vitrina") -> None:
        self.folder = folder
        self.bucket = bucket
        self.log = folder / "s3.log"
        self.pid_file = folder / "s3.json"

    def start(self, **environment: str) -> str:
        """Start the server if it is not running, create the bucket and return the endpoint URL.

        `environment` sets further variables of the server, for moto's options.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            launched = None if self.is_running() else self._launch(environment)
            self._wait_and_create_bucket(launched)
        return self.endpoint()

    def stop(self) -> None:
        """Stop the server if it is running."""
        if process := self._process():
            process.terminate()
            try:
                process.wait(10)
            except psutil.TimeoutExpired:
                process.kill()
        self.pid_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        return self._process() is not None

    def endpoint(self) -> str:
        """Return the value for AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{json.loads(self.pid_file.read_text())['port']}"

    def client(self):  # type: ignore[no-untyped-def]  # boto3 creates its classes at run time
        """Return a boto3 client for this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint(),
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2),
        )

    def _launch(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        port = free_port()
        with self.log.open("a") as log:
            server = subprocess.Popen(
                [sys.executable, *arguments(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**environment, "PATH": "/usr/bin:/bin", "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": str(2**27)},
            )
        self.pid_file.write_text(json.dumps({"pid": server.pid, "port": port}))
        return server

    def _wait_and_create_bucket(self, launched: subprocess.Popen[bytes] | None) -> None:
        """Wait for the server. Whether one that was just `launched` runs cannot be told from its arguments yet."""
        client, deadline = self.client(), time.monotonic() + 30
        while True:
            try:
                client.create_bucket(Bucket=self.bucket)
            except ClientError:
                raise
            except BotoCoreError:
                has_ended = launched.poll() is not None if launched else not self.is_running()
                if has_ended or time.monotonic() > deadline:
                    raise StackError(
                        f"the S3 server did not start: {last_line(self.log.read_text())} (its log: {self.log})"
                    ) from None
                time.sleep(0.1)
            else:
                return

    def _process(self) -> psutil.Process | None:
        """Return the server's process, or None; another process that reuses its pid has other arguments.

        Not its start time, which the system derives from the clock, so it changes when the clock is corrected.
        """
        try:
            saved = json.loads(self.pid_file.read_text())
            process = psutil.Process(saved["pid"])
            if process.status() != psutil.STATUS_ZOMBIE and process.cmdline()[1:] == arguments(saved["port"]):
                return process
        except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
            pass
        return None


def arguments(port: int) -> list[str]:
    """Return the arguments with which Python runs a server on this port."""
    return ["-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
