"""A simulated AWS account: the full moto server, in a separate environment, with the stack created in it."""

import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from devstack.s3 import ACCESS_KEY, REGION, SECRET_KEY
from devstack.state import free_port
from tests.aws.template import TEMPLATE

# Lines that AWS accepts and moto does not; cfn-lint still checks them.
UNSUPPORTED_BY_MOTO = [
    "      DBParameterGroupName: !Ref DatabaseSettings\n",  # moto needs a name, not a reference
    "  Application: {Condition: HasImages, Value: !Ref Application}\n",  # moto creates no EMR Serverless applications
    "  Address: {Condition: HasImages, Value: !GetAtt Web.Endpoint}\n",  # and no Express services
]
OF_THE_LOAD_BALANCER = ("WebFails", "WebIsUnhealthy")
"""Resources that need the load balancer of the Express service, which moto does not create."""


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    """A function that returns a boto3 client for a service of the simulated account."""
    address, log = f"http://127.0.0.1:{(port := free_port())}", tmp_path_factory.mktemp("aws") / "moto.log"
    uvx, moto = str(Path(sys.executable).parent / "uvx"), f"moto[all,server]=={version('moto')}"
    # Install first, so that the process started below becomes the server at once.
    subprocess.run([uvx, "--from", moto, "moto_server", "--help"], check=True, capture_output=True, timeout=300)
    with log.open("w") as output:
        server = subprocess.Popen(
            [uvx, "--from", moto, "moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output
        )

    def client(service):
        return boto3.client(
            service,
            endpoint_url=address,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}),
        )

    deadline = time.monotonic() + 60
    while True:
        try:
            client("sts").get_caller_identity()
            break
        except BotoCoreError:
            assert time.monotonic() < deadline and server.poll() is None, log.read_text()
            time.sleep(0.2)
    yield client
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="session")
def created(account):
    """The status and the outputs of the stack, created with an ImageTag."""
    template = TEMPLATE.read_text()
    for line in UNSUPPORTED_BY_MOTO:
        assert template.count(line) == 1
        template = template.replace(line, "")
    for resource in OF_THE_LOAD_BALANCER:
        template, removed = re.subn(rf"^  {resource}:.*?(?=^  \w)", "", template, flags=re.MULTILINE | re.DOTALL)
        assert removed == 1
    # moto evaluates conditions with the default
    template = template.replace("    Condition: HasImages\n", "").replace("    Condition: HasManage\n", "")
    parameters = {"AlertEmail": "somebody@example.com", "ImageTag": "v1", "ManageTag": "v1"}
    formation = account("cloudformation")
    formation.create_stack(
        StackName="vitrina",
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    described = formation.describe_stacks(StackName="vitrina")["Stacks"][0]
    return {"status": described["StackStatus"], **{o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}}
