"""The parameter groups of the TSM recipe, with their multipliers (spec/mml.md 4.3)."""

from typing import Dict, List

from torch import nn

MULTIPLIERS = {
    'first_conv_weight': (1, 1),
    'first_conv_bias': (2, 0),
    'normal_weight': (1, 1),
    'normal_bias': (2, 0),
    'bn': (1, 0),
    'lr5_weight': (5, 1),
    'lr10_bias': (10, 0),
}
CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def tsm_param_groups(module: nn.Module, fc_lr5: bool = True) -> List[dict]:
    """Sort a network's parameters into seven groups, in module order.

    Frozen parameters are sorted in as well, so that they can be released during training. But under partial batch norm
    (a submodule with a true ``partial_bn``) only the first batch norm is trained.

    Args:
        module: one branch: backbone and classifier.
        fc_lr5: linear layers learn 5 times (bias: 10 times) faster; else like convolutions. Off when a classifier is
            kept from a checkpoint of the same classes, as in the second stage of MML.

    Returns:
        Groups as dicts of name, params, lr_mult, decay_mult; empty groups included.

    Raises:
        ValueError: if a layer with parameters is of a kind the recipe says nothing about.
    """
    groups: Dict[str, List[nn.Parameter]] = {name: [] for name in MULTIPLIERS}
    partial_bn = any(getattr(m, 'partial_bn', False) for m in module.modules())
    convs = norms = 0
    for m in module.modules():
        own = list(m.parameters(recurse=False))
        if isinstance(m, CONVS):
            convs += 1
            kind = 'first_conv' if convs == 1 else 'normal'
            _add(groups, f'{kind}_weight', f'{kind}_bias', m)
        elif isinstance(m, nn.Linear):
            names = ('lr5_weight', 'lr10_bias') if fc_lr5 else ('normal_weight', 'normal_bias')
            _add(groups, *names, m)
        elif isinstance(m, NORMS):
            norms += 1
            if norms == 1 or not partial_bn:
                groups['bn'] += own
        elif own:
            raise ValueError(
                f"paramwise_cfg.groups='tsm' has no rule for the parameters of {type(m).__name__}; use groups='plain'"
            )
    return [
        dict(name=name, params=params, lr_mult=MULTIPLIERS[name][0], decay_mult=MULTIPLIERS[name][1])
        for name, params in groups.items()
    ]


def _add(groups: Dict[str, List[nn.Parameter]], weight: str, bias: str, layer: nn.Module) -> None:
    groups[weight].append(layer.weight)
    if layer.bias is not None:
        groups[bias].append(layer.bias)
