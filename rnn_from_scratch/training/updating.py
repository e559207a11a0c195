"""One update: the rate of its schedule, the gradient, clipping, the optimiser; and the validation after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Params, global_norm
from .calling import check_fits, gradients
from .evaluating import evaluate, loss_of
from .failing import what_is_not_finite
from .plan import Plan, Step, clipped
from .state import Best, RunState, generator_state


def paced(plan: Plan, state: RunState) -> Any:
    """Return the optimiser with the learning rate of the next update."""
    if plan.schedule is None:
        return plan.optimizer
    factor = state.plateau.factor if plan.on_plateau else plan.schedule(state.updates)
    because = "it multiplies the learning rate"
    factor = validate.number(plan.where, f"schedule({state.updates})", factor, above=0.0, because=because)
    return replace(plan.optimizer, learning_rate=plan.optimizer.learning_rate * factor)


def updated(plan: Plan, state: RunState, batch: Any, optimizer: Any) -> tuple[RunState, Step]:
    """Return the state after one more update, and what is told of it; raise if a number is not finite."""
    loss, grads, final_state = gradients(
        plan.where, plan.model, state.params, batch, plan.source.carries, state.carried, plan.rng
    )
    fault = what_is_not_finite(loss, grads)
    if fault is not None:
        raise validate.ArgumentError(f"{plan.where}: {fault}" if state.updates == 0 else fault)
    norm = global_norm(grads)
    if plan.clip is not None:
        grads = clipped(plan.where, plan.clip, grads)
    params, memory = optimizer.update(state.params, grads, state.optimizer)
    fault = what_is_not_finite(0.0, params, "the new")
    if fault is not None:
        first = f"{plan.where}: {fault}. Try a lower learning rate."
        raise validate.ArgumentError(first if state.updates == 0 else fault)

    updates, history = state.updates + 1, state.history
    del history.losses[state.updates :], history.norms[state.updates :], history.rates[state.updates :]
    history.losses.append(loss)
    history.norms.append(norm)
    history.rates.append(float(getattr(optimizer, "learning_rate", float("nan"))))
    weight = float(batch.weight)
    epoch_loss, epoch_weight = state.epoch_loss + weight * loss, state.epoch_weight + weight
    whole = state.batch + 1 == plan.source.updates
    if whole:
        del history.epoch_losses[state.epoch :]
        history.epoch_losses.append(epoch_loss / epoch_weight if epoch_weight else 0.0)
    after = state._replace(
        params=params, optimizer=memory, updates=updates, epoch=state.epoch + whole,
        batch=0 if whole else state.batch + 1, carried=None if whole or not plan.source.carries else final_state,
        epoch_loss=0.0 if whole else epoch_loss, epoch_weight=0.0 if whole else epoch_weight,
    )
    validated = None
    if plan.validation is not None and updates % plan.validate_every == 0:
        after, validated = _validated(plan, after)
    after = after._replace(rng=generator_state(plan.rng))
    step = Step(updates, after.epoch, loss, norm, history.rates[-1], params, state.params, validated)
    return after, step


def _validated(plan: Plan, state: RunState) -> tuple[RunState, float]:
    """Measure the validation source, keep the best parameters, and let a plateau's schedule see the loss."""
    loss = evaluate(plan.model, state.params, plan.validation)
    if not np.isfinite(loss):
        raise validate.ArgumentError(f"the validation loss after it is {loss}")
    validations = state.history.validations
    while validations and validations[-1][0] >= state.updates:
        validations.pop()
    validations.append((state.updates, loss))
    better = state.best is None or loss < state.best.loss
    return state._replace(
        best=Best(state.params, loss, state.updates) if better else state.best,
        waited=0 if better else state.waited + 1,
        plateau=plan.schedule.update(state.plateau, loss) if plan.on_plateau else None,
    ), loss


def try_validation(plan: Plan, params: Params) -> None:
    """Measure one batch of the validation source after the first update: what cannot be measured is told then."""
    batch = None if plan.validation is None else next(iter(plan.validation.epoch(None)), None)
    if batch is not None:
        try:
            check_fits(plan.where, plan.model, batch, plan.validation.carries)
            with np.errstate(all="ignore"):
                loss_of(plan.model, params, batch, None)
        except validate.ArgumentError as fault:
            raise type(fault)(f"{plan.where}: the validation source cannot be measured: {fault}") from fault
