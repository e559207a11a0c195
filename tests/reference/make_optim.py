"""Make the optimisers' and schedules' references: `python tests/reference/make_optim.py` writes, `--check` compares.

It needs a virtual environment of its own with torch==2.13.0 and numpy; the tests read the file and need no torch.

optimisers.npz holds 50 updates of each rule with each of its options, over gradients that are fixed beforehand, so that
only the update rule is compared ("rule/<name>/W", 50 steps along the first axis); and the learning rates of PyTorch's
schedulers over 60 updates, divided by the optimiser's own ("schedule/<name>").
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch.optim import lr_scheduler

sys.path.insert(0, str(Path(__file__).parent))
from writing import write_or_check

UPDATES = 50
BASE = 0.2  # the rate of the schedulers' optimiser

RULES = {
    "sgd decay": (torch.optim.SGD, {"lr": 0.05, "weight_decay": 0.1}),
    "momentum decay": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1}),
    "nesterov": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "nesterov decay": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.1}),
    "adagrad options": (torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.1}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.02}),
    "rmsprop options": (torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    "rmsprop momentum": (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "momentum": 0.7}),
    "rmsprop centered": (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "centered": True}),
    "rmsprop everything": (torch.optim.RMSprop, {
        "lr": 0.01, "alpha": 0.8, "eps": 1e-2, "momentum": 0.6, "centered": True, "weight_decay": 0.05}),
    "adam decay": (torch.optim.Adam, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1}),
    "adamw": (torch.optim.AdamW, {"lr": 0.05}),
    "adamw options": (torch.optim.AdamW, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.3}),
}
SPARED = {"spared sgd": (torch.optim.SGD, {"lr": 0.05}), "spared adamw": (torch.optim.AdamW, {"lr": 0.05})}  # b of them

SCHEDULES = {
    "constant": lambda o: lr_scheduler.LambdaLR(o, lambda k: 1.0),
    "step": lambda o: lr_scheduler.StepLR(o, step_size=7, gamma=0.5),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, gamma=0.93),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=59, eta_min=0.05 * BASE),
    "warm-up": lambda o: lr_scheduler.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=12),
    "warm-up cosine": lambda o: lr_scheduler.SequentialLR(
        o,
        [lr_scheduler.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=12),
         lr_scheduler.CosineAnnealingLR(o, T_max=47, eta_min=0.05 * BASE)],
        milestones=[12]),
    "one-cycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=BASE, total_steps=60, cycle_momentum=False),
    "one-cycle linear": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=BASE, total_steps=60, pct_start=0.45, anneal_strategy="linear", div_factor=10, final_div_factor=20,
        cycle_momentum=False),
}
PLATEAUS = {
    "plateau": {"factor": 0.5, "patience": 3},
    "plateau max": {"factor": 0.3, "patience": 2, "mode": "max", "threshold": 0.05, "cooldown": 4},
    "plateau lowest": {"factor": 0.1, "patience": 0, "threshold": 0.2, "min_lr": 0.02 * BASE},
}


def walk(kind: type, choices: dict, start: dict, grads: dict, spare_b: bool = False) -> dict[str, np.ndarray]:
    """Return the path of W and b over the gradients."""
    params = {name: torch.tensor(array, requires_grad=True) for name, array in start.items()}
    groups: object = list(params.values())
    if spare_b:
        groups = [{"params": [params["W"]], "weight_decay": 0.2}, {"params": [params["b"]], "weight_decay": 0.0}]
    optimizer = kind(groups, **choices)
    path: dict[str, list[np.ndarray]] = {name: [] for name in params}
    for k in range(UPDATES):
        for name, param in params.items():
            param.grad = torch.tensor(grads[name][k])
        optimizer.step()
        for name, param in params.items():
            path[name].append(param.detach().numpy().copy())
    return {name: np.stack(steps) for name, steps in path.items()}


def schedule(make) -> np.ndarray:
    """Return the factor of each of 60 updates."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    scheduler, rates = make(optimizer), []
    for k in range(60):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if k < 59:
            scheduler.step()
    return np.array(rates) / BASE


def plateau(choices: dict, scores: np.ndarray) -> np.ndarray:
    """Return the factor after each score."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    scheduler, rates = lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **choices), []
    for score in scores:
        scheduler.step(score)
        rates.append(optimizer.param_groups[0]["lr"])
    return np.array(rates) / BASE


def main() -> int:
    rng = np.random.default_rng(20241)
    start = {"W": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
    grads = {
        name: np.stack([array * (1.0 - k / UPDATES) + rng.standard_normal(array.shape) for k in range(UPDATES)])
        for name, array in start.items()
    }
    made = {f"start/{name}": array for name, array in start.items()}
    made |= {f"grads/{name}": array for name, array in grads.items()}
    for rule, (kind, choices) in {**RULES, **SPARED}.items():
        made |= {f"rule/{rule}/{name}": path
                 for name, path in walk(kind, choices, start, grads, rule in SPARED).items()}
    made |= {f"schedule/{name}": schedule(make) for name, make in SCHEDULES.items()}
    scores = 1.0 + np.exp(-np.arange(60) / 6.0) + 0.02 * rng.standard_normal(60)
    made["scores"] = scores
    made |= {f"schedule/{name}": plateau(choices, scores) for name, choices in PLATEAUS.items()}
    return write_or_check(Path(__file__).parent / "optimisers.npz", made)


if __name__ == "__main__":
    sys.exit(main())
