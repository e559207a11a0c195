"""A kept run's next steps: each forecast becomes the last row of the next."""

from __future__ import annotations

import numpy as np

from .. import validate
from ..arrays import Params
from ..data import LastValueFilling, MaskAndTime, Scaling
from ..training import Checkpoint


def forecast(kept: Checkpoint, params: Params, steps: int) -> str:
    """Return a table of the next steps of the series that a run was trained on.

    Other columns than the target are not forecast: they count as missing from the end of the series on, which is what
    the model was trained to live with.
    """
    where, notes = "sample", kept.notes or {}
    try:
        names, chosen, target, what = (notes[name] for name in ("names", "options", "target", "what"))
        scaling = Scaling(np.array(notes["mean"]), np.array(notes["scale"]), (), tuple(names))
        rows = np.array(notes["last"], np.float64)  # None becomes NaN
        fill, horizon, window = np.array(notes["fill"]), chosen["horizon"], chosen["window"]
    except (KeyError, TypeError, ValueError):
        validate.fail(where, "the run's notes lack what a forecast needs", "those of `train series`")
    if horizon != 1:
        validate.fail(
            where, f"the run forecasts {horizon} steps ahead", "one trained with --horizon 1",
            "each step is forecast from those before it",
        )
    model, column = kept.build_model(), names.index(target)
    filler = MaskAndTime(LastValueFilling(), time_unit=float(window))
    statistics = filler.fit(np.vstack([np.where(np.isnan(rows), fill, rows), fill])[:, None])._replace(fill=fill)
    made = []
    for _ in range(steps):
        y = model.predict(params, filler.transform(statistics, rows[-window:, None]))[0, 0]
        row = np.full(len(names), np.nan)
        row[column] = y
        rows = np.vstack([rows, row])
        made.append(y)
    values = scaling.inverse_array(np.array(made)[:, None], [target])[:, 0]
    return "\n".join([f"{'step':>6}  {what}", *[f"{n:>6}  {value:.6g}" for n, value in enumerate(values, 1)]])
