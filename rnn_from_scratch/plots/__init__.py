"""The course's figures: plain arrays in, a matplotlib Figure out that shows itself in a notebook.

Matplotlib is imported when the first figure is drawn, pyplot never. Every function leaves its
arguments as they are, refuses what it cannot draw, and gives the same picture each time.
"""

from .attention import attention_map, weighted_mean
from .backwards import gradient_flow, singular_values
from .bars import bars, grouped_bars
from .cells import lstm_cell
from .confusion import confusion_matrix
from .curves import curves, panels
from .diagrams import clips_on_circle, course_map, windows
from .gradients import deltas_by_step, v_curve
from .hidden_units import hidden_units
from .maps import heat_map, triangle
from .phase import cobweb
from .planes import loss_surface, scatter, trajectories
from .range_test import range_test
from .ratios import ratio_dots
from .saliency import saliency
from .surprise import surprise
from .unrolled import unrolled
from .waterfall import waterfall

__all__ = [
    "attention_map", "bars", "clips_on_circle", "cobweb", "confusion_matrix", "course_map", "curves",
    "deltas_by_step", "gradient_flow", "grouped_bars", "heat_map", "hidden_units", "loss_surface", "lstm_cell",
    "panels", "range_test", "ratio_dots", "saliency", "scatter", "singular_values", "surprise", "trajectories",
    "triangle", "unrolled", "v_curve", "waterfall", "weighted_mean", "windows",
]
