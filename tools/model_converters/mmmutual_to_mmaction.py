"""One branch of a checkpoint of ours as a plain Recognizer2D of mmaction2.

    python tools/model_converters/mmmutual_to_mmaction.py best.pth tsm_rgb.pth --branch rgb --config CONFIG tsm_rgb.py

With --config the config of mmaction2's model is written too, and the weights are checked against that model. Its input
is that of the branch in the range 0 to 255; for RGBDiff the differences of frames, which mmaction2 does not form.
The optimiser's state is left out.
"""

import argparse
import sys
from typing import Dict

from mmengine.config import Config
from torch import Tensor

from mmmutual.apis.checkpoint_conversion import write_checkpoint
from mmmutual.apis.launch import load_config
from mmmutual.apis.recognizer_config import recognizer_config
from mmmutual.utils.branch_state import branch_state
from mmmutual.utils.checkpoint_loading import load_checkpoint_file
from mmmutual.utils.checkpoint_names import mmaction_name
from mmmutual.utils.dependencies import require_mmaction
from mmmutual.utils.state_match import match_states
from mmmutual.utils.whole_output import write_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='of ours')
    parser.add_argument('dst', metavar='DST', help='checkpoint to write')
    parser.add_argument('--branch', required=True, help='which one')
    parser.add_argument(
        '--config', nargs=2, metavar=('CONFIG', 'OUT'), help="config of ours, and the .py of mmaction2's to write"
    )
    args = parser.parse_args()
    if args.config and not args.config[1].endswith('.py'):
        parser.error(f'--config CONFIG OUT: OUT must end in .py, got {args.config[1]!r}')
    return args


def recognizer_state(file: str, branch: str) -> Dict[str, Tensor]:
    """Weights of a branch by mmaction2's names.

    Raises:
        ValueError: if the file or the branch holds something else than a backbone and a linear head.
    """
    state = {mmaction_name(k): v for k, v in branch_state(load_checkpoint_file(file, 'cpu'), file, branch).items()}
    foreign = [name for name in state if not name.startswith(('backbone.', 'cls_head.fc_cls.'))]
    if foreign:
        raise ValueError(f'{file}: {len(foreign)} weights of branch {branch!r} have no counterpart: {foreign[:4]}')
    if 'cls_head.fc_cls.weight' not in state:
        raise ValueError(f'{file}: branch {branch!r} has no linear head of its own, as a Recognizer2D must have')
    return state


def write_config(config: str, out: str, branch: str, state: Dict[str, Tensor]) -> None:
    """Write the model's config, once the weights are known to fill that model.

    Raises:
        ValueError: if they do not.
    """
    require_mmaction()
    from mmaction.registry import MODELS

    num_classes, in_channels = state['cls_head.fc_cls.weight'].shape
    model = recognizer_config(load_config(config).model, branch, num_classes, in_channels)
    # by its own scope, where ResNetTSM is that of mmaction2
    match = match_states(state, MODELS.build(dict(model, _scope_='mmaction')).state_dict())
    if not match.complete:
        raise ValueError(f'the weights are of another network than branch {branch!r} of {config}: {match}')
    write_text(out, Config(dict(default_scope='mmaction', model=model)).pretty_text)


def main() -> None:
    args = parse_args()
    try:
        state = recognizer_state(args.checkpoint, args.branch)
        if args.config:
            write_config(*args.config, args.branch, state)
            print(f'{args.config[1]}: Recognizer2D, filled by the weights')
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))
    write_checkpoint(state, args.dst, converted_from=[args.checkpoint])
    print(f'{args.dst}: {len(state)} weights of branch {args.branch!r}. The optimiser and all else is left out.')


if __name__ == '__main__':
    main()
