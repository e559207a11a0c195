"""Training: one loop for every model, runs and parameters on disk."""

from .checkpoint import Checkpoint, load_checkpoint
from .describing import build, describe
from .evaluating import evaluate
from .failing import TrainingStopped
from .fitting import fit
from .loop import Result, train
from .params import load_params, save_params
from .plan import Step
from .progress import progress_bar
from .range_test import RangeTest, range_test
from .state import Best, History

__all__ = [
    "Best", "Checkpoint", "History", "RangeTest", "Result", "Step", "TrainingStopped", "build", "describe", "evaluate",
    "fit", "load_checkpoint", "load_params", "progress_bar", "range_test", "save_params", "train",
]
