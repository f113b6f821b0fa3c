"""How one day's lists did in the next day's events: were the listed products clicked more often than the others?"""

from dataclasses import dataclass

from webapp.rankings.models import RANKINGS, Run

COUNTS = ("impressions", "clicks", "other_impressions", "other_clicks")


@dataclass(frozen=True)
class Scorecard:
    """One model's counts: events of the products it listed the day before, and of the same advertisers' others."""

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


def load_scorecards(run: Run) -> list[Scorecard]:
    """The scorecards that the run counted; none if the day before was not published."""
    counts = {model: run.counts.get(f"scorecard_{ranking._meta.db_table}") for model, ranking in RANKINGS.items()}
    return [Scorecard(model, *(found[name] for name in COUNTS)) for model, found in counts.items() if found]


def share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None
