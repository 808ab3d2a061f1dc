"""The classifier of which MML, MLA, OGM, QMF and joint training are configurations."""

from typing import Callable, Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.model import ModuleDict
from torch import Tensor

from mmmutual.engine import Update
from mmmutual.registry import MODELS
from mmmutual.structures import MultiModalDataSample
from mmmutual.structures.multimodal_data_sample import stack_labels

from ..base_model import MutualModel
from .branch import Branch
from .named_inputs import call_with, wanted_names

FOR_LOSSES = ('features', 'logits', 'fused_logits', 'labels')
FOR_FUSION = ('features', 'logits')
ENSEMBLE = 'ensemble'
Exchange = Callable[[Tensor], Dict[str, Tensor]]
RESERVED = (ENSEMBLE, 'shared')  # the fusion's results; the parameter group of what belongs to no branch


@MODELS.register_module()
class MultiModalClassifier(MutualModel):
    """Branches with encoders and heads, loss terms, a fusion; trained by a schedule with gradient modulators.

    Args:
        branches (dict): branch name -> dict(encoder, head, input); ``input`` is the branch's name unless given, and
            may repeat (``rgb_0`` and ``rgb_1`` both reading ``rgb``). One branch is the unimodal baseline.
        losses (dict): term name -> config of a loss. Its ``forward`` gets what its parameters name: ``features``
            and ``logits`` (dicts by branch), ``fused_logits`` (B, C), ``labels`` (B,). It returns a scalar or a dict of
            scalars by branch.
        num_classes (int, optional): C, for every head whose config does not give its own.
        fusion (dict): makes the ensemble's logits (B, C); its ``forward`` names ``features`` or ``logits``.
        head (dict, optional): the head of all branches that have none of their own.
        data_preprocessor (dict, optional): makes device tensors.
        schedule (dict, optional): update schedule; default: joint.
        modulators (Sequence[dict]): gradient modulators.
        init_cfg (dict, optional): of mmengine's BaseModule.

    Raises:
        ValueError: if there is no branch, a branch has a name that would be misread, a head is missing or unused,
            takes other features than the encoder gives, or heads differ in their number of classes.
    """

    def __init__(
        self,
        branches: Dict[str, dict],
        losses: Dict[str, dict],
        num_classes: Optional[int] = None,
        fusion: Optional[dict] = None,
        head: Optional[dict] = None,
        data_preprocessor: Optional[dict] = None,
        schedule: Optional[dict] = None,
        modulators: Sequence[dict] = (),
        init_cfg: Optional[Union[dict, list]] = None,
    ) -> None:
        super().__init__(data_preprocessor, schedule, modulators, init_cfg)
        if not branches:
            raise ValueError('branches is empty: a classifier needs at least one')
        reserved = [name for name in branches if name in RESERVED]
        if reserved:
            raise ValueError(f'a branch cannot be called {reserved[0]!r}: the names {RESERVED} are taken')
        misread = [name for name in branches if 'loss' in name]
        if misread:
            raise ValueError(f"a branch's name must not hold 'loss', by which loss terms are told apart: {misread}")
        self.branches = ModuleDict(
            {name: Branch(**{'input': name, **_with_classes(cfg, num_classes)}) for name, cfg in branches.items()}
        )
        self.head = None if head is None else MODELS.build(_with_classes(dict(head=head), num_classes)['head'])
        self._check_heads()
        self.losses = ModuleDict({name: MODELS.build(cfg) for name, cfg in losses.items()})
        self.fusion = MODELS.build(fusion or dict(type='mmmutual.MeanLogits'))
        self._loss_wants = {name: wanted_names(m, f'losses.{name}', FOR_LOSSES) for name, m in self.losses.items()}
        for part in (*self.losses.values(), self.fusion):
            if hasattr(part, 'check_branches'):
                part.check_branches(list(branches))
        self._fusion_wants = wanted_names(self.fusion, 'fusion', FOR_FUSION)
        self._own_branch: Optional[str] = None
        self._exchange: Optional[Exchange] = None

    @property
    def input_names(self) -> List[str]:
        """Inputs that the branches read, without repetition."""
        return list(dict.fromkeys(branch.input_name for branch in self.branches.values()))

    @property
    def num_classes(self) -> Optional[int]:
        """C, if the heads tell."""
        heads = [branch.head for branch in self.branches.values() if branch.has_head] or [self.head]
        return next((head.num_classes for head in heads if hasattr(head, 'num_classes')), None)

    def parameter_branches(self) -> Dict[str, Branch]:
        """What is optimised and clipped by branch; a shared head and the fusion are not in it."""
        return dict(self.branches.items())

    def train_branch(self, name: str, exchange: Exchange) -> None:
        """Train one branch only, beside other processes that train the others; :class:`PeerParallel` asks for it.

        Args:
            name: of the branch. The parameters of all others are frozen.
            exchange: logits (B, C) of this branch -> those of all, by branch, in order.

        Raises:
            ValueError: if the training is not the sum of what each branch does on the logits of all: another schedule
                than a plain one, modulators, parameters outside branches, losses or a fusion that read features.
        """
        what = None
        if not self.schedule.plain or len(self.modulators) > 0:
            what = [type(part).__name__ for part in (self.schedule, *self.modulators)]
        inside = {id(p) for p in self.branches.parameters()}
        outside = [key for key, p in self.named_parameters() if id(p) not in inside]
        wants = {**self._loss_wants, 'fusion': self._fusion_wants}
        readers = [part for part, wanted in wants.items() if 'features' in wanted]
        for found, why in ((what, 'needs one process'), (outside, 'is shared'), (readers, 'reads features of all')):
            if found:
                raise ValueError(f'one branch per process exchanges logits only, but {found} {why}')
        for other, branch in self.branches.items():
            if other != name:
                branch.requires_grad_(False)
        self._own_branch, self._exchange = name, exchange

    def check_inputs(self, inputs: Dict[str, Tensor]) -> None:
        """Refuse a batch, as the preprocessor gives it, that an encoder cannot take; called before training.

        Raises:
            ValueError: naming the branch, the shape and what the encoder takes.
        """
        for name, branch in self.branches.items():
            if branch.input_name in inputs:
                try:
                    branch.check_input(inputs[branch.input_name])
                except ValueError as error:
                    raise ValueError(f'branch {name!r}, input {branch.input_name!r}: {error}') from None

    def run_branches(
        self, inputs: Dict[str, Tensor], names: Optional[Sequence[str]] = None
    ) -> Tuple[Dict[str, Tensor], Dict[str, Tensor]]:
        """Features and logits (B, C) of the named branches (default: all), by name.

        Raises:
            ValueError: if an input that a branch reads is not in the batch.
        """
        features, logits = {}, {}
        for name in names or self.branches:
            branch = self.branches[name]
            if branch.input_name not in inputs:
                raise ValueError(
                    f'branch {name!r} reads the input {branch.input_name!r}, but the batch has {sorted(inputs)}'
                )
            features[name], logits[name] = branch(inputs[branch.input_name], self.head)
        return features, logits

    def fuse(self, features: Dict[str, Tensor], logits: Dict[str, Tensor]) -> Tensor:
        """Logits (B, C) of the ensemble."""
        return call_with(self.fusion, self._fusion_wants, dict(features=features, logits=logits))

    def compute_losses(
        self, features: Dict[str, Tensor], logits: Dict[str, Tensor], fused_logits: Tensor, labels: Tensor
    ) -> Dict[str, Tensor]:
        """All loss terms: ``{branch}.loss_{term}`` or ``loss_{term}``."""
        available = dict(features=features, logits=logits, fused_logits=fused_logits, labels=labels)
        losses = {}
        for term, module in self.losses.items():
            value = call_with(module, self._loss_wants[term], available)
            if isinstance(value, dict):
                losses.update({f'{name}.loss_{term}': loss for name, loss in value.items()})
            else:
                losses[f'loss_{term}'] = value
        return losses

    def joint_update(self, inputs: Dict[str, Tensor], data_samples: List[MultiModalDataSample]) -> Update:
        """Losses of all branches and the training accuracy of each, as one update."""
        self._refuse_incomplete(data_samples, [self._own_branch] if self._own_branch else list(self.branches))
        if self._exchange is None:
            features, logits = self.run_branches(inputs)
        else:
            features, logits = self.run_branches(inputs, [self._own_branch])
            logits = self._exchange(logits[self._own_branch])
        labels = stack_labels(data_samples, next(iter(logits.values())).device)
        fused = self.fuse(features, logits)
        losses = self.compute_losses(features, logits, fused, labels)
        with torch.no_grad():
            for name, z in {**logits, ENSEMBLE: fused}.items():
                losses[f'{name}.top1'] = (z.argmax(dim=1) == labels).to(torch.float32).mean()
        return Update(
            losses,
            outputs={**{f'logits.{name}': z.detach() for name, z in logits.items()}, 'labels': labels},
            batch_mean=all(getattr(module, 'batch_mean', False) for module in self.losses.values()),
        )

    def tensor(self, inputs: Dict[str, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """Logits (B, C) by branch, and of the fusion as 'ensemble'."""
        features, logits = self.run_branches(inputs)
        return {**logits, ENSEMBLE: self.fuse(features, logits)}

    def predict(
        self, inputs: Dict[str, Tensor], data_samples: Optional[List[MultiModalDataSample]] = None
    ) -> List[MultiModalDataSample]:
        """Data samples with the logits of every branch and of the fusion."""
        if data_samples is not None:
            self._refuse_incomplete(data_samples, list(self.branches))
        logits = self.tensor(inputs)
        fused = logits.pop(ENSEMBLE)
        samples = data_samples or [MultiModalDataSample() for _ in fused]
        for i, sample in enumerate(samples):
            sample.set_prediction({name: z[i] for name, z in logits.items()}, fused[i])
        return samples

    def _refuse_incomplete(self, data_samples: List[MultiModalDataSample], names: List[str]) -> None:
        """The branches of these names need their input of every sample."""
        wanted = {self.branches[name].input_name for name in names}
        for sample in data_samples:
            available = sample.get('available')
            if available is not None and not wanted <= set(available):
                raise ValueError(
                    f'sample {sample.get("key", "?")!r} has no {sorted(wanted - set(available))}, and '
                    'MultiModalClassifier needs every modality that its branches read'
                )

    def _check_heads(self) -> None:
        without = [name for name, branch in self.branches.items() if not branch.has_head]
        if without and self.head is None:
            raise ValueError(f'branches {without} have no head, and the model has no shared one (head=...)')
        if self.head is not None and not without:
            raise ValueError('the shared head would be unused: every branch has a head of its own')
        for name, branch in self.branches.items():
            given = getattr(branch.encoder, 'out_channels', None)
            taken = getattr(branch.head if branch.has_head else self.head, 'in_channels', None)
            if None not in (given, taken) and given != taken:
                raise ValueError(f'branch {name!r}: the encoder gives {given} channels, but head.in_channels={taken}')
        heads = {name: branch.head for name, branch in self.branches.items() if branch.has_head}
        if without:
            heads['shared'] = self.head
        counts = {name: head.num_classes for name, head in heads.items() if hasattr(head, 'num_classes')}
        if len(set(counts.values())) > 1:
            raise ValueError(f'heads differ in num_classes: {counts}')


def _with_classes(cfg: dict, num_classes: Optional[int]) -> dict:
    """A branch's config whose head, if it has one, knows the number of classes."""
    if num_classes is None or cfg.get('head') is None:
        return cfg
    return {**cfg, 'head': {'num_classes': num_classes, **cfg['head']}}
