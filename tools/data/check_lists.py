"""Check the lists of a data set against its folders.

    python tools/data/check_lists.py data/sthv2

Lists are ROOT/lists/<split>_<input>.txt, with split train, val or test and input rgb, flow or video, also in folders
below lists (split1, ...); their media lie below ROOT/frames, ROOT/flow and ROOT/videos, as
tools/data/<data set>/build_lists.py writes them. Prints how many clips and how many per class a list has, and what is
wrong with it:

    missing  the folder or file is not there, or an empty file
    count    the folder does not hold as many images of these names as the list says, or the video as many frames
    short    fewer frames than --min-frames; a video that cannot be read has none
    label    no class of this number in ROOT/classes.txt
    twice    a clip that this list names more than once
    inputs   not in the list of another input of this split, or there with another label
    splits   also in another split

The exit code is 1 when anything is wrong.
"""

import argparse
import json
import os
import re
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from mmmutual.datasets.annotations.lists import INPUTS, count_frames, count_images, input_options
from mmmutual.datasets.list_file import ListEntry, key_of, read_list
from mmmutual.datasets.modality_options import DEFAULT_TEMPLATES, read_classes
from mmmutual.utils.parallel import run_jobs
from mmmutual.utils.text_table import align
from mmmutual.utils.whole_output import write_text

LIST_NAME = re.compile(rf'(train|val|test)_({"|".join(INPUTS)})\.txt')
FAULTS = ('missing', 'count', 'short', 'label', 'twice', 'inputs', 'splits')
NUM_SHOWN = 3


class Media(NamedTuple):
    """What a list names on disk."""

    path: str
    kind: str
    filename_tmpl: Optional[str]


class Clip(NamedTuple):
    """One line of a list."""

    key: str
    entry: ListEntry
    media: Media


class ClipList:
    """A list; ``file`` is its path below the folder of lists."""

    def __init__(self, file: Path, split: str, clips: List[Clip]) -> None:
        self.file, self.split, self.clips = file, split, clips
        self.labels = {clip.key: clip.entry.label for clip in clips}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, metavar='ROOT', help='folder of the data set')
    parser.add_argument('--lists', type=Path, metavar='DIR', help='folder of the lists (default: ROOT/lists)')
    parser.add_argument('--min-frames', type=int, default=3, help='of a clip, for every input (default: %(default)s)')
    for name, kind in (('frames', 'frames'), ('flow', 'flow_frames')):
        help_text = f'names of the images in ROOT/{name} (default: %(default)s)'
        parser.add_argument(f'--{name}-tmpl', default=DEFAULT_TEMPLATES[kind], metavar='TMPL', help=help_text)
    parser.add_argument('--out', type=Path, metavar='FILE', help='write everything found as JSON')
    parser.add_argument('--num-workers', type=int, default=os.cpu_count(), help='processes (default: one per core)')
    args = parser.parse_args()
    args.lists = args.root / 'lists' if args.lists is None else args.lists
    for folder in (args.root, args.lists):
        if not folder.is_dir():
            parser.error(f'{folder} is not a folder')
    if args.num_workers < 1:
        parser.error(f'--num-workers must be at least 1, got {args.num_workers}')
    return args


def read_lists(folder: Path, root: Path, templates: Dict[str, str]) -> List[ClipList]:
    """All lists below a folder."""
    found = []
    for file in sorted(folder.rglob('*.txt')):
        match = LIST_NAME.fullmatch(file.name)
        if match:
            split, name = match.groups()
            options = input_options(name, templates.get(name))
            clips = [as_clip(entry, options, root) for entry in read_list(file, options['kind'])]
            found.append(ClipList(file.relative_to(folder), split, clips))
    if not found:
        raise FileNotFoundError(f'no list <split>_<input>.txt, as train_rgb.txt, below {folder}')
    return found


def as_clip(entry: ListEntry, options: Dict[str, Any], root: Path) -> Clip:
    path = str(root / options['data_prefix'] / entry.path)
    media = Media(path, options['kind'], options.get('filename_tmpl'))
    return Clip(key_of(entry.path, options['kind']), entry, media)


def look_up(media: Media) -> Optional[int]:
    """Images of a folder or frames of a video, 0 if unreadable; None if it is not there."""
    if media.kind != 'video':
        return count_images(media.path, media.kind, media.filename_tmpl) if os.path.isdir(media.path) else None
    if not os.path.isfile(media.path) or os.path.getsize(media.path) == 0:
        return None
    return count_frames(media.path)


def find_faults(
    clips: ClipList, lists: List[ClipList], found: Dict[Media, Optional[int]], num_classes: int, min_frames: int
) -> Dict[str, List[str]]:
    """Fault -> what is wrong with which clip of a list, compared with the other lists of its folder."""
    faults: Dict[str, List[str]] = {fault: [] for fault in FAULTS}
    beside = [other for other in lists if other.file.parent == clips.file.parent and other is not clips]
    same = [other for other in beside if other.split == clips.split]
    others = [other for other in beside if other.split != clips.split]
    keys = Counter(clip.key for clip in clips.clips)
    for key, entry, media in clips.clips:
        count = found[media]
        if count is None:
            faults['missing'].append(media.path)
        elif entry.num_frames not in (None, count):
            faults['count'].append(f'{key}: {entry.num_frames} in the list, {count} in {media.path}')
        known = count if entry.num_frames is None else entry.num_frames
        if known is not None and known < min_frames:
            faults['short'].append(f'{key}: {known}')
        if entry.label >= num_classes:
            faults['label'].append(f'{key}: {entry.label}')
        if keys[key] > 1:
            faults['twice'].append(f'{key}: line {entry.line}')
        elsewhere = [other.file.name for other in others if key in other.labels]
        if elsewhere:
            faults['splits'].append(f'{key}: also in {", ".join(elsewhere)}')
        differing = [other.file.name for other in same if other.labels.get(key) != entry.label]
        if differing:
            faults['inputs'].append(f'{key}: not so in {", ".join(differing)}')
    return {fault: texts for fault, texts in faults.items() if texts}


def main() -> int:
    args = parse_args()
    try:
        classes = read_classes('classes.txt', str(args.root))
        lists = read_lists(args.lists, args.root, dict(rgb=args.frames_tmpl, flow=args.flow_tmpl))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    media = {clip.media: None for clips in lists for clip in clips.clips}  # splits share clips
    found = run_jobs(look_up, media, args.num_workers, 'check')
    report = {}
    for clips in lists:
        per_class = Counter(clip.entry.label for clip in clips.clips)
        report[clips.file.as_posix()] = dict(
            clips=len(clips.clips),
            per_class={name: per_class[label] for label, name in enumerate(classes)},
            faults=find_faults(clips, lists, found, len(classes), args.min_frames),
        )
    print(table(report))
    for name, entry in report.items():
        for fault, texts in entry['faults'].items():
            shown = '; '.join(texts[:NUM_SHOWN]) + ('; ...' if len(texts) > NUM_SHOWN else '')
            print(f'{name}: {len(texts)} {fault}: {shown}')
    if args.out is not None:
        write_text(args.out, json.dumps(report, indent=1) + '\n')
    return 1 if any(entry['faults'] for entry in report.values()) else 0


def table(report: Dict[str, dict]) -> str:
    rows = [['list', 'clips', 'per class: min', 'median', 'max', *FAULTS]]
    for name, entry in report.items():
        sizes = list(entry['per_class'].values())
        spread = [min(sizes), statistics.median(sizes), max(sizes)]
        faults = [len(entry['faults'].get(fault, ())) for fault in FAULTS]
        rows.append([name, str(entry['clips']), *(f'{size:g}' for size in spread), *map(str, faults)])
    return align(rows)


if __name__ == '__main__':
    sys.exit(main())
