"""Test a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``."""

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
    test_dataset,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test (and eval) a model')
    add_config_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='the dir to save evaluation metrics')
    parser.add_argument('--dump', help='write predictions to FILE.npz (scores in plain arrays) or FILE.pkl')
    parser.add_argument('--show-dir', help='draw inputs and predictions as PNG files into this folder')
    parser.add_argument('--interval', type=int, default=1, help='draw every n-th sample')
    parser.add_argument('--tta', action='store_true', help="several views of each sample: the config's tta_pipeline")
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    add_launch_arguments(parser)
    return parser.parse_args()


def merge_args(cfg: Config, args: argparse.Namespace) -> None:
    """Put the command line into the config.

    Raises:
        ValueError: if an option needs something that the config doesn't have.
    """
    set_work_dir(cfg, args.config, args.work_dir)
    cfg.load_from, cfg.resume = args.checkpoint, False
    cfg.model_wrapper_cfg = None  # with PeerParallel too, testing splits the samples and not the peers
    if args.tta:
        if cfg.get('tta_pipeline') is None:
            raise ValueError(f'--tta needs a tta_pipeline, which {args.config} does not define')
        test_dataset(cfg).pipeline = cfg.tta_pipeline
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.dump is not None:
        if args.dump.endswith('.npz'):
            dump = dict(type='mmmutual.DumpScores', out_file=args.dump)
        elif args.dump.endswith(('.pkl', '.pickle')):
            dump = dict(type='DumpResults', out_file_path=args.dump)
        else:
            raise ValueError(f'--dump must be a file that ends in .npz, .pkl or .pickle, got {args.dump!r}')
        evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
        cfg.test_evaluator = [*evaluators, dump]
    if args.show_dir is not None:
        hook = dict(type='mmmutual.PredictionSheetHook', out_dir=args.show_dir, interval=args.interval)
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]


def main() -> None:
    args = parse_args()
    set_local_rank(args.local_rank)
    cfg = load_config(args.config, args.cfg_options)
    merge_args(cfg, args)
    init_processes(cfg, args.launcher)
    Runner.from_cfg(cfg).test()
    end_processes()


if __name__ == '__main__':
    main()
