"""Train a model: ``python tools/train.py CONFIG``."""

import argparse

from mmengine.config import Config
from mmengine.runner import Runner

from mmmutual.apis.launch import (
    add_config_arguments,
    add_launch_arguments,
    end_processes,
    init_processes,
    load_config,
    set_local_rank,
    set_work_dir,
)

# These make a MutualOptimWrapper where no type is given.
OUR_CONSTRUCTORS = ('BranchOptimWrapperConstructor', 'MultiOptimWrapperConstructor')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    add_config_arguments(parser)
    parser.add_argument('--work-dir', help='the dir to save logs and models')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='resume from this checkpoint; without a path, from the latest one in the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 where there is, else float16)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by batch size / auto_scale_lr of the config',
    )
    parser.add_argument('--seed', type=int, help='random seed')
    parser.add_argument('--diff-rank-seed', action='store_true', help='another seed on every rank')
    parser.add_argument('--deterministic', action='store_true', help='deterministic algorithms')
    add_launch_arguments(parser)
    return parser.parse_args()


def merge_args(cfg: Config, args: argparse.Namespace) -> None:
    """Put the command line into the config.

    Raises:
        ValueError: if an option needs something that the config doesn't have.
    """
    set_work_dir(cfg, args.config, args.work_dir)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        enable_amp(cfg.optim_wrapper)
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise ValueError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config')
        cfg.auto_scale_lr.enable = True
    randomness = dict(cfg.get('randomness', None) or {})
    if args.seed is not None:
        randomness['seed'] = args.seed
    for name in ('diff_rank_seed', 'deterministic'):
        if getattr(args, name):
            randomness[name] = True
    randomness.setdefault('seed', None)  # Runner.set_randomness takes no dict without it
    cfg.randomness = randomness


def enable_amp(optim_wrapper: dict, default: str = 'OptimWrapper') -> None:
    """Switch mixed precision on in an optim wrapper's config, or in each of several."""
    if optim_wrapper.get('constructor', '').split('.')[-1] in OUR_CONSTRUCTORS:
        default = 'MutualOptimWrapper'
    kind = optim_wrapper.get('type', default)
    parts = [part for part in optim_wrapper.values() if isinstance(part, dict) and 'optimizer' in part]
    if 'optimizer' not in optim_wrapper and parts:
        for part in parts:
            enable_amp(part, default)
    elif kind in ('OptimWrapper', 'AmpOptimWrapper'):
        optim_wrapper['type'] = 'AmpOptimWrapper'
        optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif kind.split('.')[-1] == 'MutualOptimWrapper':
        optim_wrapper['amp_dtype'] = optim_wrapper.get('amp_dtype') or 'auto'
    else:
        raise ValueError(f'--amp does not know optim_wrapper.type={kind!r}: set its own option for mixed precision')


def main() -> None:
    args = parse_args()
    set_local_rank(args.local_rank)
    cfg = load_config(args.config, args.cfg_options)
    merge_args(cfg, args)
    init_processes(cfg, args.launcher)
    Runner.from_cfg(cfg).train()
    end_processes()


if __name__ == '__main__':
    main()
