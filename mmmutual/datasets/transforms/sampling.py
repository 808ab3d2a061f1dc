"""Choosing the frames of a sample."""

from typing import Any, Dict, List, Optional

import numpy as np
from mmcv.transforms import BaseTransform
from numpy import ndarray

from mmmutual.datasets.readers import open_video
from mmmutual.registry import TRANSFORMS
from mmmutual.utils.errors import UnreadableMediaError

from . import sampling_rules as rules

FRAMES_PER_SEGMENT = dict(rgb=1, flow=5, rgbdiff=6)
OPTIONS = dict(
    mode=('uniform', 'dense', 'random'),
    split=('train', 'val', 'test'),
    dense_val_start=('center', 'random'),
    range_length=('max', 'first'),
)


@TRANSFORMS.register_module()
class SampleSegments(BaseTransform):
    """Choose T segments of a clip, the same moments for all inputs but sound (spec/mml.md 2.4).

    ========== ============================ =================== ==================================================
    mode       split='train'                split='val'         split='test', the clips in this order
    ========== ============================ =================== ==================================================
    uniform    one start per T-th part      middles of parts    middles [, beginnings if ``twice_sample``]
    dense      dense clip, random start     dense clip, middle  ``dense_number`` dense clips
    random     a coin: dense or uniform     as uniform          dense clips, middles [, beginnings]
    ========== ============================ =================== ==================================================

    In training the input with the fewest frames bounds the starts, and each other input is shifted by a constant up
    to its surplus; in validation and testing every input is cut up by its own number of frames. Past the end the
    last frame is repeated.

    Added keys: ``frame_inds`` (dict: input name -> (V * T, L) int64, from 0), ``num_views`` (V), ``num_segments`` (T)
    and ``readers`` (dict: path -> opened video).

    Args:
        num_segments: T.
        mode: ``'uniform'``, ``'dense'`` or ``'random'``.
        split: ``'train'``, ``'val'`` (the quick validation while training) or ``'test'``.
        twice_sample: add the clip of the beginnings in testing.
        dense_length: D, frames that a dense clip extends over, >= T.
        dense_number: dense clips in testing.
        frames_per_segment: L by input name; those not named keep rgb 1, flow 5, rgbdiff 6.
        range_length: L that bounds the starts of training when several inputs are equally short: ``'max'``, the
            largest of theirs, or ``'first'``, that of the first (the original's).
        dense_val_start: start of the dense clip in validation: ``'center'``, or ``'random'`` (the original's).
        video_backend: reader of videos, 'pyav', 'decord' or 'opencv', see :func:`mmmutual.datasets.readers.open_video`.

    Raises:
        ValueError: an option with a value that is not listed, or, while running, an input without an L.
    """

    def __init__(
        self,
        num_segments: int = 8,
        mode: str = 'uniform',
        split: str = 'train',
        twice_sample: bool = False,
        dense_length: int = 32,
        dense_number: int = 1,
        frames_per_segment: Optional[Dict[str, int]] = None,
        range_length: str = 'max',
        dense_val_start: str = 'center',
        video_backend: str = 'pyav',
    ) -> None:
        given = dict(mode=mode, split=split, range_length=range_length, dense_val_start=dense_val_start)
        for option, value in given.items():
            if value not in OPTIONS[option]:
                raise ValueError(f'{option} of SampleSegments must be one of {OPTIONS[option]}, got {value!r}')
        self.frames_per_segment = {**FRAMES_PER_SEGMENT, **(frames_per_segment or {})}
        counts = dict(num_segments=num_segments, dense_number=dense_number, **self.frames_per_segment)
        for option, value in counts.items():
            if value < 1:
                raise ValueError(f'{option} of SampleSegments must be at least 1, got {value}')
        if dense_length < num_segments and mode != 'uniform':
            raise ValueError(f'dense_length must be at least num_segments={num_segments}, got {dense_length}')
        if twice_sample and (split != 'test' or mode == 'dense'):
            raise ValueError(f"twice_sample needs split='test' and mode 'uniform' or 'random', got {split!r}, {mode!r}")
        if dense_number > 1 and (split != 'test' or mode == 'uniform'):
            raise ValueError(
                f"dense_number > 1 needs split='test' and mode 'dense' or 'random', got {split!r}, {mode!r}"
            )
        self.num_segments = num_segments
        self.mode = mode
        self.split = split
        self.twice_sample = twice_sample
        self.dense_length = dense_length
        self.dense_number = dense_number
        self.range_length = range_length
        self.dense_val_start = dense_val_start
        self.video_backend = video_backend

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Add the frames to read; see the class."""
        sources = {name: source for name, source in results['sources'].items() if source['kind'] != 'audio'}
        if not sources:
            raise ValueError(f'SampleSegments needs an input with frames, got only sound: {list(results["sources"])}')
        lengths = self._lengths(sources)
        num_frames = {name: self._num_frames(source, results) for name, source in sources.items()}
        if self.split == 'train':
            clips = {name: [offsets] for name, offsets in self._train(num_frames, lengths).items()}
        else:
            choose = self._val if self.split == 'val' else self._test
            clips = {name: choose(count, lengths[name]) for name, count in num_frames.items()}
        results['frame_inds'] = {
            name: rules.frames_from(np.concatenate(starts), lengths[name], num_frames[name])
            for name, starts in clips.items()
        }
        results['num_views'] = len(next(iter(clips.values())))
        results['num_segments'] = self.num_segments
        return results

    def _lengths(self, sources: Dict[str, dict]) -> Dict[str, int]:
        unknown = [name for name in sources if name not in self.frames_per_segment]
        if unknown:
            raise ValueError(
                f'frames_per_segment of SampleSegments must say how many frames inputs {unknown} take, '
                f'got {self.frames_per_segment}'
            )
        return {name: self.frames_per_segment[name] for name in sources}

    def _num_frames(self, source: Dict[str, Any], results: Dict[str, Any]) -> int:
        """N of an input: of a folder what its list says, of a video the frames that its reader can decode.

        Of flow pairs of frames are counted: of a video one less.
        """
        if source['kind'] not in ('video', 'video_flow'):
            count = source['num_frames']
        else:
            readers = results.setdefault('readers', {})
            if source['path'] not in readers:
                readers[source['path']] = open_video(source['path'], backend=self.video_backend)
            count = len(readers[source['path']]) - (source['kind'] == 'video_flow')
        if count < 1:
            what = 'frame pairs' if 'flow' in source['kind'] else 'frames'
            raise UnreadableMediaError(source['path'], f'unreadable: no {what}')
        return count

    def _train(self, num_frames: Dict[str, int], lengths: Dict[str, int]) -> Dict[str, ndarray]:
        bound = rules.shortest(num_frames, lengths, self.range_length)
        # The order of the draws is the original's: coin, start or vector, shifts.
        dense = self.mode == 'dense' or (self.mode == 'random' and np.random.randint(2) == 0)
        if dense:
            start = rules.random_dense_start(bound['num_frames'], self.dense_length)
            offsets = self._dense(start, bound['num_frames'])
        else:
            offsets = rules.uniform_train_offsets(**bound, num_segments=self.num_segments)
        return {name: offsets + shift for name, shift in rules.jitter(num_frames).items()}

    def _val(self, num_frames: int, length: int) -> List[ndarray]:
        if self.mode != 'dense':
            return [rules.uniform_val_offsets(num_frames, length, self.num_segments)]
        if self.dense_val_start == 'center':
            start = rules.dense_starts(num_frames, self.dense_length, 1)[0]
        else:
            start = rules.random_dense_start(num_frames, self.dense_length)
        return [self._dense(start, num_frames)]

    def _test(self, num_frames: int, length: int) -> List[ndarray]:
        clips = []
        if self.mode != 'uniform':
            starts = rules.dense_starts(num_frames, self.dense_length, self.dense_number)
            clips += [self._dense(start, num_frames) for start in starts]
        if self.mode != 'dense':
            clips.append(rules.half_offsets(num_frames, length, self.num_segments))
        if self.twice_sample:
            clips.append(rules.zero_offsets(num_frames, length, self.num_segments))
        return clips

    def _dense(self, start: int, num_frames: int) -> ndarray:
        return rules.dense_offsets(start, num_frames, self.num_segments, self.dense_length)
