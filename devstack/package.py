"""What a cluster needs of the job, laid into `dist/`: `make package`, then `aws s3 sync dist s3://BUCKET/code`."""

import re
import shutil
import zipfile
from pathlib import Path

from devstack.bootstrap import SPARK
from devstack.state import ROOT, StackError

BEFORE_ALL_CLOCKS = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can say, so that equal files make equal zips


def package(folder: Path) -> list[Path]:
    """Write zip, entry script, driver, log settings and requirements into `folder`, which is emptied first; return them."""
    drivers = list((SPARK / "jars").glob("*postgresql*.jar"))
    if len(drivers) != 1:
        raise StackError("the PostgreSQL driver is not among Spark's jars; `make setup` lays it there")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    zip_the_job(folder / "spark_jobs.zip")
    shutil.copyfile(ROOT / "spark_jobs/nightly.py", folder / "nightly.py")
    shutil.copyfile(drivers[0], folder / "postgresql.jar")
    shutil.copyfile(ROOT / "conf/log4j2.properties", folder / "log4j2.properties")
    (folder / "requirements.txt").write_text(without_spark((ROOT / "requirements-spark.txt").read_text()))
    return sorted(folder.iterdir())


def without_spark(requirements: str) -> str:
    """Return hashed requirements less pyspark and its py4j, which a cluster brings and must not get twice."""
    return re.sub(r"^(pyspark|py4j)==(.*\\\n)*.*\n", "", requirements, flags=re.MULTILINE)


def zip_the_job(path: Path) -> None:
    """Write the package spark_jobs as a zip for `--py-files`; the same sources give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for source in sorted((ROOT / "spark_jobs").rglob("*.py")):
            entry = zipfile.ZipInfo(str(source.relative_to(ROOT)), BEFORE_ALL_CLOCKS)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, source.read_bytes())
