"""What a trained network does inside, as plain arrays (article §4.5): `plots` draws them.

Two kinds of functions. Some look: Jacobians, the flow of the gradient, saliency, probes, principal components, the
loss surface. One changes: `unroll_changed` runs the network with a part of its state taken out. What looking shows is
there; only changing says whether it is used.
"""

from .changing import clamp_units, remove_directions, unroll_changed
from .components import Components, principal_components
from .flow import GradientFlow, gradient_flow, split_gates
from .jacobians import jacobian_products, singular_values, step_jacobians
from .probes import Probe, class_directions, fit_classifier, fit_least_squares
from .saliency import input_gradient, integrated_gradients, occlusion
from .surface import loss_surface

__all__ = [
    "Components", "GradientFlow", "Probe", "clamp_units", "class_directions", "fit_classifier", "fit_least_squares",
    "gradient_flow", "input_gradient", "integrated_gradients", "jacobian_products", "loss_surface", "occlusion",
    "principal_components", "remove_directions", "singular_values", "split_gates", "step_jacobians", "unroll_changed",
]
