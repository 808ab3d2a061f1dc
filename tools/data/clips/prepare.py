"""Build an arrow-of-time data set from any folders of videos.

    python tools/data/clips/prepare.py ROOT [ROOT ...] --out data/clips

Every video is cut into windows, every window becomes three clips: forward, reversed, still (its middle frame repeated).
Whole videos are held out for validation. Frames, their optical flow and the lists for ``VideoListDataset`` are written;
a run that was stopped goes on where it was. See the README beside this file.
"""

import argparse
import functools
import json
import os
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
from arrow_of_time import CLASSES, cut_windows, variants

from mmmutual.datasets.readers import open_video
from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.frame_folders import save_frames
from mmmutual.utils.media_files import VIDEO_SUFFIXES, find_files
from mmmutual.utils.optical_flow import DIS_MIN_SIDE, save_flow
from mmmutual.utils.parallel import run_jobs
from mmmutual.utils.whole_output import write_text


class Settings(NamedTuple):
    """What determines the data set, besides the videos: the clips, and which videos are held out."""

    window: int
    stride: int
    short_side: int
    val_fraction: float
    seed: int


class Video(NamedTuple):
    """A source, and what its clips are called."""

    path: Path
    name: str


class Outcome(NamedTuple):
    """Of one video: where its windows start, how many were left out as nothing changes in them, or what is wrong."""

    starts: Tuple[int, ...]
    unchanging: int = 0
    problem: Optional[str] = None


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('roots', type=Path, nargs='+', metavar='ROOT', help='folder tree of videos')
    parser.add_argument('--out', type=Path, required=True, help='folder of the data set')
    parser.add_argument('--window', type=int, default=32, help='frames per clip (default: %(default)s)')
    parser.add_argument('--stride', type=int, help='frames between starts of windows (default: as --window)')
    parser.add_argument('--short-side', type=int, default=128, help='of the frames, pixels (default: %(default)s)')
    parser.add_argument('--val-fraction', type=float, default=0.25, help='of the videos (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of held-out videos (default: %(default)s)')
    parser.add_argument('--num-workers', type=int, default=os.cpu_count(), help='processes (default: one per core)')
    args = parser.parse_args()
    args.stride = args.window if args.stride is None else args.stride
    for root in args.roots:
        if not root.is_dir():
            parser.error(f'ROOT {root} is not a folder')
    lowest = {'window': 3, 'stride': 1, 'short_side': DIS_MIN_SIDE, 'num_workers': 1}
    for option, least in lowest.items():
        if getattr(args, option) < least:
            parser.error(f'--{option.replace("_", "-")} must be at least {least}, got {getattr(args, option)}')
    if not 0 < args.val_fraction < 1:
        parser.error(f'--val-fraction must be between 0 and 1, got {args.val_fraction}')
    return args


def find_videos(roots: List[Path]) -> List[Video]:
    """All videos below the roots, with names that are unique and fit for lists."""
    videos, taken = {}, set()
    for root in roots:
        for path in find_files(root, VIDEO_SUFFIXES):
            if path.resolve() in videos:
                continue  # a root inside another one
            relative = path.relative_to(root).with_suffix('').as_posix()
            plain = re.sub(r'[^A-Za-z0-9._-]', '_', relative.replace('/', '__'))
            name, copy = plain, 1
            while name.lower() in taken:
                copy += 1
                name = f'{plain}~{copy}'
            taken.add(name.lower())
            videos[path.resolve()] = Video(path, name)
    return sorted(videos.values(), key=lambda video: video.name)


def check_settings(out: Path, videos: List[Video], settings: Settings) -> None:
    """Refuse to mix clips of other settings or other videos into a data set, or to split it anew.

    A network trained before would be scored on videos that it has seen.
    """
    file = out / 'settings.json'
    wanted = dict(settings._asdict(), videos={video.name: str(video.path.resolve()) for video in videos})
    if file.exists():
        found = json.loads(file.read_text(encoding='utf-8'))
        if found != wanted:
            changed = sorted(key for key in wanted if wanted[key] != found.get(key))
            sys.exit(f'{out} was made with other {", ".join(changed)}: choose another --out, or remove it')
    else:
        write_text(file, json.dumps(wanted, indent=1) + '\n')


def clip_name(video: Video, start: int, label: str) -> str:
    return f'{video.name}_{start:06d}_{label}'


def iter_video(path: Path) -> Iterator[np.ndarray]:
    with open_video(path) as reader:
        yield from reader


def prepare_video(video: Video, out: Path, settings: Settings) -> Outcome:
    """Write the clips of one video, as far as they are not there."""
    done = out / 'videos' / f'{video.name}.json'
    if done.exists():
        state = json.loads(done.read_text(encoding='utf-8'))
        return Outcome(tuple(state['starts']), state['unchanging'], state['problem'])
    starts, unchanging, problem = [], 0, None
    frames = iter_video(video.path)
    try:
        for window in cut_windows(frames, settings.window, settings.stride, settings.short_side):
            clips = variants(window.frames)
            if clips is None:
                unchanging += 1
                continue
            for label, frames in clips.items():
                name = clip_name(video, window.start, label)
                if not (out / 'frames' / name).exists():
                    save_frames(out / 'frames' / name, frames)
                if not (out / 'flow' / name).exists():
                    save_flow(out / 'flow' / name, frames)
            starts.append(window.start)
    except UnreadableMediaError as error:
        starts, problem = [], error.reason
    except ValueError as error:  # pictures that change their size, or are too small for flow
        starts, problem = [], str(error)
    # A video with a problem stays out of later runs: joining in, it would move others between training and validation.
    outcome = Outcome(tuple(starts), unchanging, problem)
    write_text(done, json.dumps(outcome._asdict()) + '\n')
    return outcome


def split(videos: List[Video], val_fraction: float, seed: int) -> Dict[str, List[Video]]:
    """Videos for training and for validation, at least one each."""
    num_val = min(max(round(len(videos) * val_fraction), 1), len(videos) - 1)
    order = np.random.RandomState(seed).permutation(len(videos))
    chosen = {'val': set(order[:num_val]), 'train': set(order[num_val:])}
    return {name: [video for i, video in enumerate(videos) if i in chosen[name]] for name in ('train', 'val')}


def write_lists(out: Path, parts: Dict[str, List[Video]], outcomes: Dict[Video, Outcome], window: int) -> None:
    for part, videos in parts.items():
        clips = [
            (clip_name(video, start, label), index)
            for video in videos
            for start in outcomes[video].starts
            for index, label in enumerate(CLASSES)
        ]
        for folder, kind, count in (('frames', 'rgb', window), ('flow', 'flow', window - 1)):
            lines = [f'{folder}/{name} {count} {label}\n' for name, label in clips]
            write_text(out / 'lists' / f'{part}_{kind}.txt', ''.join(lines))
    write_text(out / 'classes.txt', ''.join(f'{name}\n' for name in CLASSES))


def main() -> int:
    args = parse_args()
    settings = Settings(args.window, args.stride, args.short_side, args.val_fraction, args.seed)
    videos = find_videos(args.roots)
    if not videos:
        sys.exit(f'no video below {", ".join(map(str, args.roots))} (suffixes {" ".join(VIDEO_SUFFIXES)})')
    check_settings(args.out, videos, settings)
    function = functools.partial(prepare_video, out=args.out, settings=settings)
    outcomes = run_jobs(function, videos, args.num_workers, 'videos')
    usable = [video for video in videos if outcomes[video].starts]
    unreadable = [video for video in videos if outcomes[video].problem]
    for video in unreadable:
        print(f'left out, {outcomes[video].problem}: {video.path}', file=sys.stderr)
    for video in videos:
        if not outcomes[video].starts and not outcomes[video].problem:
            reason = 'nothing changes' if outcomes[video].unchanging else f'fewer than {args.window} frames'
            print(f'left out, {reason}: {video.path}', file=sys.stderr)
    if len(usable) < 2:
        sys.exit(f'{len(usable)} of {len(videos)} videos can be used: two are needed, one of them to hold out')
    parts = split(usable, settings.val_fraction, settings.seed)
    write_lists(args.out, parts, outcomes, args.window)
    for name, members in parts.items():
        windows = sum(len(outcomes[video].starts) for video in members)
        print(f'{name}: {len(members)} videos, {windows} windows, {windows * len(CLASSES)} clips')
    still = sum(outcome.unchanging for outcome in outcomes.values())
    print(f'{still} windows in which nothing changes were left out, {len(unreadable)} videos were unreadable')
    return 1 if unreadable else 0


if __name__ == '__main__':
    sys.exit(main())
