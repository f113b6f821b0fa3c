"""Plot the results of `make quality`: python -m tests.benchmarks.quality.plot FILE.png < points.json"""

import json
import sys
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

COLOURS = {"small": "#b0480a", "middle": "#1d4fc4", "large": "#0b7569"}


def draw(axes: Axes, curves: dict[str, Any], line: str = "-") -> None:
    """Draw one curve per size, with its points (x, mean, error) at equal distances."""
    for size, points in curves.items():
        xs, means, errors = zip(*points, strict=True)
        bars = [2 * error for error in errors]
        style: dict[str, Any] = {"color": COLOURS[size], "marker": "o", "capsize": 3, "linestyle": line}
        axes.errorbar(range(len(xs)), means, bars, label=size, **style)
        axes.set_xticks(range(len(xs)), [f"{x:,}" for x in xs])
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Read the points from standard input and save the plot."""
    points = json.load(sys.stdin)
    figure, panels = plt.subplots(1, 3, figsize=(14, 4.6), sharey=True, layout="constrained")
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
    panels[0].set_ylabel("regret: share of the best list's clicks lost")
    panels[0].set_ylim(bottom=0)
    figure.legend(*panels[0].get_legend_handles_labels(), title="advertisers", frameon=False, loc="outside right upper")
    figure.supxlabel("Bars: two standard errors. Dotted: no ranking can do better.", fontsize="medium")
    figure.savefig(sys.argv[1], dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    main()
