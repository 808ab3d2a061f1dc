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
import sys
from typing import Iterator, Optional, Sequence

import numpy as np
from media_tree import Job, add_arguments, check_arguments, find_sources, iter_video, run, suffixes_of

from mmmutual.utils.frame_folders import list_images, read_frames, resize_short_side
from mmmutual.utils.media_files import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from mmmutual.utils.optical_flow import ALGORITHMS, DIS_MIN_SIDE, check_flow, save_flow


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, 'pairs')
    parser.add_argument('--algorithm', choices=sorted(ALGORITHMS), default='dis', help='default: %(default)s')
    parser.add_argument('--bound', type=float, default=20.0, help='largest motion kept, pixels (default: %(default)s)')
    parser.add_argument('--short-side', type=int, help='resize frames to this short side first (default: as they are)')
    parser.add_argument('--frames', action='store_true', help='SRC_DIR holds folders of images, not videos')
    args = parser.parse_args()
    check_arguments(parser, args)
    if not args.bound > 0:
        parser.error(f'--bound must be positive, got {args.bound}')
    if args.short_side is not None and args.short_side < DIS_MIN_SIDE:
        parser.error(f'--short-side must be at least {DIS_MIN_SIDE}, got {args.short_side}')
    try:
        check_flow(args.algorithm, args.bound)
    except ImportError as error:
        parser.error(str(error))
    return args


def write_flow(
    job: Job, suffixes: Sequence[str], reader: str, algorithm: str, bound: float, short_side: Optional[int]
) -> int:
    """Flow of one source; the number of pairs."""
    return save_flow(job.folder, iter_source(job, suffixes, reader, short_side), algorithm, bound)


def iter_source(job: Job, suffixes: Sequence[str], reader: str, short_side: Optional[int]) -> Iterator[np.ndarray]:
    """Frames of a video or of a folder of images, uint8 (H, W, 3) each."""
    if job.source.is_dir():
        frames = read_frames(list_images(job.source, suffixes))
    else:
        frames = iter_video(job.source, reader)
    for frame in frames:
        yield frame if short_side is None else resize_short_side(frame, short_side)


def main() -> int:
    args = parse_args()
    suffixes = suffixes_of(args, IMAGE_SUFFIXES if args.frames else VIDEO_SUFFIXES)
    sources = find_sources(args.src_dir, suffixes, folders=args.frames)
    settings = dict(algorithm=args.algorithm, bound=args.bound, short_side=args.short_side)
    write = functools.partial(write_flow, suffixes=suffixes, reader=args.reader, **settings)
    return run(args, sources, settings, write, 'flow', 'pairs', images_per_item=2)


if __name__ == '__main__':
    sys.exit(main())
