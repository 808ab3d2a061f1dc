"""Where the time of a step goes, by the clock of the device that runs it."""

import time
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Tuple

import torch
from torch import nn


class StageClock:
    """Sums the time between marks by the name of a stage.

    On CUDA the marks are events of the stream, which are read at the end: nothing waits within a step, and what is
    measured is the time of the device, its idle time included.

    Args:
        device: of the model.
    """

    def __init__(self, device: torch.device) -> None:
        self.on_cuda = device.type == 'cuda'
        self.spans: List[Tuple[str, Any, Any]] = []

    def mark(self) -> Any:
        """The present moment."""
        if not self.on_cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        start = self.mark()
        yield
        self.spans.append((name, start, self.mark()))

    def watch_module(self, module: nn.Module, name: str) -> None:
        """Time every call of a module from now on."""
        started: List[Any] = []
        module.register_forward_pre_hook(lambda *_: started.append(self.mark()))
        module.register_forward_hook(lambda *_: self.spans.append((name, started.pop(), self.mark())))

    def watch_method(self, owner: Any, method: str, name: str) -> None:
        """Time every call of a method from now on."""
        function = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        setattr(owner, method, timed)

    def read(self) -> Dict[str, List[float]]:
        """Milliseconds of every span by stage, in order; the clock starts anew."""
        if self.on_cuda:
            torch.cuda.synchronize()
        found: Dict[str, List[float]] = {}
        for name, start, end in self.spans:
            found.setdefault(name, []).append(start.elapsed_time(end) if self.on_cuda else 1000 * (end - start))
        self.spans = []
        return found
