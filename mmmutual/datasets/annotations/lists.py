"""Lists for :class:`~mmmutual.datasets.VideoListDataset` of the annotated clips that are on disk."""

import functools
import os
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Collection, Dict, NamedTuple, Optional, Sequence, Union

from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.media_files import VIDEO_SUFFIXES
from mmmutual.utils.parallel import run_jobs
from mmmutual.utils.whole_output import write_text

from ..list_file import key_of
from ..modality_options import check_modality
from ..readers import open_video
from .official import Annotations, Clip

# What an input reads, and the folder of a data set that its media lie below.
INPUTS = {
    'rgb': dict(kind='frames', data_prefix='frames'),
    'flow': dict(kind='flow_frames', data_prefix='flow'),
    'video': dict(kind='video', data_prefix='videos'),
}


class SplitCounts(NamedTuple):
    """Clips of a split: annotated, missing on disk by input, and listed, which are those that no input lacks."""

    annotated: int
    missing: Dict[str, int]
    listed: int


def input_options(name: str, filename_tmpl: Optional[str] = None) -> Dict[str, Any]:
    """``kind``, ``data_prefix`` and, but for videos, ``filename_tmpl`` of an input, as ``VideoListDataset`` takes them.

    Args:
        name: ``'rgb'``, ``'flow'`` or ``'video'``.
        filename_tmpl: names of the images; default: those that our tools write.

    Raises:
        ValueError: a template that can't be filled in.
    """
    template = {} if filename_tmpl is None else dict(filename_tmpl=filename_tmpl)
    return check_modality(name, dict(INPUTS[name], ann_file=f'lists/train_{name}.txt', **template))


def count_images(folder: Union[str, Path], kind: str, filename_tmpl: str) -> int:
    """How many images a loader can read: numbered from 1 without a gap; of flow the pairs of x and y.

    Args:
        folder: of the images; one listing of it is all that is read.
        kind: ``'frames'`` or ``'flow_frames'``.
        filename_tmpl: their names.
    """
    names, video = set(os.listdir(folder)), Path(folder).name
    axes = ('x', 'y') if kind == 'flow_frames' else ('',)
    count = 0
    while all(filename_tmpl.format(count + 1, axis=axis, video=video) in names for axis in axes):
        count += 1
    return count


def count_frames(file: Union[str, Path]) -> int:
    """How many frames of a video decode; 0 if it cannot be read. Most are counted without decoding."""
    try:
        with open_video(file) as reader:
            return len(reader)
    except UnreadableMediaError:
        return 0


def find_clips(folder: Union[str, Path], keys: Collection[str], kind: str) -> Dict[str, str]:
    """Clips by their names, at any depth: whether they lie by class, by split or all together.

    Args:
        folder: where to look.
        keys: names of the clips.
        kind: ``'video'`` looks for files, ``'frames'`` and ``'flow_frames'`` for folders.

    Returns:
        key -> path below the folder, with ``/``, of those that are there.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: two files or folders with the name of one clip.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}, where the media of kind {kind!r} are looked for, is not a folder')
    found: Dict[str, str] = {}
    for parent, folders, files in os.walk(folder, followlinks=True):
        if kind == 'video':
            names = [name for name in files if os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES]
        else:
            names = folders
        for name in names:
            key = key_of(name, kind)
            if key in keys:
                path = Path(parent, name).relative_to(folder).as_posix()
                if key in found:
                    raise ValueError(f"{folder}: {found[key]} and {path} both have the name of the clip '{key}'")
                found[key] = path
        folders[:] = [name for name in folders if name not in keys]
    return found


def build_lists(
    annotations: Annotations, root: Union[str, Path], inputs: Dict[str, Dict[str, Any]], num_workers: int = 1
) -> Dict[str, SplitCounts]:
    """Write ``classes.txt`` and ``lists/<split>_<input>.txt`` below the root of a data set.

    Lists of one split name the same clips: one that an input lacks, or of which no image can be read, is left out of
    all. They are in the order of the annotations. A split of which nothing is there gets no list.

    Args:
        annotations: the clips.
        root: folder of the data set; media lie in ``frames``, ``flow`` and ``videos`` of it.
        inputs: input name -> :func:`input_options`.
        num_workers: processes that count images and frames.

    Returns:
        Counts by split.

    Raises:
        FileNotFoundError: the folder of an input is missing.
        ValueError: a clip twice in a split or on disk; no clip at all that every input has.
    """
    keys = set()
    for split, clips in annotations.splits.items():
        _require_unique(clips, split)
        keys.update(clip.key for clip in clips)
    found = {name: _find_and_count(Path(root), keys, name, options, num_workers) for name, options in inputs.items()}
    counts, texts = {}, {}
    for split, clips in annotations.splits.items():
        listed = [clip for clip in clips if all(clip.key in lines for lines in found.values())]
        missing = {name: sum(clip.key not in lines for clip in clips) for name, lines in found.items()}
        counts[split] = SplitCounts(len(clips), missing, len(listed))
        for name, lines in found.items() if listed else ():
            texts[f'{split}_{name}.txt'] = ''.join(f'{lines[clip.key]} {clip.label}\n' for clip in listed)
    if not texts:
        counted = {name: f'{len(lines)} in {_place(Path(root), inputs[name])}' for name, lines in found.items()}
        raise ValueError(f'none of {len(keys)} annotated clips ({min(keys, default=None)}, ...) is there: {counted}')
    for file, text in texts.items():
        write_text(Path(root, 'lists', file), text)
    write_text(Path(root, 'classes.txt'), ''.join(f'{name}\n' for name in annotations.classes))
    return counts


def _find_and_count(
    root: Path, keys: Collection[str], name: str, options: Dict[str, Any], num_workers: int
) -> Dict[str, str]:
    """Key -> start of its line: the path, and the number of images, pairs or frames, of those that have any."""
    folder = root / options['data_prefix']
    paths = find_clips(folder, keys, options['kind'])
    count: Callable[[str], int]
    if options['kind'] == 'video':
        count = count_frames
    else:
        count = functools.partial(count_images, kind=options['kind'], filename_tmpl=options['filename_tmpl'])
    counts = run_jobs(count, [str(folder / path) for path in paths.values()], num_workers, f'count {name}')
    sizes = {key: counts[str(folder / path)] for key, path in paths.items()}
    return {key: f'{path} {sizes[key]}' for key, path in paths.items() if sizes[key]}


def _place(root: Path, options: Dict[str, Any]) -> str:
    images = f' with images {options["filename_tmpl"]}' if options['kind'] != 'video' else ''
    return f'{root / options["data_prefix"]}{images}'


def _require_unique(clips: Sequence[Clip], split: str) -> None:
    twice = [key for key, times in Counter(clip.key for clip in clips).items() if times > 1]
    if twice:
        raise ValueError(f'split {split} names clips twice: {twice[:5]}')
