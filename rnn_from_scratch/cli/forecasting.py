"""A kept run's next steps: each forecast becomes the last row of the next."""

from __future__ import annotations

import numpy as np

from .. import validate
from ..arrays import Params
from ..data import LastValueFilling, MaskAndTime, Scaling
from ..models import SequenceModel
from ..training import Checkpoint


def forecast(kept: Checkpoint, params: Params, steps: int) -> str:
    """Return a table of the next steps of the series that a run was trained on.

    Other columns than the target are not forecast: they count as missing from the end of the series on, which is what
    the model was trained to live with.
    """
    where, notes = "sample", kept.notes or {}
    model = kept.build_model()
    try:
        names, chosen, target, what = (notes[name] for name in ("names", "options", "target", "what"))
        mean, scale, fill = (np.array(notes[name], np.float64) for name in ("mean", "scale", "fill"))
        rows = np.array(notes["last"], np.float64)  # None becomes NaN
        horizon, window, D = chosen["horizon"], chosen["window"], len(names)
        column = names.index(target)
        fits = isinstance(model, SequenceModel) and mean.shape == scale.shape == fill.shape == (D,)
        fits = fits and rows.shape == (window, D) and bool(np.isfinite([mean, scale, fill]).all())
    except (KeyError, TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        validate.fail(where, "the run's notes lack what a forecast needs", "those of `train series`")
    if horizon != 1:
        validate.fail(
            where, f"the run forecasts {horizon} steps ahead", "one trained with --horizon 1",
            "each step is forecast from those before it",
        )
    scaling = Scaling(mean, scale, (), tuple(names))
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
