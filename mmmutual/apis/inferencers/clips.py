"""The clips that a user gives an inferencer, and the model's inputs that are made of each."""

import logging
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from mmengine.logging import print_log
from numpy import ndarray

from mmmutual.datasets.list_file import COMPUTED_FLOW
from mmmutual.datasets.readers import VideoReader, open_video
from mmmutual.utils.media_files import VIDEO_SUFFIXES, find_files
from mmmutual.utils.optical_flow import check_flow

from .array_reader import ArrayReader

ClipLike = Union[str, Path, ndarray]
STORED_FLOW = ('flow_frames', 'packed_flow_frames')
# Kind of a modality in the config -> the kind that gives the same of a video.
FROM_VIDEO = dict(video='video', frames='video', audio='audio')
FROM_VIDEO.update(dict.fromkeys((*STORED_FLOW, *COMPUTED_FLOW), 'video_flow'))
FROM_FRAMES = ('video', 'video_flow')


class Clip(NamedTuple):
    """A video file, or frames, RGB uint8 (T, H, W, 3)."""

    name: str
    frames: Optional[ndarray] = None

    def open(self) -> VideoReader:
        """A reader of its frames.

        Raises:
            UnreadableMediaError: the file can't be opened.
        """
        return open_video(self.name) if self.frames is None else ArrayReader(self.frames, self.name)


def list_clips(inputs: Union[ClipLike, Sequence[ClipLike]]) -> List[Clip]:
    """The clips that files, folders (all videos below them) and arrays are.

    Raises:
        FileNotFoundError: no such file; a folder without videos.
        ValueError: an empty list; an array that is not uint8 (T, H, W, 3) with at least one frame.
        TypeError: something else.
    """
    items = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if not items:
        raise ValueError('inputs is an empty list: give at least one video')
    return [clip for number, item in enumerate(items) for clip in _clips_of(item, number)]


def _clips_of(item: ClipLike, number: int) -> List[Clip]:
    if isinstance(item, ndarray):
        if item.dtype != 'uint8' or item.ndim != 4 or item.shape[3] != 3 or 0 in item.shape:
            raise ValueError(
                f'input {number} must be RGB frames, an array uint8 (T, H, W, 3), got {item.dtype} {item.shape}'
            )
        return [Clip(f'array_{number}', item)]
    if not isinstance(item, (str, Path)):
        raise TypeError(f'input {number} must be the path of a video, a folder or an array, got {type(item).__name__}')
    path = Path(item)
    if path.is_dir():
        files = find_files(path, VIDEO_SUFFIXES)
        if not files:
            raise FileNotFoundError(f'folder {str(item)!r} holds no video ({" ".join(VIDEO_SUFFIXES)})')
        return [Clip(str(file)) for file in files]
    if not path.is_file():
        raise FileNotFoundError(f'input {str(item)!r} does not exist')
    return [Clip(str(item))]


def sources_from_video(
    input_names: Sequence[str],
    modalities: Dict[str, dict],
    flow_algorithm: Optional[str] = None,
    flow_bound: Optional[float] = None,
) -> Dict[str, Dict[str, Any]]:
    """How each input of a model is made of one video.

    Args:
        input_names: the inputs.
        modalities: of the config's test data: input name -> dict with its ``kind``.
        flow_algorithm: see :func:`~mmmutual.utils.optical_flow.flow_estimator`; None: the modality's, else ``'dis'``.
        flow_bound: largest displacement that is kept, in pixels; None: the modality's, else 20, with a warning.

    Returns:
        Input name -> its entry of ``sources`` but for the ``path``.

    Raises:
        ValueError: an input that can't be made of a video; a wrong algorithm or bound.
    """
    sources = {}
    for name in input_names:
        options = modalities.get(name, {})
        kind = options.get('kind')
        if kind not in FROM_VIDEO:
            raise ValueError(
                f"input {name!r} can't be made of a video: in the config's test data it is of kind {kind!r}, and only "
                f'those of kinds {list(FROM_VIDEO)} can'
            )
        sources[name] = dict(kind=FROM_VIDEO[kind], num_frames=None)
        if FROM_VIDEO[kind] == 'video_flow':
            sources[name].update(_flow_options(name, options, flow_algorithm, flow_bound))
    return sources


def _flow_options(name: str, options: dict, algorithm: Optional[str], bound: Optional[float]) -> Dict[str, Any]:
    algorithm = options.get('algorithm', 'dis') if algorithm is None else algorithm
    if bound is None and options['kind'] in STORED_FLOW:
        print_log(
            f'input {name!r}: flow is computed with bound 20, for the config does not say what the bound of its flow '
            'images is; flow_bound gives another one',
            logger='current',
            level=logging.WARNING,
        )
    bound = options.get('bound', 20.0) if bound is None else bound
    try:
        check_flow(algorithm, bound)
    except ValueError as error:
        raise ValueError(f'flow of input {name!r}: {error}') from error
    return dict(algorithm=algorithm, bound=bound)
