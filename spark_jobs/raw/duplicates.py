"""Find the same data under two names: every event in it would count twice, so the audit refuses the day."""

from collections.abc import Mapping
from datetime import date

from spark_jobs.file_system import File, FileSystem
from spark_jobs.raw.content import Content


def find_copies(
    system: FileSystem, contents: Mapping[File, Content], days: Mapping[File, date | None]
) -> tuple[tuple[str, ...], ...]:
    """Return the paths of files of one day that hold the same data, compressed or not. Files without rows do not count.

    Only files that start alike, and may be equal by their sizes, are read to the end.
    """
    alike: dict[tuple[date | None, str, bool], list[File]] = {}
    for file, content in contents.items():
        if content.has_rows:
            alike.setdefault((days[file], content.start_digest, content.is_complete), []).append(file)
    same: dict[tuple[date | None, str, str], list[str]] = {}
    for (day, start, is_complete), files in alike.items():
        for file in files:
            if any(_may_be_copies(file, other, contents) for other in files if other != file):
                digest = "" if is_complete else system.read_digest(file.path, contents[file].compression)
                same.setdefault((day, start, digest), []).append(file.path)
    return tuple(tuple(paths) for paths in same.values() if len(paths) > 1)


def _may_be_copies(file: File, other: File, contents: Mapping[File, Content]) -> bool:
    return bool(contents[file].compression or contents[other].compression) or file.size == other.size
