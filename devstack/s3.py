"""A local S3 server: moto's, a stand-in that keeps its objects in memory and accepts any key."""

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
# moto asks for a key and accepts any; these are no secret.
ACCESS_KEY = SECRET_KEY = "devstack"


class S3:
    """One S3 server whose pid, port and log live in `folder`; its objects end with it."""

    def __init__(self, folder: Path, bucket: str = "vitrina") -> None:
        self.folder = folder
        self.bucket = bucket
        self.log = folder / "s3.log"
        self.pid_file = folder / "s3.json"

    def start(self, **environment: str) -> str:
        """Start the server if it is not running, make the bucket, and return the endpoint's URL.

        `environment` is added to the server's own, for moto's switches.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            if not self.is_running():
                self._launch(environment)
            self._wait_and_make_bucket()
        return self.endpoint()

    def stop(self) -> None:
        """Stop the server, if it runs; its objects are gone."""
        if process := self._process():
            process.terminate()
            try:
                process.wait(10)
            except psutil.TimeoutExpired:
                process.kill()
        self.pid_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Tell whether the server we started is alive."""
        return self._process() is not None

    def endpoint(self) -> str:
        """Return the URL to give as AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{json.loads(self.pid_file.read_text())['port']}"

    def client(self):  # type: ignore[no-untyped-def]  # boto3 makes its classes at run time
        """Return a boto3 client of this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint(),
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2),
        )

    def _launch(self, environment: dict[str, str]) -> None:
        port = free_port()
        with self.log.open("a") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**environment, "PATH": "/usr/bin:/bin", "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": str(2**27)},
            )
        started = psutil.Process(server.pid).create_time()
        self.pid_file.write_text(json.dumps({"pid": server.pid, "started": started, "port": port}))

    def _wait_and_make_bucket(self) -> None:
        client, patience = self.client(), time.monotonic() + 30
        while True:
            try:
                client.create_bucket(Bucket=self.bucket)
            except ClientError:
                raise
            except BotoCoreError:
                if time.monotonic() > patience or not self.is_running():
                    raise StackError(
                        f"the S3 server did not start: {last_line(self.log.read_text())} (its log: {self.log})"
                    ) from None
                time.sleep(0.1)
            else:
                return

    def _process(self) -> psutil.Process | None:
        """Return the server's process, if it is the one we started and not a namesake with a reused pid."""
        try:
            kept = json.loads(self.pid_file.read_text())
            process = psutil.Process(kept["pid"])
            if process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - kept["started"]) < 2:
                return process
        except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
            pass
        return None
