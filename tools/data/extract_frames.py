"""Frames of every video below a folder, as images.

    python tools/data/extract_frames.py SRC_DIR OUT_DIR --height 256

The tree of SRC_DIR is mirrored: ``SRC_DIR/a/clip.mp4`` gives ``OUT_DIR/a/clip/img_000001.jpg`` and so on. MML was
trained on frames of height 256 of Something-Something v2, and 331 of Kinetics (spec/mml.md 2.2). As with ffmpeg's
``scale=-1:256``, a smaller video is enlarged. Folders that are there already are skipped, so a run that was stopped can
be started again.

The exit code is 1 when a source could not be read; the others are done nevertheless.
"""

import argparse
import functools
import sys
from typing import Optional

from media_tree import Job, add_arguments, check_arguments, find_sources, iter_video, run, suffixes_of

from mmmutual.utils.frame_folders import JPEG_QUALITY, resize_height, resize_short_side, save_frames
from mmmutual.utils.media_files import IMAGE_SUFFIXES, VIDEO_SUFFIXES


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, 'frames')
    size = parser.add_mutually_exclusive_group()
    size.add_argument('--height', type=int, help='resize frames to this height (default: as they are)')
    size.add_argument('--short-side', type=int, help='resize frames to this short side')
    parser.add_argument('--filename-tmpl', default='img_{:06d}.jpg', help='default: %(default)s')
    parser.add_argument('--quality', type=int, default=JPEG_QUALITY, help='of JPEG, 1 to 100 (default: %(default)s)')
    args = parser.parse_args()
    check_arguments(parser, args)
    for option, value in (('--height', args.height), ('--short-side', args.short_side)):
        if value is not None and value < 1:
            parser.error(f'{option} must be at least 1, got {value}')
    if not 1 <= args.quality <= 100:
        parser.error(f'--quality must lie in [1, 100], got {args.quality}')
    if not is_template(args.filename_tmpl):
        parser.error(
            f'--filename-tmpl must be a file name with one field for a number and a suffix of {IMAGE_SUFFIXES}, as '
            f'img_{{:06d}}.jpg, got {args.filename_tmpl!r}'
        )
    return args


def is_template(text: str) -> bool:
    """Whether this names the images of a folder."""
    try:
        names = {text.format(1), text.format(2)}
    except (IndexError, KeyError, ValueError):
        return False
    return len(names) == 2 and '/' not in text and text.lower().endswith(IMAGE_SUFFIXES)


def write_frames(
    job: Job, reader: str, height: Optional[int], short_side: Optional[int], filename_tmpl: str, quality: int
) -> int:
    """Frames of one video; their number."""
    frames = iter_video(job.source, reader)
    if height is not None:
        frames = (resize_height(frame, height) for frame in frames)
    elif short_side is not None:
        frames = (resize_short_side(frame, short_side) for frame in frames)
    return save_frames(job.folder, frames, filename_tmpl, quality)


def main() -> int:
    args = parse_args()
    sources = find_sources(args.src_dir, suffixes_of(args, VIDEO_SUFFIXES))
    settings = {name: getattr(args, name) for name in ('height', 'short_side', 'filename_tmpl', 'quality')}
    write = functools.partial(write_frames, reader=args.reader, **settings)
    return run(args, sources, settings, write, 'frames', 'frames', images_per_item=1)


if __name__ == '__main__':
    sys.exit(main())
