"""Buffers that outlive a call, so that the next call of the same shape need not make them anew.

A kernel's arrays, and the lists of views of them that its loop walks through, cost more to make than a short sequence
costs to compute: at T = 100, N = 1 some 130 µs. So they are kept. Three rules keep that safe:

- Who holds a `Lease` has its buffers alone. A forward's lease lives in its cache, so two forwards before a backward
  have two sets, and a set is free again when its cache is gone, not earlier.
- The pool is locked: several threads never get the same set. A set that comes back while the pool is locked is let go,
  not waited for: it may come from the garbage collector in the midst of `take`, in this very thread.
- What lies idle is bounded, in number and in bytes; the set that was idle longest goes first.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

MOST_SETS = 32
MOST_BYTES = 256 * 2**20


class Lease:
    """One set of buffers, for whoever holds this object; back in the pool when nobody does."""

    __slots__ = ("_key", "_pool", "_size", "buffers")

    def __init__(self, pool: Pool, key: Hashable, buffers: Any, size: int) -> None:
        self.buffers = buffers
        self._pool, self._key, self._size = pool, key, size

    def __del__(self) -> None:
        self._pool.give_back(self._key, self.buffers, self._size)

    def __deepcopy__(self, memo: dict[int, Any]) -> Lease:
        return self  # nobody writes into a forward's buffers once it has returned

    def __reduce__(self) -> Any:
        raise TypeError("a fused layer's cache holds buffers of this process: save params and inputs instead")


class Pool:
    """The sets of buffers that nobody uses at the moment."""

    def __init__(self, most_sets: int = MOST_SETS, most_bytes: int = MOST_BYTES) -> None:
        self.most_sets, self.most_bytes = most_sets, most_bytes
        self._idle: deque[tuple[Hashable, Any, int]] = deque()  # the set that was idle longest comes first
        self._lock = threading.Lock()

    def take(self, key: Hashable, make: Callable[[], Any]) -> Lease:
        """Lend the idle set with this key that was used last, or a new one; `make()` has `nbytes`."""
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == key:
                    _, buffers, size = self._idle[place]
                    del self._idle[place]
                    return Lease(self, key, buffers, size)
        buffers = make()
        return Lease(self, key, buffers, buffers.nbytes)

    def give_back(self, key: Hashable, buffers: Any, size: int) -> None:
        """Put a set aside, and drop the oldest ones where the bounds are passed; one beyond them alone is not kept."""
        if size > self.most_bytes or not self._lock.acquire(blocking=False):
            return
        try:
            self._idle.append((key, buffers, size))
            while len(self._idle) > self.most_sets or self.idle_bytes() > self.most_bytes:
                self._idle.popleft()
        finally:
            self._lock.release()

    def idle_bytes(self) -> int:
        """Return how many bytes lie idle."""
        return sum(size for _, _, size in list(self._idle))

    def clear(self) -> None:
        """Let go of all idle sets."""
        with self._lock:
            self._idle.clear()


POOL = Pool()
