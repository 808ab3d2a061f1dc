"""Optical flow of every video below a folder, as 8-bit images.

    python tools/data/extract_flow.py SRC_DIR OUT_DIR

The tree of SRC_DIR is mirrored: ``SRC_DIR/a/clip.mp4`` gives ``OUT_DIR/a/clip/flow_x_00001.jpg``, ``flow_y_00001.jpg``
and so on, one pair less than frames. 128 is no motion, 0 and 255 are motion by ``--bound`` pixels. Folders that are
there already are skipped, so a run that was stopped can be started again. With ``--frames`` SRC_DIR holds folders of
images instead of videos.

The exit code is 1 when a source could not be read; the others are done nevertheless.
"""

import argparse
import functools
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from mmmutual.datasets.readers import open_video
from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.frame_folders import list_images, read_frames, resize_short_side
from mmmutual.utils.media_files import IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_files
from mmmutual.utils.optical_flow import ALGORITHMS, DIS_MIN_SIDE, save_flow
from mmmutual.utils.parallel import run_jobs
from mmmutual.utils.whole_output import write_text

SETTINGS_FILE = 'extract_flow.json'


class Settings(NamedTuple):
    """What determines the images, besides the source."""

    algorithm: str
    bound: float
    short_side: Optional[int]


class Job(NamedTuple):
    """A video or folder of images, and where its flow goes."""

    source: Path
    folder: Path


class Outcome(NamedTuple):
    """Of one source: number of pairs, or why there is none."""

    pairs: int
    problem: Optional[str] = None


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src_dir', type=Path, metavar='SRC_DIR', help='folder tree of videos (or of frame folders)')
    parser.add_argument('out_dir', type=Path, metavar='OUT_DIR', help='folder to fill')
    parser.add_argument('--algorithm', choices=sorted(ALGORITHMS), default='dis', help='default: %(default)s')
    parser.add_argument('--bound', type=float, default=20.0, help='largest motion kept, pixels (default: %(default)s)')
    parser.add_argument('--short-side', type=int, help='resize frames to this short side first (default: as they are)')
    parser.add_argument('--frames', action='store_true', help='SRC_DIR holds folders of images, not videos')
    parser.add_argument(
        '--ext', nargs='+', help='suffixes of videos, or of images with --frames (default: common ones)'
    )
    parser.add_argument('--num-workers', type=int, default=os.cpu_count(), help='processes (default: one per core)')
    parser.add_argument('--list', type=Path, metavar='OUT_LIST', help='write a line "folder pairs" for each source')
    args = parser.parse_args()
    if not args.src_dir.is_dir():
        parser.error(f'SRC_DIR {args.src_dir} is not a folder')
    if not args.bound > 0:
        parser.error(f'--bound must be positive, got {args.bound}')
    if args.short_side is not None and args.short_side < DIS_MIN_SIDE:
        parser.error(f'--short-side must be at least {DIS_MIN_SIDE}, got {args.short_side}')
    if args.num_workers < 1:
        parser.error(f'--num-workers must be at least 1, got {args.num_workers}')
    return args


def find_sources(src_dir: Path, frames: bool, suffixes: Sequence[str]) -> List[Path]:
    """Videos below a folder, or folders that directly hold images; sorted."""
    files = find_files(src_dir, suffixes)
    return sorted({file.parent for file in files}) if frames else files


def iter_source(source: Path, suffixes: Sequence[str], short_side: Optional[int]) -> Iterator[np.ndarray]:
    """Frames of a video or of a folder of images, uint8 (H, W, 3) each."""
    if source.is_dir():
        frames = read_frames(list_images(source, suffixes))
    else:
        frames = iter_video(source)
    for frame in frames:
        yield frame if short_side is None else resize_short_side(frame, short_side)


def iter_video(path: Path) -> Iterator[np.ndarray]:
    with open_video(path) as reader:
        yield from reader


def extract(job: Job, suffixes: Sequence[str], settings: Settings) -> Outcome:
    """Flow of one source, unless it is there."""
    if job.folder.exists():
        return Outcome(sum(1 for _ in job.folder.glob('flow_x_*')))
    frames = iter_source(job.source, suffixes, settings.short_side)
    try:
        return Outcome(save_flow(job.folder, frames, settings.algorithm, settings.bound))
    except UnreadableMediaError as error:
        return Outcome(0, error.reason)
    except ValueError as error:  # one frame only, frames of several sizes, too small
        return Outcome(0, str(error))


def name_folders(sources: List[Path], src_dir: Path) -> Dict[Path, str]:
    """Where the flow of each source goes, below OUT_DIR: videos lose their suffix unless two would get the same folder.

    A folder of flow must not hold another one: it would look done before it is.
    """
    relative = {source: source.relative_to(src_dir) for source in sources}
    short = {source: path if source.is_dir() else path.with_suffix('') for source, path in relative.items()}
    uses = Counter(short.values())
    parents = {parent for path in short.values() for parent in path.parents}
    names = {}
    for source, path in short.items():
        taken = uses[path] > 1 or path in parents
        names[source] = (relative[source] if taken else path).as_posix()
        if source == src_dir:
            names[source] = src_dir.resolve().name
        elif source.is_dir() and taken:
            sys.exit(f'{source} holds images and folders of images: give folders of one kind')
    return names


def check_settings(out_dir: Path, settings: Settings) -> None:
    """Refuse to mix flow of different settings in one folder."""
    file = out_dir / SETTINGS_FILE
    wanted = settings._asdict()
    if file.exists():
        found = json.loads(file.read_text())
        if found != wanted:
            sys.exit(f'{out_dir} holds flow made with {found}, not with {wanted}: choose another OUT_DIR')
        return
    out_dir.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(wanted) + '\n')


def main() -> int:
    args = parse_args()
    common = IMAGE_SUFFIXES if args.frames else VIDEO_SUFFIXES
    suffixes = [f'.{suffix.lower().lstrip(".")}' for suffix in args.ext] if args.ext else common
    settings = Settings(args.algorithm, args.bound, args.short_side)
    sources = find_sources(args.src_dir, args.frames, suffixes)
    if not sources:
        kind = 'image' if args.frames else 'video'
        sys.exit(f'no {kind} below {args.src_dir} with suffix {" ".join(suffixes)}')
    names = name_folders(sources, args.src_dir)
    check_settings(args.out_dir, settings)
    jobs = {Job(source, args.out_dir / name): name for source, name in names.items()}
    function = functools.partial(extract, suffixes=suffixes, settings=settings)
    outcomes = run_jobs(function, jobs, args.num_workers, 'optical flow')
    done = {job: outcome for job, outcome in outcomes.items() if outcome.problem is None}
    if args.list:
        write_text(args.list, ''.join(f'{jobs[job]} {outcome.pairs}\n' for job, outcome in done.items()))
    print(f'{len(done)} of {len(sources)} sources have flow, {sum(outcome.pairs for outcome in done.values())} pairs')
    for job in sorted(outcomes.keys() - done.keys()):
        print(f'no flow: {job.source}: {outcomes[job].problem}', file=sys.stderr)
    return 1 if len(done) < len(sources) else 0


if __name__ == '__main__':
    sys.exit(main())
