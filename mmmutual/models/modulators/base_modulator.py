"""The contract of gradient modulators."""

from torch import nn

from mmmutual.engine import UpdateStep


class Modulator(nn.Module):
    """Edits ``param.grad`` in place, after averaging over processes and before clipping.

    State across iterations belongs into registered buffers. What is computed from ``step.outputs`` is of this
    process's share of the batch: reduce it over processes where the method's formula is over the whole batch.
    """

    def forward(self, step: UpdateStep) -> None:
        """Edit the gradients of ``step.params``.

        Args:
            step: name, model, parameters, outputs (B, ...), kept gradients and logs of this update.
        """
        raise NotImplementedError(f'{type(self).__name__} must define forward()')
