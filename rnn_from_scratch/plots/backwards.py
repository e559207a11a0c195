"""What goes back through time: singular values of Jacobians, and the gradient's flow by its two sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import DtypeError, fail
from . import checks
from .curves import draw_lines
from .style import BLUE, GREY, MIDDLE_GREY, VERMILION, drawn, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PANELS = 6
SOURCES = ("from the loss here", "from the future")


@drawn
def singular_values(
    values: Any, *, title: str = "", xlabel: str = "k, steps back from the last", ylabel: str = "singular values",
) -> Figure:
    """Draw how much a step, or many of them, stretch the state in its directions: S lines over time, log axis.

    The largest is solid and blue, the smallest dashed and vermilion, those between thin and grey; the level 1 is where
    nothing grows or shrinks. An exact 0 (`looking.singular_values` gives it for what is lost in rounding) has no place
    on the axis: its line ends.

    Parameters
    ----------
    values : (n, S) or {label: (n, S)}
        At least 0, descending along S; index k of n is drawn at k. Up to 3 panels on one scale.
    title, xlabel, ylabel : str
        The words around the picture.

    Raises
    ------
    ArgumentError
        If a number is negative or not finite, all are 0, or there are more panels than 3.

    Source: Pascanu, Mikolov & Bengio (2013), §2.1; article §4.5; notebook 17; tests/plots/test_looking.py.
    """
    where = "singular_values"
    given = values if isinstance(values, Mapping) else {"": values}
    if not 1 <= len(given) <= 3:
        fail(where, f"values has {len(given)} entries", "1 to 3", "more are too small to read")
    data = {str(label): checks.numbers(where, f"values[{label!r}]", each, ("n", "S")) for label, each in given.items()}
    for label, each in data.items():
        checks.positive(where, f"values[{label!r}]", each, zero_ok=True)
        if not each.any():
            fail(where, f"values[{label!r}] is 0 everywhere", "a number above 0", "the axis is logarithmic")
        if (np.diff(each, axis=1) > 0).any():
            fail(where, f"values[{label!r}] rises along S", "descending singular values",
                 "the first is drawn as the largest", "Time is the first axis: try the transpose.")
    figure = new_figure(8.0 if len(data) == 1 else 3.4 * len(data) + 0.4, 4.0)
    first = None
    for index, (label, each) in enumerate(data.items()):
        axes = first = figure.add_subplot(1, len(data), index + 1, sharey=first)
        axes.set(title=label, xlabel=xlabel, yscale="log", ylabel=ylabel if index == 0 else "")
        axes.axhline(1.0, color=GREY, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1)
        shown = np.where(each == 0, np.nan, each)
        k = np.arange(len(each))
        axes.plot(k, shown[:, 1:-1], color=MIDDLE_GREY, linewidth=0.7, zorder=2)
        every = max(1, len(k) // 8)
        if each.shape[1] > 1:
            axes.plot(k, shown[:, -1], color=VERMILION, linestyle="--", marker="s", markevery=every, label="smallest")
        axes.plot(k, shown[:, 0], color=BLUE, marker="o", markevery=every, label="largest")
        if index:
            axes.tick_params(labelleft=False)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], names[::-1], loc="outside lower center", ncols=2, handlelength=3.2)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


@drawn
def gradient_flow(
    flows: Mapping[str, tuple[Any, Any]], *, title: str = "", ylabel: str = "norm", logy: bool = True,
) -> Figure:
    """Draw the gradient by step and gate, split into what comes from the loss here and what from the future.

    One panel for each gate, all on one scale. Where the two lines lie far apart, one source rules: a network that is
    taught across many steps needs the future's line to stay up.

    Parameters
    ----------
    flows : {label: ((T,), (T,))}
        Norms, from the loss here and from the future, for t = 1 … T; up to 6 panels: {"h": …, "gate f": …}.
    title, ylabel : str
        The words around the picture.
    logy : bool
        Logarithmic axis. An exact 0 is a hollow marker on the axis.

    Raises
    ------
    ArgumentError
        If lengths differ, a number is negative or not finite, or there are more panels than 6.

    Source: article E-BPTT, §4.5; notebook 17; tests/plots/test_looking.py.
    """
    where = "gradient_flow"
    if not isinstance(flows, Mapping):
        fail(where, f"flows is a {type(flows).__name__}", "a dictionary of label: (here, future)",
             "every panel has a name", error=DtypeError)
    if not 1 <= len(flows) <= MOST_PANELS:
        fail(where, f"flows has {len(flows)} entries", f"1 to {MOST_PANELS}", "more are too small to read")
    data: dict[str, dict[str, Any]] = {}
    T: int | str = "T"
    for label, pair in flows.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            fail(where, f"flows[{label!r}] is {pair!r:.40}", "a pair (here, future)", "the two sum to the whole")
        data[str(label)] = {}
        for source, norms in zip(SOURCES, pair, strict=True):
            data[str(label)][source] = checks.numbers(where, f"flows[{label!r}] {source}", norms, (T,))
            T = len(norms)
            checks.positive(where, f"flows[{label!r}] {source}", data[str(label)][source], zero_ok=True)
    across = min(3, len(data)) if len(data) != 4 else 2
    down = -(-len(data) // across)
    figure = new_figure(8.0 if across == 1 else 3.3 * across, 2.3 * down + 1.1 if down > 1 else 3.8)
    every = np.concatenate([norms for lines in data.values() for norms in lines.values()])
    some = every[every > 0]
    for index, (label, lines) in enumerate(data.items()):
        axes = figure.add_subplot(down, across, index + 1)
        bottom = index + across >= len(data)
        draw_lines(where, axes, np.arange(1, int(T) + 1), lines, "time step t" if bottom else "",
                   ylabel if index % across == 0 else "", label, logy=logy, beside=False)
        if len(some):  # one scale for all
            top = float(some.max())
            axes.set_ylim((float(some.min()) / 1.5, top * 1.5) if logy else (0.0, top * 1.08))
        if index % across:
            axes.tick_params(which="both", labelleft=False)
        axes.set_xticks(np.unique(np.linspace(1, int(T), min(int(T), 6)).round().astype(int)))
    named: dict[str, Any] = {}  # the same in every panel, but for what says that a marker on the axis is a 0
    for axes in figure.axes:
        key = axes.get_legend()
        if key:
            named |= {text.get_text(): handle for text, handle in zip(key.get_texts(), key.legend_handles, strict=True)}
            key.remove()
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=3, handlelength=3.2)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure
