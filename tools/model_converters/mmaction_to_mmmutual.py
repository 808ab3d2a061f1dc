"""A TSN or TSM checkpoint of mmaction2, of its model zoo for example, as a branch of ours.

    python tools/model_converters/mmaction_to_mmmutual.py tsm_r50.pth mml_rgb.pth --branch rgb

The optimiser's state is left out: the result is for testing, ``load_from`` and ``tune_from``.
"""

import argparse
import sys

from mmmutual.apis.checkpoint_conversion import fit_to_model, read_branch, write_checkpoint
from mmmutual.apis.launch import load_config
from mmmutual.registry import MODELS

PREFIXES = ('backbone.', 'cls_head.')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', metavar='SRC', help='checkpoint of a Recognizer2D')
    parser.add_argument('dst', metavar='DST', help='file to write')
    parser.add_argument('--branch', default='rgb', help='name of the branch (default: %(default)s)')
    parser.add_argument('--config', help='config of ours that the result must fill')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        state = read_branch(args.src, args.branch, PREFIXES)
        if args.config:
            state = fit_to_model(state, MODELS.build(load_config(args.config).model))
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))
    write_checkpoint(state, args.dst, converted_from=[args.src])
    print(f'{args.dst}: {len(state)} weights for branch {args.branch!r}. The optimiser and all else is left out.')


if __name__ == '__main__':
    main()
