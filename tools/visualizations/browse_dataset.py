"""Write pictures of what a config's pipeline yields: rows are inputs, columns are segments.

Example: python tools/visualizations/browse_dataset.py configs/mml/CONFIG.py --output-dir work_dirs/browse --number 4
"""

import argparse
import re
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from tqdm import tqdm

from mmmutual.apis.launch import add_config_arguments, load_config
from mmmutual.datasets import SampleIndex
from mmmutual.registry import DATASETS
from mmmutual.visualization import save_clip_sheet


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--output-dir', required=True, help='folder of the pictures')
    parser.add_argument('--split', default='train', choices=['train', 'val', 'test'], help='which data set')
    parser.add_argument('--number', type=int, default=8, help='how many samples, from the first on')
    parser.add_argument('--epoch', type=int, default=0, help='epoch whose augmentation is shown')
    parser.add_argument('--seed', type=int, default=0, help='seed of the augmentation')
    add_config_arguments(parser)
    args = parser.parse_args()
    if args.number < 1:
        parser.error(f'--number must be at least 1, got {args.number}')
    return args


def build_dataset(cfg: Config, split: str):
    """The data set of a split.

    Raises:
        ValueError: the config has none.
    """
    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        raise ValueError(f'{cfg.filename} has no {split}_dataloader')
    return DATASETS.build(loader.dataset)


def title_of(sample, classes) -> str:
    """Key and class of a data sample."""
    title = str(sample.get('key', sample.get('sample_idx', '')))
    if 'gt_label' not in sample:
        return title
    label = int(sample.gt_label)
    return f'{title}   |   {classes[label]} ({label})' if classes else f'{title}   |   class {label}'


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmmutual'))
    dataset = build_dataset(cfg, args.split)
    classes = dataset.metainfo.get('classes')
    output_dir = Path(args.output_dir)
    for index in tqdm(range(min(args.number, len(dataset))), desc=f'{args.split} samples'):
        packed = dataset[SampleIndex(index, seed=args.seed, epoch=args.epoch)]
        sample = packed['data_samples']
        name = re.sub(r'[^\w.-]+', '_', str(sample.get('key', '')))
        save_clip_sheet(output_dir / f'{index:05d}_{name}.png', packed['inputs'], title_of(sample, classes))
    print(f'{min(args.number, len(dataset))} pictures in {output_dir}')


if __name__ == '__main__':
    main()
