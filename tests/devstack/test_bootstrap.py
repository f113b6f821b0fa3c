"""`make setup` says in one sentence what is missing on a machine and what to do about it."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from devstack import bootstrap, java, spark, steps
from devstack.state import ROOT
from devstack.steps import SetupError


@pytest.fixture
def java_home(tmp_path):
    """A function that creates a JAVA_HOME whose `java` reports the version."""

    def create(version):
        program = tmp_path / version / "bin" / "java"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-20' >&2\n")
        program.chmod(0o755)
        return tmp_path / version

    return create


@pytest.fixture
def no_java(monkeypatch, tmp_path):
    """No suitable Java anywhere, and no apt-get to install one."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(java, "JAVA_VERSIONS", ())


def test_an_old_python_is_refused_with_the_command_to_use_another(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 12))
    monkeypatch.setattr(sys, "version", "3.10.12 (main)")

    with pytest.raises(
        SetupError, match=r"needs Python 3\.11 or newer and this is 3\.10\.12; .*make PYTHON=python3\.11 demo"
    ):
        bootstrap.check_python()


@pytest.mark.parametrize("module", ["__init__", "bootstrap", "java", "spark", "steps"])
def test_an_old_python_can_parse_the_set_up_and_print_the_refusal(module):
    ast.parse((ROOT / "devstack" / f"{module}.py").read_text(), feature_version=(3, 7))


def test_missing_java_is_reported_with_the_command_that_installs_it(no_java):
    with pytest.raises(
        SetupError, match=r"^Spark needs Java 17 or 21 and none was found.*apt-get install openjdk-17-jre"
    ):
        java.find_java()


def test_a_missing_requirement_stops_the_set_up_with_one_line_and_exit_code_1(no_java, capsys):
    assert bootstrap.main() == 1
    assert re.fullmatch(r"setup: Spark needs Java .*\n", capsys.readouterr().err)


def test_a_link_to_another_environment_is_refused_and_what_it_leads_to_is_kept(monkeypatch, tmp_path, capsys):
    shared, link = tmp_path / "shared", tmp_path / ".venv"
    shared.mkdir()
    (shared / "ready").write_text("the environment of another checkout")
    link.symlink_to(shared)
    monkeypatch.setattr(bootstrap, "VENV", link)
    monkeypatch.setattr(bootstrap, "STAMP", link / "ready")
    monkeypatch.setattr(bootstrap, "find_java", lambda: tmp_path)
    monkeypatch.setattr(bootstrap, "run", lambda *_, **__: pytest.fail("the set-up has begun"))

    assert bootstrap.main() == 1
    assert re.fullmatch(rf"setup: {link} is a link to {shared}, .*: rm {link}\n", capsys.readouterr().err)
    assert (shared / "ready").read_text() == "the environment of another checkout"


def test_make_refuses_a_link_in_place_of_one_of_its_other_environments(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    (tmp_path / "requirements-bench.txt").touch()
    (tmp_path / ".venv-bench").symlink_to(shared)
    done = subprocess.run(
        ["make", "--assume-old=setup", ".venv-bench/ready"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert done.stderr.startswith("setup: .venv-bench is a link; what it leads to would be emptied. Remove it: ")


@pytest.mark.parametrize("version", ["17.0.19", "21.0.8"])
def test_java_home_comes_first(monkeypatch, java_home, tmp_path, version):
    monkeypatch.setenv("JAVA_HOME", str(java_home(version)))

    assert java.installed_java() == tmp_path / version


def test_a_java_that_cannot_run_spark_is_skipped(monkeypatch, java_home, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(java_home("25.0.1")))
    monkeypatch.setenv("PATH", str(java_home("17.0.19") / "bin"))

    assert java.installed_java() == tmp_path / "17.0.19"


@pytest.mark.parametrize(
    ("version", "major"), [("17", 17), ("21.0.8", 21), ("1.8.0_402", 1), ("25-ea", 25), ("none at all", None)]
)
def test_java_version_is_the_major_number(java_home, version, major):
    assert java.java_version(java_home(version)) == major


def test_a_folder_without_java_has_no_version(tmp_path):
    assert java.java_version(tmp_path) is None


def test_a_full_disk_is_reported_with_the_free_and_the_needed_space(monkeypatch):
    monkeypatch.setattr(bootstrap, "NEEDED_MEGABYTES", 10**9)

    with pytest.raises(
        SetupError, match=rf"^{re.escape(str(ROOT))} has \d+ MB free and the set-up needs 1000000000 MB; free"
    ):
        bootstrap.check_disk()


def test_without_a_network_the_set_up_says_so_and_keeps_pips_output(monkeypatch, tmp_path):
    packages = tmp_path / "requirements.txt"
    packages.write_text(f"no-such-package-of-anybodys==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(bootstrap, "PACKAGES", packages)
    monkeypatch.setattr(steps, "LOG", tmp_path / "setup.log")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")

    with pytest.raises(SetupError) as problem:
        bootstrap.install_packages()
    assert str(problem.value) == (
        "pip failed: the first run needs a package index; check the network and pip's configuration"
        f" (its output is in {tmp_path / 'setup.log'})"
    )
    assert "no-such-package-of-anybodys" in (tmp_path / "setup.log").read_text()


def test_nothing_is_done_or_printed_if_everything_is_set_up(capsys):
    assert bootstrap.is_ready(java.find_java())
    assert bootstrap.main() == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["PACKAGES", "JARS", "COMET_JARS"])
def test_a_changed_lock_file_makes_the_set_up_run_again(monkeypatch, tmp_path, name):
    unchanged = bootstrap.fingerprint(java.find_java())
    locked = getattr(bootstrap, name)
    changed = tmp_path / locked.name
    changed.write_bytes(locked.read_bytes() + b"\n")
    if name != "PACKAGES":
        spark.hashes_of(changed).write_bytes(spark.hashes_of(locked).read_bytes())
    monkeypatch.setattr(bootstrap, name, changed)

    assert bootstrap.fingerprint(java.find_java()) != unchanged


@pytest.mark.parametrize("name", ["JARS", "COMET_JARS"])
def test_a_changed_hash_makes_the_set_up_run_again(monkeypatch, tmp_path, name):
    unchanged = bootstrap.fingerprint(java.find_java())
    locked = getattr(bootstrap, name)
    changed = tmp_path / locked.name
    changed.write_bytes(locked.read_bytes())
    spark.hashes_of(changed).write_bytes(spark.hashes_of(locked).read_bytes() + b"\n")
    monkeypatch.setattr(bootstrap, name, changed)

    assert bootstrap.fingerprint(java.find_java()) != unchanged


def test_spark_settings_follow_conf_and_are_only_written_if_they_change(monkeypatch, tmp_path):
    changed, settings = tmp_path / "spark-defaults.conf", tmp_path / "conf" / "spark-defaults.conf"
    changed.write_text("spark.ui.enabled false\n")
    monkeypatch.setattr(spark, "SPARK_DEFAULTS", changed)
    monkeypatch.setattr(spark, "SPARK_CONF", tmp_path / "conf")
    monkeypatch.setattr(spark, "SPARK_CONF_WITHOUT_COMET", tmp_path / "without-comet")
    spark.write_spark_settings()
    settings.chmod(0o444)
    written = settings.stat().st_mtime_ns
    spark.write_spark_settings()

    assert settings.read_text().startswith("spark.ui.enabled false\n")
    assert settings.stat().st_mtime_ns == written


@pytest.mark.parametrize(("folder", "arenas"), [("conf", "2"), ("a conf", "")])
def test_spark_reads_its_environment_except_in_a_path_that_its_script_would_split(folder, arenas, tmp_path):
    spark.write_conf(tmp_path / folder, "")
    script = '. "$SPARK_HOME/bin/load-spark-env.sh" && echo "$MALLOC_ARENA_MAX"'
    variables = {"PATH": os.environ["PATH"], "SPARK_HOME": str(spark.SPARK), "SPARK_CONF_DIR": str(tmp_path / folder)}
    ended = subprocess.run(["bash", "-c", script], env=variables, capture_output=True, text=True)

    assert (ended.stdout, ended.stderr) == (f"{arenas}\n", "")


def test_java_options_keep_a_checkouts_path_with_spaces_in_one_piece(monkeypatch, tmp_path):
    conf = tmp_path / "a checkout" / "conf"
    shutil.copytree(spark.CONF, conf)
    monkeypatch.setattr(spark, "CONF", conf)
    monkeypatch.setattr(spark, "SPARK", tmp_path / "a checkout" / "spark")
    for name in ("SPARK_CONF", "SPARK_CONF_WITHOUT_COMET"):
        monkeypatch.setattr(spark, name, tmp_path / name)
    spark.write_spark_settings()
    lines = (tmp_path / "SPARK_CONF" / "spark-defaults.conf").read_text().splitlines()
    options = [line.split(maxsplit=1)[1] for line in lines if "defaultJavaOptions" in line]

    assert options
    assert [part for each in options for part in shlex.split(each) if not part.startswith("-")] == []
