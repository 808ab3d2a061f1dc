"""Parameter groups by branch, and several optimisers for one model."""

import inspect
from typing import Any, Dict, List, Optional

from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from mmmutual.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS

from .tsm_param_groups import tsm_param_groups

ALLOWED = ('groups', 'fc_lr5', 'branches')
ALLOWED_BRANCH = ('lr_mult', 'decay_mult', 'groups', 'fc_lr5')
GROUPS = ('plain', 'tsm')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class BranchOptimWrapperConstructor:
    """Parameter groups for each branch of a model; every branch is clipped by its own norm.

    A model names its branches by ``parameter_branches()``: name -> module; what belongs to none of them forms the
    branch ``shared``. A model without that method is one branch.

    Args:
        optim_wrapper_cfg (dict): with ``optimizer`` (its ``lr`` is the base learning rate) and what the wrapper takes.
        paramwise_cfg (dict, optional):

            - groups: 'plain' (default), one group per branch; 'tsm', the groups of the TSM recipe with its
              multipliers (spec/mml.md 4.3).
            - fc_lr5: for 'tsm', five times the learning rate for classifiers' weights, ten times for their biases.
            - branches: name -> dict(lr_mult, decay_mult, groups, fc_lr5) for single branches.

    Raises:
        ValueError: for unknown keys or branches, naming those that exist.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None) -> None:
        self.cfg = dict(optim_wrapper_cfg)
        self.paramwise = dict(paramwise_cfg or {})
        if 'optimizer' not in self.cfg or 'lr' not in self.cfg['optimizer']:
            raise ValueError(f'optim_wrapper needs optimizer=dict(type=..., lr=...), got {self.cfg.get("optimizer")}')
        _refuse_unknown('optim_wrapper.paramwise_cfg', self.paramwise, ALLOWED)
        for name, options in self.paramwise.get('branches', {}).items():
            _refuse_unknown(f'optim_wrapper.paramwise_cfg.branches.{name}', options, ALLOWED_BRANCH)

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the wrapper for a model, wrapped or not."""
        model = model.module if is_model_wrapper(model) else model
        return self.build(parameter_branches(model))

    def build(self, branches: Dict[str, nn.Module]) -> OptimWrapper:
        """Build the wrapper for named modules."""
        options = self.paramwise.get('branches', {})
        unknown = set(options) - set(branches)
        if unknown:
            raise ValueError(
                f'paramwise_cfg.branches names {sorted(unknown)}; the branches of the model are {sorted(branches)}'
            )
        cfg = dict(self.cfg)
        optimizer_cfg = dict(cfg.pop('optimizer'))
        groups: List[dict] = []
        for name, module in branches.items():
            groups += self._groups_of(name, module, {**self.paramwise, **options.get(name, {})}, optimizer_cfg)
        if not groups:
            raise ValueError('the model has no parameter for this optimiser')
        optimizer = OPTIMIZERS.build(dict(optimizer_cfg, params=groups))
        cfg.setdefault('type', 'MutualOptimWrapper')
        return OPTIM_WRAPPERS.build(cfg, default_args=dict(optimizer=optimizer))

    @staticmethod
    def _groups_of(branch: str, module: nn.Module, options: dict, optimizer_cfg: dict) -> List[dict]:
        kind = options.get('groups', 'plain')
        if kind not in GROUPS:
            raise ValueError(f'paramwise_cfg.groups must be one of {GROUPS}, got {kind!r}')
        module.train(module.training)  # partial batch norm freezes its parameters in train()
        if kind == 'tsm':
            groups = tsm_param_groups(module, fc_lr5=options.get('fc_lr5', True))
        else:
            groups = [dict(name='all', params=list(module.parameters()))]
        lr = optimizer_cfg['lr'] * options.get('lr_mult', 1)
        decay = optimizer_cfg.get('weight_decay', _default_decay(optimizer_cfg['type'])) * options.get('decay_mult', 1)
        return [
            dict(
                params=group['params'],
                lr=lr * group.get('lr_mult', 1),
                weight_decay=decay * group.get('decay_mult', 1),
                name=f'{branch}.{group["name"]}',
                clip_group=branch,
            )
            for group in groups
            if group['params']
        ]


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class MultiOptimWrapperConstructor:
    """Several optimisers, for models whose parts truly differ in optimiser or schedule.

    Example:
        >>> optim_wrapper = dict(
        ...     constructor='MultiOptimWrapperConstructor',
        ...     main=dict(optimizer=dict(type='Adam', lr=4e-4)),
        ...     club=dict(modules=['club'], optimizer=dict(type='Adam', lr=3e-4), clip_grad=dict(max_norm=1)))

    Args:
        optim_wrapper_cfg (dict): name -> config of one optim wrapper, each with ``paramwise_cfg`` as of
            :class:`BranchOptimWrapperConstructor` and ``modules``, a list of the model's child modules; the one
            without ``modules`` takes what is left.
        paramwise_cfg: not used; give it in each wrapper's own config.

    Raises:
        ValueError: for a module that does not exist or is given twice, or if not exactly one takes the rest.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None) -> None:
        if paramwise_cfg is not None:
            raise ValueError('give paramwise_cfg inside each wrapper of MultiOptimWrapperConstructor')
        strange = [name for name, cfg in optim_wrapper_cfg.items() if not isinstance(cfg, dict) and name != 'type']
        if strange:
            raise ValueError(
                f'{strange} must stand inside each wrapper of MultiOptimWrapperConstructor, not beside them'
            )
        self.cfgs = {name: dict(cfg) for name, cfg in optim_wrapper_cfg.items() if isinstance(cfg, dict)}
        rest = [name for name, cfg in self.cfgs.items() if 'modules' not in cfg]
        if len(rest) != 1:
            raise ValueError(f'exactly one optim wrapper must have no modules and take the rest, got {rest}')

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the wrappers for a model, wrapped or not."""
        model = model.module if is_model_wrapper(model) else model
        branches = parameter_branches(model)
        taken: Dict[str, str] = {}
        for name, cfg in self.cfgs.items():
            for child in cfg.get('modules', []):
                if child not in branches:
                    raise ValueError(f'optim_wrapper.{name}.modules names {child!r}; there are {sorted(branches)}')
                if child in taken:
                    raise ValueError(f'module {child!r} is given to both {taken[child]!r} and {name!r}')
                taken[child] = name
        wrappers = {}
        for name, cfg in self.cfgs.items():
            cfg = dict(cfg)
            modules = cfg.pop('modules', [child for child in branches if child not in taken])
            paramwise = cfg.pop('paramwise_cfg', None)
            constructor = BranchOptimWrapperConstructor(cfg, paramwise)
            wrappers[name] = constructor.build({child: branches[child] for child in modules})
        return OptimWrapperDict(**wrappers)


def parameter_branches(model: nn.Module) -> Dict[str, nn.Module]:
    """The model's branches and, as ``shared``, its other child modules with parameters.

    A model without ``parameter_branches()`` gives its child modules one by one.
    """
    if not hasattr(model, 'parameter_branches'):
        return {name: child for name, child in model.named_children() if any(True for _ in child.parameters())}
    branches: Dict[str, nn.Module] = dict(model.parameter_branches())
    inside = {id(p) for module in branches.values() for p in module.parameters()}
    shared = [p for p in model.parameters() if id(p) not in inside]
    if shared:
        if 'shared' in branches:
            raise ValueError("a branch cannot be called 'shared': that is the group of what belongs to no branch")
        branches['shared'] = _outside(model, inside)
    return branches


def _default_decay(kind: Any) -> float:
    """An optimiser's own weight decay, which is not 0 for AdamW."""
    kind = OPTIMIZERS.get(kind) if isinstance(kind, str) else kind
    if kind is None:
        return 0  # building it will say that there is no such type
    decay = inspect.signature(kind).parameters.get('weight_decay')
    return 0 if decay is None else decay.default


def _outside(model: nn.Module, inside: set) -> nn.Module:
    """A list of the largest modules of which no parameter belongs to a branch."""
    found: List[nn.Module] = []

    def visit(module: nn.Module) -> None:
        params = [id(p) for p in module.parameters()]
        if not params:
            return
        if not any(p in inside for p in params):
            found.append(module)
            return
        own = [name for name, p in module.named_parameters(recurse=False) if id(p) not in inside]
        if own:
            raise ValueError(
                f'{type(module).__name__} holds {own} beside branches; put them into a module of their own'
            )
        for child in module.children():
            visit(child)

    visit(model)
    return nn.ModuleList(found)


def _refuse_unknown(where: str, given: Dict[str, Any], allowed: tuple) -> None:
    unknown = set(given) - set(allowed)
    if unknown:
        raise ValueError(f'{where} has unknown keys {sorted(unknown)}; allowed are {allowed}')
