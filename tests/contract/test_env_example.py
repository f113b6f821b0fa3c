"""conf/env.example is the one list of variables: all that are read stand in it, and all that stand in it are read."""

import ast
import re
from pathlib import Path

import pytest

from devstack.state import ROOT

READERS = [
    *(ROOT / "spark_jobs").glob("*.py"),
    *(ROOT / "webapp").rglob("*.py"),
    ROOT / "conf" / "gunicorn.conf.py",
]
NAME = re.compile(r"[A-Z][A-Z0-9_]+")
HANDED_ON = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # AWS's own credential chain reads these, no code of ours
# The server sets these for the libraries in its workers; nobody else should.
SET_BY_THE_SERVER = {"DJANGO_SETTINGS_MODULE", "PGOPTIONS", "PROMETHEUS_MULTIPROC_DIR"}


def read_by(path: Path) -> set[str]:
    """Return the names of the variables that a file asks the environment for.

    A read is a literal name given to `environ.get(...)`, `environ[...]`, to a function of webapp/environment.py, or
    beside a mapping named `environment`, as in `_required(environment, NAME)`.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            asked = [node.func, *node.args]
        elif isinstance(node, ast.Subscript):
            asked = [node.value, node.slice]
        else:
            continue
        texts = [each.value for each in asked if isinstance(each, ast.Constant)]
        code = [ast.unparse(each) for each in asked if not isinstance(each, ast.Constant)]
        if any(re.search(r"\benviron(ment)?\b", words) for words in code):
            found |= {text for text in texts if isinstance(text, str) and NAME.fullmatch(text)}
    return found


def listed_in(text: str) -> list[str]:
    """Return the variables of an env.example, commented out or not, in its order."""
    return re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)


EXAMPLE = (ROOT / "conf" / "env.example").read_text()
READ = {name for path in READERS for name in read_by(path)} - SET_BY_THE_SERVER


def test_every_variable_that_is_read_is_in_the_example():
    assert READ - set(listed_in(EXAMPLE)) == set()


def test_every_variable_of_the_example_is_read():
    assert set(listed_in(EXAMPLE)) - READ - HANDED_ON == set()


def test_no_variable_is_listed_twice():
    assert len(listed_in(EXAMPLE)) == len(set(listed_in(EXAMPLE)))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("os.environ.get('A_NAME', '1')", {"A_NAME"}),
        ("os.environ['A_NAME']", {"A_NAME"}),
        ("environment.flag('A_NAME', 'on or off', default=False)", {"A_NAME"}),
        ("_required(environment, 'A_NAME')", {"A_NAME"}),
        ("counts['A_NAME'], print('A_NAME')", set()),
    ],
)
def test_this_test_finds_what_code_reads(tmp_path, code, names):
    (tmp_path / "code.py").write_text(code)

    assert read_by(tmp_path / "code.py") == names
