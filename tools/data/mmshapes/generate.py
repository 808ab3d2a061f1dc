"""Generate MMShapes, a small multimodal video data set of real files. See README.md beside this file."""

import argparse
import functools
import os
import sys
from pathlib import Path
from typing import Callable, List, Optional, Tuple

if __name__ == '__main__':
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmshapes.clips import write_clip, write_clip_lists
from mmshapes.event_lists import write_event_lists
from mmshapes.events import write_event
from mmshapes.folder import close_folder, open_folder
from mmshapes.instructions import write_instruction, write_instruction_lists
from mmshapes.qa import write_questions
from mmshapes.settings import PARTS, SIZES, Settings
from mmshapes.vocabulary import SPLITS

from mmmutual.utils.parallel import run_jobs

# Part -> (what writes one video, what writes the lists).
WRITERS = {
    'clips': (write_clip, write_clip_lists),
    'events': (write_event, write_event_lists),
    'qa': (None, write_questions),
    'instructions': (write_instruction, write_instruction_lists),
}


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--out', type=Path, required=True, help='folder of the data set, e.g. data/mmshapes')
    parser.add_argument('--seed', type=int, default=0, help='start of all random numbers')
    parser.add_argument('--size', choices=sorted(SIZES), default='full', help='number of videos')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=list(PARTS), help='what to generate')
    for name, what in (('rgb', 'shape'), ('flow', 'motion'), ('audio', 'sound')):
        text = f'share of the clips in which the {what} tells the class; in the others it is random'
        parser.add_argument(f'--tell-{name}', type=float, default=1.0, help=text)
    text = 'share of the clips whose caption names shape, motion and sound'
    parser.add_argument('--tell-text', type=float, default=1.0, help=text)
    text = 'scales texture, shake, noise, distractors and jitter; 0 is clean'
    parser.add_argument('--difficulty', type=float, default=1.0, help=text)
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='processes; the result does not depend on it'
    )
    return parser.parse_args(argv)


def write_item(write_video: Callable[..., None], root: Path, settings: Settings, item: Tuple[str, int]) -> None:
    """Write the video (split, index); a worker process finds this by name."""
    write_video(root, settings, *item)


def generate(root: Path, settings: Settings, missing: List[str], workers: int) -> None:
    """Write these parts into a folder that :func:`~mmshapes.folder.open_folder` has claimed."""
    for part in missing:
        write_video, write_lists = WRITERS[part]
        if write_video is not None:
            items = [(split, index) for split in SPLITS for index in range(settings.count(part, split))]
            run_jobs(functools.partial(write_item, write_video, root, settings), items, workers, part)
        write_lists(root, settings)
    close_folder(root, settings, missing)


def main(argv: Optional[List[str]] = None) -> None:
    args = parse_args(argv)
    tells = {name: getattr(args, name) for name in ('tell_rgb', 'tell_flow', 'tell_audio', 'tell_text')}
    try:
        settings = Settings(seed=args.seed, size=args.size, difficulty=args.difficulty, **tells)
        if args.workers < 1:
            raise ValueError(f'--workers must be 1 or more, got {args.workers}')
        missing = open_folder(args.out, settings, args.parts)
    except ValueError as error:
        sys.exit(f'error: {error}')
    if missing:
        generate(args.out, settings, missing, args.workers)
    print(f'{args.out} is complete' + ('' if missing else ' already: nothing to do'))


if __name__ == '__main__':
    main()
