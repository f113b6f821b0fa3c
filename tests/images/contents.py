"""The contents of an image: size, user, labels and files, and no secret."""

import re
from typing import NamedTuple

from tests.images.buildah import OFFICIAL_MEGABYTES

SECRET = re.compile(
    r"(?i)secret|password|passwd|token|api_?key|access_?key|credential|database_url|[a-z]+://[^/\s]+:[^/\s]+@"
)


class Expected(NamedTuple):
    """What docs/images.md says about an image."""

    megabytes: int
    user: str
    title: str
    files: set[str]


class Contents:
    """Tests of `image`. They are in the file that runs the image, so that each image is built by one process, once."""

    expected: Expected

    def test_it_is_no_larger_than_documented(self, image):
        assert image.added_megabytes + OFFICIAL_MEGABYTES < self.expected.megabytes

    def test_it_runs_as_an_unprivileged_user(self, image):
        assert image.config["User"] == self.expected.user

    def test_it_has_a_title(self, image):
        assert image.config["Labels"]["org.opencontainers.image.title"] == self.expected.title

    def test_its_variables_and_history_contain_no_secret(self, image):
        assert [line for line in [*image.config["Env"], *image.history] if SECRET.search(line)] == []

    def test_it_only_contains_its_own_half_of_the_checkout(self, image):
        assert {path.name for path in (image.root / "app").iterdir()} == self.expected.files

    def test_its_files_are_read_only(self, image, tmp_path):
        code, output = image.run("touch", "/app/new", log=tmp_path / "log")

        assert code == 1
        assert "Read-only file system" in output
