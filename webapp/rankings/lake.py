"""What runs kept in the lake, LAKE_URI/counts and LAKE_URI/rejects: the batch's own, seen here only to be removed."""

import os
import shutil
from datetime import date
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class LakeTrouble(Exception):
    """The lake does not let itself be changed; in its own words why."""


class Lake(Protocol):
    def remove(self, folder: str) -> None:
        """Remove a folder, named from the lake's root, and all in it; one that is not there is no error. LakeTrouble."""


def lake_at(uri: str) -> Lake:
    """The lake at `s3a://bucket/folder` (or s3://, which is the same) or `file:///folder`; ValueError if elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.path:
        return LocalLake(Path(unquote(parts.path)))
    if parts.scheme in ("s3a", "s3", "s3n") and parts.netloc:
        return S3Lake(parts.netloc, parts.path.strip("/"))
    raise ValueError(uri)


def remove_run(lake: Lake, day: date, run: int) -> None:
    for kind in ("counts", "rejects"):
        lake.remove(f"{kind}/date={day}/run={run}")


class LocalLake:
    def __init__(self, root: Path) -> None:
        self.root = root

    def remove(self, folder: str) -> None:
        try:
            shutil.rmtree(self.root / folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LakeTrouble(f"{error.strerror}: {error.filename}") from error


class S3Lake:
    """Asked for with the AWS variables, or with the machine's role where there are no keys."""

    def __init__(self, bucket: str, root: str) -> None:
        s3 = boto3.resource("s3", region_name=os.environ.get("AWS_REGION") or None)  # boto3 reads another name
        self.bucket = s3.Bucket(bucket)
        self.root = f"{root}/" if root else ""

    def remove(self, folder: str) -> None:
        inside = self.bucket.objects.filter(Prefix=f"{self.root}{folder}/")  # the slash: run=5 is no part of run=50
        try:
            answers = inside.delete()
        except (BotoCoreError, ClientError) as error:
            raise LakeTrouble(str(error)) from error
        for refused in (each for answer in answers for each in answer.get("Errors", ())):
            raise LakeTrouble(f"{refused['Key']}: {refused['Message']}")
