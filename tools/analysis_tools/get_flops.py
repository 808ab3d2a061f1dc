"""Parameters and multiply-adds of every branch of a model, for one clip: no data set and no weights are needed.

    python tools/analysis_tools/get_flops.py configs/mml/CONFIG.py [--shape rgb=8x3x224x224 flow=8x10x224x224]

Multiply-adds (MACs) are those of convolutions and matrix products, as torch.utils.flop_counter finds them. OpenMMLab's
tables call this number FLOPs; counted one by one, a multiply-add is two floating-point operations.
"""

import argparse
from typing import Dict, List, NamedTuple, Sequence, Tuple

import torch
from mmengine.config import Config
from stored_inputs import Shapes, parse_shapes, shape_text, stored_shapes
from torch.utils.flop_counter import FlopCounterMode

from mmmutual.apis.launch import add_config_arguments, load_config
from mmmutual.engine.optim_wrapper_constructors import parameter_branches
from mmmutual.models import MutualModel
from mmmutual.registry import MODELS

TOTAL = 'total'


class Complexity(NamedTuple):
    """Of a branch or of the whole model."""

    parameters: int
    multiply_adds: int


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_config_arguments(parser)
    parser.add_argument(
        '--shape',
        nargs='+',
        default=[],
        metavar='INPUT=TxCxHxW',
        help='inputs of one clip as they are stored, e.g. rgb=8x3x224x224 (frame differences: 18 channels); '
        "default: what the config's val pipeline gives",
    )
    parser.add_argument(
        '--branch', nargs='+', metavar='NAME', help='show these only (default: all branches, and total)'
    )
    return parser.parse_args()


def complexity(model: MutualModel, shapes: Shapes) -> Dict[str, Complexity]:
    """Count each branch and the total; what belongs to no branch is in the total only.

    Args:
        model: is moved to the meta device, where shapes are computed but no values.
        shapes: input name -> shape of one stored sample, without the batch.
    """
    model = model.to('meta').eval()
    inputs = {name: torch.zeros(1, *shape, device='meta') for name, shape in shapes.items()}
    batch = model.data_preprocessor(dict(inputs=inputs), False)
    if hasattr(model, 'check_inputs'):
        model.check_inputs(batch['inputs'])
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(**batch, mode='tensor')
    counts = {name: sum(operations.values()) // 2 for name, operations in counter.get_flop_counts().items()}
    names = {module: f'{type(model).__name__}.{name}' for name, module in model.named_modules()}
    parts = {
        name: Complexity(_parameters(branch), counts.get(names[branch], 0))
        for name, branch in parameter_branches(model).items()
        if branch in names
    }
    return {**parts, TOTAL: Complexity(_parameters(model), counts['Global'])}


def _parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def table(rows: Dict[str, Complexity]) -> str:
    """For a terminal."""
    width = max(len(name) for name in ('branch', *rows))
    lines: List[str] = [f'{"branch":{width}}  {"parameters":>12}  {"multiply-adds":>14}  {"FLOPs":>10}']
    for name, row in rows.items():
        macs = row.multiply_adds
        lines.append(f'{name:{width}}  {row.parameters:>12,}  {macs / 1e9:>12.3f} G  {2 * macs / 1e9:>8.3f} G')
    return '\n'.join(lines)


def choose_shapes(cfg: Config, model: MutualModel, given: Shapes) -> Shapes:
    """Shapes of the model's inputs: those given, else those of the val pipeline.

    Raises:
        ValueError: the model is of another package, a shape is given to what is no input or has another number of
            sizes, or one can't be found.
    """
    if not isinstance(model, MutualModel):
        raise ValueError(f'model.type must be a model of mmmutual, got {cfg.model.type!r}')
    unknown = [name for name in given if name not in model.input_names]
    if unknown:
        raise ValueError(f'--shape must name inputs of the model, {model.input_names}, got {unknown}')
    for name, shape in given.items():
        _check_sizes(model, name, shape)
    try:
        shapes = given if len(given) == len(model.input_names) else {**stored_shapes(cfg, 'val'), **given}
    except ValueError as error:
        raise ValueError(f'{error}. Give every input by --shape') from None
    return {name: shapes[name] for name in model.input_names}


def _check_sizes(model: MutualModel, name: str, shape: Tuple[int, ...]) -> None:
    """Refuse a shape that is neither one view for the encoders that read this input nor several."""
    for branch in parameter_branches(model).values():
        sizes = getattr(getattr(branch, 'encoder', None), 'input_dims', 0) - 1  # without the batch
        if sizes > 0 and branch.input_name == name and len(shape) not in (sizes, sizes + 1):
            raise ValueError(
                f'--shape {shape_text({name: shape})} must have {sizes} sizes, as the encoder takes, or {sizes + 1} '
                f'for several views, got {len(shape)}'
            )


def _count(model: MutualModel, shapes: Shapes, given: Sequence[str]) -> Dict[str, Complexity]:
    """:func:`complexity`, whose errors name the ``--shape`` that was given."""
    try:
        return complexity(model, shapes)
    except ValueError as error:
        raise ValueError(f'--shape {" ".join(given)}: {error}' if given else str(error)) from None


def main() -> None:
    args = parse_args()
    try:
        cfg = load_config(args.config, args.cfg_options)
        model = MODELS.build(cfg.model)
        shapes = choose_shapes(cfg, model, parse_shapes(args.shape))
        rows = _count(model, shapes, args.shape)
        unknown = [name for name in args.branch or () if name not in rows]
        if unknown:
            raise ValueError(f'--branch must name branches of the model, {list(rows)}, got {unknown}')
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f'error: {error}') from None
    print(f'one clip as stored: {shape_text(shapes)}')
    print(table({name: row for name, row in rows.items() if args.branch is None or name in args.branch}))
    print('one multiply-add = 2 FLOPs; convolutions and matrix products are counted')


if __name__ == '__main__':
    main()
