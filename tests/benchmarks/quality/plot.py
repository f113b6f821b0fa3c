"""Plot the results of `make quality`: python -m tests.benchmarks.quality.plot FILE.png < points.json"""

import json
import sys
from collections.abc import Sequence
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

COLOURS = {"small": "#b0480a", "middle": "#1d4fc4", "large": "#0b7569"}
OF_LISTS = {
    "TopCTR, W = 20, 1 day": "#a0a0a0",
    "TopCTR, W = 20, 7 days": "#6b6b6b",
    "TopCTR, W = 20, 28 days": "#1c1c1c",
    "ExpectedCTR": "#8a1c7c",
    "ExpectedCTR, explore=5": "#c98bbf",
}
Panels = Sequence[Axes]


def draw(axes: Axes, curves: dict[str, Any], line: str = "-", colours: dict[str, str] = COLOURS) -> None:
    """Draw one curve per name, with its points (x, mean, error) at equal distances."""
    for name, points in curves.items():
        xs, means, errors = zip(*points, strict=True)
        bars = [2 * error for error in errors]
        style: dict[str, Any] = {"color": colours[name], "marker": "o", "capsize": 3, "linestyle": line}
        axes.errorbar(range(len(xs)), means, bars, label=name, **style)
        axes.set_xticks(range(len(xs)), [x if isinstance(x, str) else f"{x:,}" for x in xs])
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")


def draw_sample_events(panels: Panels, points: dict[str, Any]) -> None:
    """Draw regret by prior weight and by window, on sample events."""
    for axes, (places, each) in zip(panels, points["weights"].items(), strict=False):
        draw(axes, each["curves"])
        for size, level in each["level"].items():
            axes.axhline(level, color=COLOURS[size], linestyle=":", linewidth=1)
        axes.set_title(f"first {places} places, one day")
        axes.set_xlabel("prior weight W; 0 is the plain ratio")
    for weight, line in (("0", "--"), ("20", "-")):
        draw(panels[2], points["windows"][weight], line)
    panels[2].set_title("first 20 places; W = 20, dashed W = 0")
    panels[2].set_xlabel("days in the window")
    for axes in panels[1:]:
        axes.sharey(panels[0])
    panels[0].set_ylabel("regret: share of the best list's clicks lost")
    panels[2].legend(*panels[0].get_legend_handles_labels(), title="advertisers", frameon=False)


def draw_changing_rates(panels: Panels, points: dict[str, Any]) -> None:
    """Draw regret by the way in which rates change, one panel for each size."""
    for axes, (size, curves) in zip(panels, points["changes"].items(), strict=True):
        draw(axes, curves, line="", colours=OF_LISTS)
        axes.set_title(f"{size} advertisers, first 20 places")
        axes.set_xlabel("how rates change")
    panels[0].set_ylabel("regret on the next day")


def draw_closed_loop(panels: Panels, points: dict[str, Any]) -> None:
    """Draw how regret adds up while lists decide what is shown, one panel for each size."""
    for axes, (size, curves) in zip(panels, points["closed loop"].items(), strict=True):
        for name, regrets in curves.items():
            axes.plot(range(1, len(regrets) + 1), regrets, color=OF_LISTS[name])
        axes.set_title(f"{size} advertisers, closed loop, redrawn weekly")
        axes.set_xlabel("days since lists decide what is shown")
    panels[0].set_ylabel("cumulative regret, in days' clicks")


def main() -> None:
    """Read the points from standard input and save the plot."""
    points = json.load(sys.stdin)
    figure, rows = plt.subplots(3, 3, figsize=(14, 13), layout="constrained")
    draw_sample_events(rows[0], points)
    draw_changing_rates(rows[1], points)
    draw_closed_loop(rows[2], points)
    for axes in rows.flat:
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    rows[1][2].legend(frameon=False)
    figure.supxlabel("Bars: two standard errors. Dotted: no ranking can do better.", fontsize="medium")
    figure.savefig(sys.argv[1], dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    main()
