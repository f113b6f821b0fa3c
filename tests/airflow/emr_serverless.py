"""A stand-in for EMR Serverless: an HTTP server with one application, whose job runs are spark-submit on this machine.

It refuses requests that AWS's model of the API, in botocore, does not allow.
"""

import json
import shlex
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
from botocore.validate import ParamValidator

from devstack.s3 import REGION
from tests.processes import Job

APPLICATION, TAG, BUCKET = "00app", "0123456789ab", "bucket"
ROLE = "arn:aws:iam::123456789012:role/job"
ARN = f"arn:aws:emr-serverless:{REGION}:123456789012:/applications/{APPLICATION}"
START_JOB_RUN = (
    boto3.client("emr-serverless", region_name=REGION)
    .meta.service_model.operation_model("StartJobRun")
    .input_shape
)  # fmt: skip


class EmrServerless(ThreadingHTTPServer):
    """The server. `requests` are the job runs it was asked for; their code is in `code`, not in S3."""

    def __init__(self, code: Path, environment: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Calls)
        self.code = code
        self.environment = environment
        self.state = "STOPPED"  # as every night: the application stops by itself when it is idle
        self.requests: list[dict] = []
        self.jobs: list[Job] = []
        threading.Thread(target=self.serve_forever).start()

    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for job in self.jobs:
            job.kill()

    def start_job_run(self, request: dict) -> dict:
        """Start the program that the request names; its files are in `code`."""
        problems = ParamValidator().validate({"applicationId": APPLICATION, **request}, START_JOB_RUN)
        assert not problems.has_errors(), problems.generate_report()
        self.requests.append(request)
        driver = request["jobDriver"]["sparkSubmit"]
        words = [
            *shlex.split(driver["sparkSubmitParameters"]),
            driver["entryPoint"],
            *driver["entryPointArguments"],
        ]
        command = [word.replace(f"s3://{BUCKET}/code/{TAG}", str(self.code)) for word in words]
        self.jobs.append(Job(*command, environment=self.environment, folder=self.code))
        number = str(len(self.jobs) - 1)
        return {"applicationId": APPLICATION, "jobRunId": number, "arn": f"{ARN}/jobruns/{number}"}

    def job_run(self, number: str) -> dict:
        """Wait until a job run has ended, and describe it."""
        code, _, output = self.jobs[int(number)].wait()
        details = (
            f"Job failed, please check complete logs in configured logging destination. ExitCode: {code}. {output}"
        )
        end = {"state": "FAILED", "stateDetails": details[:256]} if code else {"state": "SUCCESS", "stateDetails": ""}
        return {"jobRun": {"applicationId": APPLICATION, "jobRunId": number, "arn": f"{ARN}/jobruns/{number}", **end}}


class Calls(BaseHTTPRequestHandler):
    """The five calls of the API that a deferred job run needs."""

    server: EmrServerless

    def do_GET(self):
        if self.path == f"/applications/{APPLICATION}":
            image = {"imageUri": f"registry/vitrina/spark:{TAG}"}
            self.reply({"application": {"arn": ARN, "state": self.server.state, "imageConfiguration": image}})
        else:
            self.reply(self.server.job_run(self.path.rpartition("/")[2]))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
        if self.path == f"/applications/{APPLICATION}/start":
            self.server.state = "STARTED"
            self.reply({})
        else:
            assert self.server.state == "STARTED"
            self.reply(self.server.start_job_run(body))

    def reply(self, answer: dict) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
