"""Draw what `make quality` measured: python -m tests.benchmarks.quality.plot FILE.png < points.json"""

import json
import sys
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

COLOURS = {"small": "#b0480a", "middle": "#1d4fc4", "large": "#0b7569"}


def draw(axes: Axes, sizes: dict[str, Any]) -> None:
    """Draw a line a size: regret by prior weight."""
    for size, each in sizes.items():
        weights, means, errors = zip(*each["weights"], strict=True)
        bars = [2 * error for error in errors]
        axes.errorbar(range(len(weights)), means, bars, color=COLOURS[size], marker="o", label=size, capsize=3)
        axes.axhline(each["unavoidable"], color=COLOURS[size], linestyle=":", linewidth=1)
        axes.set_xticks(range(len(weights)), [f"{weight:,}" for weight in weights])
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Draw the points that come on standard input."""
    points = json.load(sys.stdin)
    figure, panels = plt.subplots(1, len(points), figsize=(11, 4.6), sharey=True, layout="constrained")
    for axes, (places, sizes) in zip(panels, points.items(), strict=True):
        draw(axes, sizes)
        axes.set_title(f"first {places} places")
    panels[0].set_ylabel("regret: share of the best list's clicks lost")
    panels[0].set_ylim(bottom=0)
    figure.legend(*panels[0].get_legend_handles_labels(), title="advertisers", frameon=False, loc="outside right upper")
    figure.supxlabel(
        "prior weight W; 0 is the plain ratio. Bars: two standard errors. Dotted: what no ranking can help."
    )
    figure.savefig(sys.argv[1], dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    main()
