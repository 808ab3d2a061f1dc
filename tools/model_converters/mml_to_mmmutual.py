"""A checkpoint of the original MML or TSM code as one of ours; of several peers in one file.

    python tools/model_converters/mml_to_mmmutual.py ckpt.best.pth.tar mml_rgb.pth --branches rgb
    python tools/model_converters/mml_to_mmmutual.py rgb.pth.tar flow.pth.tar mml.pth --branches rgb flow

The optimiser's state is left out: the result is for testing, ``load_from`` and ``tune_from``.
"""

import argparse
import sys

from mmmutual.apis.checkpoint_conversion import fit_to_model, read_branch, write_checkpoint
from mmmutual.apis.launch import load_config
from mmmutual.registry import MODELS

PREFIXES = ('base_model.', 'new_fc.')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', nargs='+', metavar='SRC', help='checkpoint of a peer')
    parser.add_argument('dst', metavar='DST', help='file to write')
    parser.add_argument('--branches', nargs='+', default=['rgb'], help='names, one for each SRC (default: rgb)')
    parser.add_argument(
        '--config', help='config of ours that the result must fill; also for old checkpoints, whose names lack .net'
    )
    args = parser.parse_args()
    if len(args.branches) != len(args.src) or len(set(args.branches)) != len(args.branches):
        parser.error(f'--branches must be one name for each of {args.src}, got {args.branches}')
    return args


def main() -> None:
    args = parse_args()
    state = {}
    try:
        for file, branch in zip(args.src, args.branches):
            weights = read_branch(file, branch, PREFIXES)
            print(f'{file}: {len(weights)} weights for branch {branch!r}')
            state.update(weights)
        if args.config:
            state = fit_to_model(state, MODELS.build(load_config(args.config).model))
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))
    write_checkpoint(state, args.dst, converted_from=args.src)
    print(f'{args.dst}: {len(state)} weights. What else the files hold (optimizer, epoch, best_prec1) is left out.')


if __name__ == '__main__':
    main()
