"""The mutual loss of MML: each branch learns from the predictions of the others (spec/mml.md 4.1)."""

from typing import Dict, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from mmmutual.registry import MODELS

TARGETS = ('mean_logits', 'mean_probs', 'mean_kl')


@MODELS.register_module()
class MutualKLLoss(nn.Module):
    r"""KL divergence of each branch to what its teachers predict.

    From *Mutual Modality Learning for Video Action Classification* (arXiv 2011.02543). For branch k with teachers
    :math:`T_k` (all other branches), temperature t and batch size B:

    .. math:: L_k = \frac{w t^2}{B} \sum_b KL(q_k \| softmax(z_k / t)), \quad
        q_k = softmax(\frac{1}{t |T_k|} \sum_{j \in T_k} z_j)

    No gradient flows into targets. With one branch there is no teacher and no loss.

    Args:
        loss_weight (float): w.
        temperature (float): t.
        target (str): 'mean_logits' (the paper's code, above); 'mean_probs', q_k is the mean of the teachers'
            softmax; 'mean_kl', the mean of the KLs to each teacher (deep mutual learning). With two branches all
            three are the same.
        teachers (dict, optional): student -> names of its teachers, for one-way teaching; branches that are no key
            learn from nobody. None: everyone from all others.

    Raises:
        ValueError: for values out of range, or names that are no branch.

    Example:
        >>> loss = MutualKLLoss()
        >>> logits = dict(rgb=torch.randn(4, 10, requires_grad=True), flow=torch.randn(4, 10))
        >>> sorted(loss(logits))
        ['flow', 'rgb']
    """

    batch_mean = True

    def __init__(
        self,
        loss_weight: float = 1.0,
        temperature: float = 1.0,
        target: str = 'mean_logits',
        teachers: Optional[Dict[str, Sequence[str]]] = None,
    ) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f'temperature must be positive, got {temperature}')
        if target not in TARGETS:
            raise ValueError(f'target must be one of {TARGETS}, got {target!r}')
        for student, names in (teachers or {}).items():
            if not names or student in names or len(set(names)) < len(names):
                raise ValueError(f'teachers of {student!r} must be other branches, each once, got {list(names)}')
        self.loss_weight = loss_weight
        self.temperature = temperature
        self.target = target
        self.teachers = teachers

    def forward(self, logits: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """One loss per student.

        Args:
            logits: branch name -> (B, C), before softmax, after the mean over segments.

        Returns:
            Student name -> scalar.
        """
        names = tuple(logits)
        students, weights = self._who_teaches(names)
        if not students:
            return {}
        z = torch.stack([logits[name] for name in names])
        z = (z.float() if z.dtype.itemsize < 4 else z) / self.temperature  # (M, B, C)
        w = torch.tensor(weights, dtype=z.dtype).to(z.device, non_blocking=True)
        own = torch.log_softmax(torch.stack([z[names.index(name)] for name in students]), dim=-1)  # (S, B, C)
        with torch.no_grad():
            entropy_term, q = self._targets(z, w)
        kl = entropy_term - (q * own).sum(dim=-1)  # (S, B)
        losses = kl.mean(dim=1) * (self.loss_weight * self.temperature**2)
        return dict(zip(students, losses.unbind()))

    def check_branches(self, names: Sequence[str]) -> None:
        """Raise ValueError if a student or teacher is none of these branches; the model asks when it is built."""
        self._who_teaches(tuple(names))

    def _targets(self, z: Tensor, w: Tensor) -> Tuple[Tensor, Tensor]:
        """Sum of q log q (S, B), averaged over teachers where there is one KL for each; and q (S, B, C)."""
        if self.target == 'mean_logits':
            log_q = torch.log_softmax(_mix(w, z), dim=-1)
            return (log_q.exp() * log_q).sum(dim=-1), log_q.exp()
        log_p = torch.log_softmax(z, dim=-1)
        q = _mix(w, log_p.exp())
        if self.target == 'mean_probs':
            return torch.xlogy(q, q).sum(dim=-1), q
        return _mix(w, (log_p.exp() * log_p).sum(dim=-1)), q

    def _who_teaches(self, names: Tuple[str, ...]) -> Tuple[Tuple[str, ...], list]:
        """Students, and for each the weights (M,) of its teachers."""
        if self.teachers is None:
            teachers = {name: [other for other in names if other != name] for name in names if len(names) > 1}
        else:
            teachers = {student: list(of) for student, of in self.teachers.items()}
        unknown = {name for student, of in teachers.items() for name in (student, *of)} - set(names)
        if unknown:
            raise ValueError(f'losses.teachers names {sorted(unknown)}; the branches are {sorted(names)}')
        weights = [[(name in of) / len(of) for name in names] for of in teachers.values()]
        return tuple(teachers), weights


def _mix(w: Tensor, values: Tensor) -> Tensor:
    """Sums (S, ...) of values (M, ...) with weights (S, M); autocast would run a matrix product in half precision."""
    return (w.view(*w.shape, *[1] * (values.dim() - 1)) * values).sum(dim=1)
