"""Numerical derivatives and reports, for callables and arrays of any kind."""

from .compare import check_gradients
from .curve import step_curve
from .metric import relative_error
from .numerical import numerical_gradient
from .projected import check_along_directions
from .report import GradientError, GradientReport, GradientRow
from .second_order import check_hessian_vector_product, check_symmetry, hessian_vector_product
from .steps import StepCurve

__all__ = [
    "GradientError", "GradientReport", "GradientRow", "StepCurve", "check_along_directions", "check_gradients",
    "check_hessian_vector_product", "check_symmetry", "hessian_vector_product", "numerical_gradient", "relative_error",
    "step_curve",
]
