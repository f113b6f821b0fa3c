"""conf/env.example lists exactly the environment variables that the code reads."""

import ast
import re
from pathlib import Path

import pytest

from devstack.state import ROOT

READERS = [
    *(ROOT / "spark_jobs").rglob("*.py"),
    *(ROOT / "webapp").rglob("*.py"),
    ROOT / "conf" / "gunicorn.conf.py",
]
NAME = re.compile(r"[A-Z][A-Z0-9_]+")
READ_BY_AWS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # by AWS's credential chain, not by our code
# The web server sets these for libraries in its workers. They are not for people to set.
SET_BY_THE_SERVER = {"DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR"}


def read_by(path: Path) -> set[str]:
    """Return the names of the environment variables that a file reads.

    A read is a literal name passed to `environ.get(...)`, `environ[...]` or a function of webapp/environment.py, or
    passed together with a mapping called `environment`, as in `required(environment, NAME)`.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            parts = [node.func, *node.args]
        elif isinstance(node, ast.Subscript):
            parts = [node.value, node.slice]
        else:
            continue
        texts = [part.value for part in parts if isinstance(part, ast.Constant)]
        code = [ast.unparse(part) for part in parts if not isinstance(part, ast.Constant)]
        if any(re.search(r"\benviron(ment)?\b", expression) for expression in code):
            found |= {text for text in texts if isinstance(text, str) and NAME.fullmatch(text)}
    return found


def listed_in(text: str) -> list[str]:
    """Return the variables in the text of an env.example, in order, whether commented out or not."""
    return re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)


EXAMPLE = (ROOT / "conf" / "env.example").read_text()
READ = {name for path in READERS for name in read_by(path)} - SET_BY_THE_SERVER


def test_every_variable_that_is_read_is_in_the_example():
    assert READ - set(listed_in(EXAMPLE)) == set()


def test_every_variable_of_the_example_is_read():
    assert set(listed_in(EXAMPLE)) - READ - READ_BY_AWS == set()


def test_no_variable_is_listed_twice():
    assert len(listed_in(EXAMPLE)) == len(set(listed_in(EXAMPLE)))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("os.environ.get('A_NAME', '1')", {"A_NAME"}),
        ("os.environ['A_NAME']", {"A_NAME"}),
        ("environment.flag('A_NAME', 'on or off', default=False)", {"A_NAME"}),
        ("required(environment, 'A_NAME')", {"A_NAME"}),
        ("counts['A_NAME'], print('A_NAME')", set()),
    ],
)
def test_read_by_finds_the_variables_that_code_reads(tmp_path, code, names):
    (tmp_path / "code.py").write_text(code)

    assert read_by(tmp_path / "code.py") == names
