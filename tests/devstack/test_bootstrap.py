"""`make setup` names what a machine lacks in one sentence, with what to do about it."""

import ast
import re
import sys

import pytest

from devstack import bootstrap
from devstack.bootstrap import Missing
from devstack.state import ROOT


@pytest.fixture
def java(tmp_path):
    """A function that makes a home with a `java` of that version, as far as asking for the version goes."""

    def make(version):
        program = tmp_path / version / "bin" / "java"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-20' >&2\n")
        program.chmod(0o755)
        return tmp_path / version

    return make


@pytest.fixture
def no_java(monkeypatch, tmp_path):
    """No Java in JAVA_HOME or PATH, none that would do elsewhere, and no apt-get to install one."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bootstrap, "JAVA_VERSIONS", ())


def test_a_python_too_old_is_named_with_what_to_type(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 12))
    monkeypatch.setattr(sys, "version", "3.10.12 (main)")

    with pytest.raises(
        Missing, match=r"needs Python 3\.11 or newer and this is 3\.10\.12; .*make PYTHON=python3\.11 demo"
    ):
        bootstrap.check_python()


@pytest.mark.parametrize("module", ["__init__", "bootstrap", "steps"])
def test_a_python_too_old_can_read_the_set_up_so_far_as_to_say_so(module):
    ast.parse((ROOT / "devstack" / f"{module}.py").read_text(), feature_version=(3, 7))


def test_no_java_is_named_with_the_command_that_installs_it(no_java):
    with pytest.raises(Missing, match=r"^Spark needs Java 17 or 21 and none was found.*apt-get install openjdk-17-jre"):
        bootstrap.find_java()


def test_what_is_missing_ends_the_set_up_with_one_line_and_exit_code_1(no_java, capsys):
    assert bootstrap.main() == 1
    assert re.fullmatch(r"setup: Spark needs Java .*\n", capsys.readouterr().err)


@pytest.mark.parametrize("version", ["17.0.19", "21.0.8"])
def test_java_home_comes_first(monkeypatch, java, tmp_path, version):
    monkeypatch.setenv("JAVA_HOME", str(java(version)))

    assert bootstrap.installed_java() == tmp_path / version


def test_a_java_that_cannot_run_spark_is_passed_over_for_the_next(monkeypatch, java, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(java("25.0.1")))
    monkeypatch.setenv("PATH", str(java("17.0.19") / "bin"))

    assert bootstrap.installed_java() == tmp_path / "17.0.19"


@pytest.mark.parametrize(
    ("version", "major"), [("17", 17), ("21.0.8", 21), ("1.8.0_402", 1), ("25-ea", 25), ("none at all", None)]
)
def test_the_version_of_a_java_is_its_major_number(java, version, major):
    assert bootstrap.java_version(java(version)) == major


def test_a_folder_without_java_has_no_version(tmp_path):
    assert bootstrap.java_version(tmp_path) is None


def test_a_disk_too_small_is_named_with_what_is_free_and_needed(monkeypatch):
    monkeypatch.setattr(bootstrap, "NEEDED_MEGABYTES", 10**9)

    with pytest.raises(
        Missing, match=rf"^{re.escape(str(ROOT))} has \d+ MB free and the set-up needs 1000000000 MB; free"
    ):
        bootstrap.check_disk()


def test_without_a_network_the_set_up_says_so_and_keeps_what_pip_said(monkeypatch, tmp_path):
    packages = tmp_path / "requirements.txt"
    packages.write_text(f"no-such-package-of-anybodys==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(bootstrap, "PACKAGES", packages)
    monkeypatch.setattr(bootstrap, "LOG", tmp_path / "setup.log")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")

    with pytest.raises(Missing) as missing:
        bootstrap.install_packages()
    assert str(missing.value) == (
        "pip failed: the first run needs a package index; is there a network, and is pip configured for it?"
        f" (what it said is in {tmp_path / 'setup.log'})"
    )
    assert "no-such-package-of-anybodys" in (tmp_path / "setup.log").read_text()


def test_what_is_set_up_is_known_at_once(capsys):
    assert bootstrap.is_ready(bootstrap.find_java())
    assert bootstrap.main() == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["PACKAGES", "JARS", "JAR_HASHES"])
def test_a_change_of_what_is_locked_sets_it_up_again(monkeypatch, tmp_path, name):
    changed = tmp_path / "changed"
    changed.write_bytes(getattr(bootstrap, name).read_bytes() + b"\n")
    monkeypatch.setattr(bootstrap, name, changed)

    assert not bootstrap.is_ready(bootstrap.find_java())


def test_sparks_settings_follow_conf_and_are_left_alone_where_they_do(monkeypatch, tmp_path):
    changed, settings = tmp_path / "spark-defaults.conf", tmp_path / "conf" / "spark-defaults.conf"
    changed.write_text("spark.ui.enabled false\n")
    monkeypatch.setattr(bootstrap, "SPARK_DEFAULTS", changed)
    monkeypatch.setattr(bootstrap, "SPARK_CONF", tmp_path / "conf")
    bootstrap.write_spark_settings()
    settings.chmod(0o444)
    written = settings.stat().st_mtime_ns
    bootstrap.write_spark_settings()

    assert settings.read_text().startswith("spark.ui.enabled false\n")
    assert settings.stat().st_mtime_ns == written
