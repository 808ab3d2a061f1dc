"""A branch's first weights from a trained network, also of another modality (spec/mml.md 3.5)."""

import difflib
from typing import Dict, Optional

from mmengine.logging import print_log
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

from mmmutual.utils.branch_state import STEM_CHANNELS, branch_state, copy_state, fitted_state
from mmmutual.utils.state_match import refuse_other_shapes, report_states

from ..encoders.pretrained import stem_name, transfer_stem

HEADS = ('head.', 'cls_head.')  # ours, and what else mmaction2's heads hold


class TuneFrom:
    """Where a branch's weights come from, batch norm statistics and the classifier included.

    Args:
        checkpoint (str): a path or URL: of ours, of mmaction2's Recognizer2D, or of the original MML or TSM code.
        source_modality (str): what its network was trained on: 'rgb' (3 channels), 'flow' (10), 'rgbdiff' (15) or any
            other input name. The first kernel is kept where it is the branch's input; else each of the branch's
            channels gets the mean over the source's, also where their number is equal.
        source_branch (str, optional): which branch, if the checkpoint is ours and has several.
        keep_head (bool): whether the classifier is copied too; False for other classes.
        freeze_stem (bool): whether a transferred first kernel stays as it is, as in the original by mistake
            (spec/mml.md 6.2).

    Raises:
        ValueError: if ``source_modality`` is nearly a known one, and would be taken for another.
    """

    def __init__(
        self,
        checkpoint: str,
        source_modality: str,
        source_branch: Optional[str] = None,
        keep_head: bool = True,
        freeze_stem: bool = False,
    ) -> None:
        close = difflib.get_close_matches(source_modality.lower(), STEM_CHANNELS, n=1)
        if close and source_modality not in STEM_CHANNELS:
            raise ValueError(f'tune_from.source_modality={source_modality!r} is not known; did you mean {close[0]!r}?')
        self.checkpoint = checkpoint
        self.source_modality = source_modality
        self.source_branch = source_branch
        self.keep_head = keep_head
        self.freeze_stem = freeze_stem

    def freeze(self, branch: nn.Module) -> None:
        """Freeze what ``freeze_stem`` says; done when the branch is built, before an optimiser is."""
        stem = stem_name(branch)
        if self.freeze_stem and stem is not None and self.source_modality != branch.input_name:
            branch.get_parameter(stem).requires_grad_(False)

    def load_into(self, branch: nn.Module) -> None:
        """Copy the values in place: the Runner builds the optimiser before it initialises weights.

        Args:
            branch: a :class:`~mmmutual.models.classifiers.branch.Branch`.

        Raises:
            ValueError: if the checkpoint does not fill the whole branch, the head excepted without ``keep_head``, or
                has more than that, or has a first kernel that is not of ``source_modality``.
            FileNotFoundError: if there is no such file.
        """
        source = f'tune_from.checkpoint {self.checkpoint!r}'
        state = branch_state(_load_checkpoint(self.checkpoint, map_location='cpu'), source, self.source_branch)
        state, wanted = fitted_state(state, branch), branch.state_dict()
        if not self.keep_head:
            state, wanted = _without_head(state), _without_head(wanted)
        self._transfer_stem(state, branch, source)
        match = report_states(state, wanted, source, f'the branch of input {branch.input_name!r}')
        _refuse_other_head(state, wanted, source)
        refuse_other_shapes(state, wanted, source)
        if not match.complete:
            raise ValueError(f'{source} is of another network than the branch of input {branch.input_name!r}: {match}')
        copy_state(state, branch)

    def _transfer_stem(self, state: Dict[str, Tensor], branch: nn.Module, source: str) -> None:
        """Make the first kernel one for the branch's input."""
        if self.source_modality == branch.input_name:
            return
        stem = stem_name(branch)
        if stem is None:
            raise ValueError(
                f'{source}: source_modality={self.source_modality!r} is not the input {branch.input_name!r} of the '
                'branch, and its network has no first convolution that could be transferred'
            )
        if stem not in state:
            return  # told as missing
        channels, known = state[stem].shape[1], STEM_CHANNELS.get(self.source_modality)
        if known not in (None, channels):
            raise ValueError(
                f'{source}: its first kernel has {channels} channels, but source_modality={self.source_modality!r} '
                f'has {known}; known are {STEM_CHANNELS}'
            )
        state[stem] = transfer_stem(state[stem], branch.get_parameter(stem).shape[1])
        print_log(
            f'{source}: each channel of {branch.input_name!r} starts with the mean of the first kernel over those of '
            f'{self.source_modality!r}',
            logger='current',
        )


def _without_head(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {name: value for name, value in state.items() if not name.startswith(HEADS)}


def _refuse_other_head(state: Dict[str, Tensor], wanted: Dict[str, Tensor], source: str) -> None:
    """A classifier that does not fit is most often one of another data set."""
    given = {name: tuple(value.shape) for name, value in state.items() if name.startswith(HEADS)}
    own = {name: tuple(value.shape) for name, value in wanted.items() if name.startswith(HEADS)}
    if given != own:
        raise ValueError(f'{source} has the head {given}, the branch has {own}: set keep_head=False to leave it out')
