"""What a user may choose, and the random numbers that follow from it."""

import dataclasses
from typing import Dict

import numpy as np

from .vocabulary import SPLITS

# Raise it whenever the same settings give other content: folders of the old content are then refused, not mixed.
FORMAT_VERSION = 2
PARTS = ('clips', 'events', 'qa', 'instructions')
# Videos per split (train, val, test); the clips of a smaller size are the first ones of a larger size.
SIZES: Dict[str, Dict[str, tuple]] = {
    'full': {'clips': (640, 320, 320), 'events': (160, 80, 80), 'instructions': (48, 16, 16)},
    'quick': {'clips': (320, 240, 40), 'events': (64, 32, 32), 'instructions': (16, 8, 8)},
    'tiny': {'clips': (30, 30, 30), 'events': (8, 4, 4), 'instructions': (3, 2, 2)},
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that decides the content of the data set.

    Args:
        seed: start of all random numbers, >= 0.
        size: one of :data:`SIZES`.
        tell_rgb: share of the clips whose shape is that of their class, in [0, 1]; in the others it is random.
        tell_flow: the same for the motion.
        tell_audio: the same for the sound.
        tell_text: share of the clips whose caption names shape, motion and sound; the others' leave them out.
        difficulty: scales what disturbs (texture, shake, noise, distractors, jitter), >= 0; 0 is a clean picture.

    Raises:
        ValueError: a value outside its range.
    """

    seed: int = 0
    size: str = 'full'
    tell_rgb: float = 1.0
    tell_flow: float = 1.0
    tell_audio: float = 1.0
    tell_text: float = 1.0
    difficulty: float = 1.0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f'seed must be 0 or more, got {self.seed}')
        if self.size not in SIZES:
            raise ValueError(f'size must be one of {sorted(SIZES)}, got {self.size!r}')
        for name in ('tell_rgb', 'tell_flow', 'tell_audio', 'tell_text'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f'{name} must be between 0 and 1, got {getattr(self, name)}')
        if not 0.0 <= self.difficulty <= 3.0:
            raise ValueError(f'difficulty must be between 0 and 3, got {self.difficulty}')

    def count(self, part: str, split: str) -> int:
        """Number of videos of a part in a split."""
        return SIZES[self.size][part][SPLITS.index(split)]

    def rng(self, part: str, split: str, index: int, purpose: int = 0) -> np.random.Generator:
        """Random numbers of one purpose of one item, the same in every process and for every size of the data set.

        Args:
            part: one of :data:`PARTS`, or ``'sources'`` for what several clips share.
            split: one of train, val, test.
            index: number of the item within the split.
            purpose: tells streams of one item apart, so that a change in how one is drawn leaves the others alone.
        """
        key = ((*PARTS, 'sources').index(part), SPLITS.index(split), index, purpose)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
