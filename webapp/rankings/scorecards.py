"""How the lists of one day did in the events of the next: whether what they showed was clicked more than the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webapp.rankings.models import RANKINGS, Run


@dataclass(frozen=True)
class Scorecard:
    """Of one model: events of the products that it listed the day before, and of the same advertisers' other products."""

    model: str
    impressions: int
    clicks: int
    other_impressions: int
    other_clicks: int

    @property
    def ctr(self) -> float | None:
        return share(self.clicks, self.impressions)

    @property
    def other_ctr(self) -> float | None:
        return share(self.other_clicks, self.other_impressions)

    @property
    def share_of_impressions(self) -> float | None:
        return share(self.impressions, self.impressions + self.other_impressions)

    @property
    def share_of_clicks(self) -> float | None:
        return share(self.clicks, self.clicks + self.other_clicks)


def scorecards(run: Run) -> list[Scorecard]:
    """What the run found out of the lists of the day before; nothing where that day was not published."""
    return list(_scorecards(run.counts))


def _scorecards(counts: dict[str, Any]) -> Iterator[Scorecard]:
    names = ("impressions", "clicks", "other_impressions", "other_clicks")
    for model, ranking in RANKINGS.items():
        found = counts.get(f"scorecard_{ranking._meta.db_table}")
        if found:
            yield Scorecard(model, *(found[name] for name in names))


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
