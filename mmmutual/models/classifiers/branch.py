"""One modality's network inside a classifier."""

from typing import Optional, Tuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmmutual.registry import MODELS

from .tune_from import TuneFrom


class Branch(BaseModule):
    """An encoder and, unless the model's head is shared, a head of its own.

    Args:
        encoder (dict): (B, ...) -> features (B, D) or (B, T, D). Its attribute ``input_dims`` is the number of
            dimensions of its batch: an input with one more holds views, whose outputs are averaged. It may tell D as
            ``out_channels``, and refuse inputs before training by ``check_input(batch)``.
        input (str): name of the input that it reads.
        head (dict, optional): features -> logits (B, C).
        tune_from (dict, optional): a trained network whose weights are the first ones here, arguments of
            :class:`~mmmutual.models.classifiers.tune_from.TuneFrom`: checkpoint, source_modality, source_branch,
            keep_head, freeze_stem.
    """

    def __init__(
        self, encoder: dict, input: str, head: Optional[dict] = None, tune_from: Optional[dict] = None
    ) -> None:
        super().__init__()
        self.input_name = input
        self.encoder = MODELS.build(encoder)
        if head is not None:
            self.head = MODELS.build(head)
        self.tune_from = None if tune_from is None else TuneFrom(**tune_from)
        if self.tune_from is not None:
            self.tune_from.freeze(self)

    def init_weights(self) -> None:
        """The parts' own initialisation, then the weights of ``tune_from`` over it.

        Raises:
            ValueError: if they do not fit.
        """
        super().init_weights()
        if self.tune_from is not None:
            self.tune_from.load_into(self)

    def forget_first_weights(self) -> None:
        """Leave ``tune_from`` out: the weights come from a checkpoint of this training."""
        self.tune_from = None

    @property
    def has_head(self) -> bool:
        """Whether the branch has a head of its own."""
        return hasattr(self, 'head')

    def forward(self, x: Tensor, shared_head: Optional[nn.Module] = None) -> Tuple[Tensor, Tensor]:
        """Features and logits.

        Args:
            x: (B, ...) as the encoder takes it, or (B, V, ...) with V views of each sample.
            shared_head: used where the branch has none.

        Returns:
            Features (B, D) or (B, T, D), and logits (B, C), both averaged over views.
        """
        views = self._num_views(x)
        features = self.encoder(x.flatten(0, 1) if views else x)
        logits = (self.head if self.has_head else shared_head)(features)
        if views:
            features = features.unflatten(0, (-1, views)).mean(dim=1)
            logits = logits.unflatten(0, (-1, views)).mean(dim=1)
        return features, logits

    def check_input(self, x: Tensor) -> None:
        """Let the encoder refuse an input (B, ...) or (B, V, ...) that it cannot take.

        Raises:
            ValueError: from the encoder.
        """
        if hasattr(self.encoder, 'check_input'):
            self.encoder.check_input(x.flatten(0, 1) if self._num_views(x) else x)

    def _num_views(self, x: Tensor) -> int:
        return x.shape[1] if x.dim() == self.encoder.input_dims + 1 else 0
