"""From a tree of media to a tree with a folder of images for each: what extract_flow.py and extract_frames.py share."""

import argparse
import functools
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from mmmutual.datasets.readers import READERS, open_video
from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.media_files import find_files, find_folders
from mmmutual.utils.parallel import run_jobs
from mmmutual.utils.whole_output import write_text


class Job(NamedTuple):
    """A video or folder of images, and the folder that is made of it."""

    source: Path
    folder: Path


class Outcome(NamedTuple):
    """Of one source: number of frames or pairs, or why there is none."""

    count: int
    problem: Optional[str] = None


def add_arguments(parser: argparse.ArgumentParser, unit: str) -> None:
    """Arguments that both tools take; ``unit`` is what they count."""
    parser.add_argument('src_dir', type=Path, metavar='SRC_DIR', help='folder tree of sources')
    parser.add_argument('out_dir', type=Path, metavar='OUT_DIR', help='folder to fill')
    parser.add_argument('--reader', choices=sorted(READERS), default='pyav', help='of videos (default: %(default)s)')
    parser.add_argument('--ext', nargs='+', help='suffixes of the sources (default: common ones)')
    parser.add_argument('--num-workers', type=int, default=os.cpu_count(), help='processes (default: one per core)')
    parser.add_argument('--list', type=Path, metavar='OUT_LIST', help=f'write a line "folder {unit}" for each source')


def check_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End with a message where those arguments make no sense."""
    if not args.src_dir.is_dir():
        parser.error(f'SRC_DIR {args.src_dir} is not a folder')
    if args.num_workers < 1:
        parser.error(f'--num-workers must be at least 1, got {args.num_workers}')


def iter_video(path: Path, backend: str) -> Iterator[np.ndarray]:
    """Frames of a video, uint8 (H, W, 3) each."""
    with open_video(path, backend) as reader:
        yield from reader


def suffixes_of(args: argparse.Namespace, common: Sequence[str]) -> Sequence[str]:
    """What ``--ext`` says, lower-case with a dot."""
    return [f'.{suffix.lower().lstrip(".")}' for suffix in args.ext] if args.ext else common


def find_sources(src_dir: Path, suffixes: Sequence[str], folders: bool = False) -> List[Path]:
    """Videos below a folder, or the folders that directly hold images; sorted."""
    sources = find_folders(src_dir, suffixes) if folders else find_files(src_dir, suffixes)
    if not sources:
        sys.exit(f'no {"image" if folders else "video"} below {src_dir} with suffix {" ".join(suffixes)}')
    return sources


def name_folders(sources: List[Path], src_dir: Path) -> Dict[Path, str]:
    """Where the images of each source go, below OUT_DIR: videos lose their suffix unless two would share a folder.

    A folder of images must not hold another one: it would look done before it is.
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


def check_settings(file: Path, settings: Dict[str, Any]) -> None:
    """Refuse to mix images of different settings in one folder."""
    if not file.exists():
        write_text(file, json.dumps(settings) + '\n')
    elif (found := json.loads(file.read_text())) != settings:
        sys.exit(f'{file.parent} holds images made with {found}, not with {settings}: choose another OUT_DIR')


def make_folder(job: Job, write: Callable[[Job], int], images_per_item: int) -> Outcome:
    """Images of one source, unless they are there."""
    if job.folder.exists():
        return Outcome(sum(1 for _ in job.folder.iterdir()) // images_per_item)
    try:
        return Outcome(write(job))
    except UnreadableMediaError as error:
        return Outcome(0, error.reason)
    except ValueError as error:  # too few frames, frames of several sizes, too small
        return Outcome(0, str(error))


def run(
    args: argparse.Namespace,
    sources: List[Path],
    settings: Dict[str, Any],
    write: Callable[[Job], int],
    what: str,
    unit: str,
    images_per_item: int,
) -> int:
    """Make all folders, write the list, and say what was done.

    Args:
        args: those of :func:`add_arguments`.
        sources: from :func:`find_sources`.
        settings: what determines the images, besides the source.
        write: makes the folder of a job, in a worker process, and returns the number of items in it.
        what: what a source gets: ``'flow'`` or ``'frames'``.
        unit: what is counted, for messages.
        images_per_item: how many images such an item has.

    Returns:
        The exit code: 1 when a source could not be read.
    """
    names = name_folders(sources, args.src_dir)
    check_settings(args.out_dir / f'extract_{what}.json', settings)
    jobs = {Job(source, args.out_dir / name): name for source, name in names.items()}
    function = functools.partial(make_folder, write=write, images_per_item=images_per_item)
    outcomes = run_jobs(function, jobs, args.num_workers, what)
    done = {job: outcome for job, outcome in outcomes.items() if outcome.problem is None}
    if args.list:
        write_text(args.list, ''.join(f'{jobs[job]} {outcome.count}\n' for job, outcome in done.items()))
    total = sum(outcome.count for outcome in done.values())
    print(f'{len(done)} of {len(sources)} sources have {what}, {total} {unit}')
    for job in sorted(outcomes.keys() - done.keys()):
        print(f'no {what}: {job.source}: {outcomes[job].problem}', file=sys.stderr)
    return 1 if len(done) < len(sources) else 0
