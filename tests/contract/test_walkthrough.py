"""docs/walkthrough.ipynb runs to its end over sample events in S3."""

import os
from copy import deepcopy

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from devstack.state import ROOT
from spark_jobs import sample_data

NOTEBOOK = ROOT / "docs" / "walkthrough.ipynb"


@pytest.fixture(scope="module")
def kept():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.mark.long
def test_it_runs_to_its_end(spark, prefix, kept, monkeypatch):
    options = ["--days", "4", "--events-per-day", "20000", "--raw-uri", f"{prefix}/raw"]
    sample_data.write(spark, f"{prefix}/raw", sample_data.parse_arguments(options))
    monkeypatch.setenv("RAW_URI", f"{prefix}/raw")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    kernel = AsyncKernelManager(kernel_name="python3", transport="ipc")  # opens no port
    ran = NotebookClient(deepcopy(kept), km=kernel, timeout=300).execute(env=dict(os.environ))

    assert "the same again: True" in ran.cells[-2].outputs[0].text


def test_its_outputs_are_stored_and_contain_no_local_paths(kept):
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    shown = "".join(str(cell.outputs) for cell in code)

    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert shown.count("image/png") == 3
    assert "Traceback" not in shown
    assert not [place for place in (str(ROOT), "/tmp/", "/root", "127.0.0.1") if place in shown]
