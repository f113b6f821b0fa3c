"""`make package`: write the files that a cluster needs for the job into `dist/`, ready for `aws s3 sync`."""

import re
import shutil
import zipfile
from pathlib import Path

from devstack.spark import SPARK
from devstack.state import ROOT, StackError

FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can store, so that equal files give equal zips


def package(folder: Path) -> list[Path]:
    """Empty `folder`, write zip, entry script, JDBC driver, log settings and requirements into it, and return them."""
    drivers = list((SPARK / "jars").glob("*postgresql*.jar"))
    if len(drivers) != 1:
        raise StackError("the PostgreSQL driver is not in Spark's jars folder; run `make setup`")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    zip_the_job(folder / "spark_jobs.zip")
    shutil.copyfile(ROOT / "spark_jobs/nightly.py", folder / "nightly.py")
    shutil.copyfile(drivers[0], folder / "postgresql.jar")
    shutil.copyfile(ROOT / "conf/log4j2.properties", folder / "log4j2.properties")
    (folder / "requirements.txt").write_text(without_spark((ROOT / "requirements-spark.txt").read_text()))
    return sorted(folder.iterdir())


def without_spark(requirements: str) -> str:
    """Remove pyspark and py4j from hashed requirements: a cluster has its own, and a second copy breaks it."""
    return re.sub(r"^(pyspark|py4j)==(.*\\\n)*.*\n", "", requirements, flags=re.MULTILINE)


def zip_the_job(path: Path) -> None:
    """Write the package spark_jobs as a zip for `--py-files`; equal sources give equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for source in sorted((ROOT / "spark_jobs").rglob("*.py")):
            entry = zipfile.ZipInfo(str(source.relative_to(ROOT)), FIXED_TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, source.read_bytes())
