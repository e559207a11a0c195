"""How fast the layers are, beside PyTorch's, beside the bare matrix products, and beside plainer NumPy.

`python -m benchmarks.run --help` tells how to start it. How it is measured:

- Every setting of threads is a fresh process, since BLAS and PyTorch read it when they are loaded.
- Two sides run in turn in one process, at least nine rounds and 2.5 seconds a point, and what counts is the median of
  the paired ratios: whatever slows the machine for a while slows both halves of a pair.
- With one thread, seconds of the processor, the process pinned to one core. With two, seconds of the wall's clock, with
  a pause before each sample, because threads of BLAS that wait for work go on spinning for a while.
- Inside the time is all that a caller pays for: packing of weights, transposes, the sum of the outputs that stands for
  a loss, and the gradient of that sum.
- Both sides must first give equal outputs and equal gradients, on the very arrays that are timed; else no figure.
- Python's garbage collector stays on, as in a user's program, for both.
- The geometric mean is never told without the worst point.
"""
