"""`diagnose`: which mistake a backward pass makes, by name."""

from .recipe import diagnose
from .suspects import KINDS, Diagnosis, SourceLine, Suspect, Where

__all__ = ["KINDS", "Diagnosis", "SourceLine", "Suspect", "Where", "diagnose"]
