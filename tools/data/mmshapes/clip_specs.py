"""What is in a 2 s clip, decided without drawing it."""

import dataclasses
from typing import Tuple

import numpy as np

from .settings import Settings
from .vocabulary import (
    CLIP_CLASSES,
    CLIP_MOTIONS,
    CLIP_SHAPES,
    CLIP_SOUNDS,
    COLOURS,
    MOTION_PHRASES,
    PATTERNS,
    with_article,
)

CLIP_SECONDS = 2
CLIP_FPS = 12
CLIP_FRAMES = CLIP_SECONDS * CLIP_FPS
FRAME_SIZES = ((96, 72), (112, 84))
# Clips cut from one source share class, ground and colour, as the clips of one YouTube video do: what a network learns
# by heart about the sources of the train split is of no use for those of val and test.
CLIPS_PER_SOURCE = 4


@dataclasses.dataclass(frozen=True)
class ClipSpec:
    """Ground truth of a clip: label, what is really shown and heard, and which cues tell the label."""

    key: str
    split: str
    index: int
    label: int
    source: str
    width: int
    height: int
    shape: str
    colour: str
    pattern: str
    num_distractors: int
    motion: str
    sound: str
    rgb_tells: bool
    flow_tells: bool
    audio_tells: bool
    text_tells: bool

    @property
    def size(self) -> Tuple[int, int]:
        """Frame width and height in pixels."""
        return self.width, self.height


def source_index(index: int) -> int:
    """Number of the source that a clip of a split is cut from."""
    num_classes = len(CLIP_CLASSES)
    label, rank = index % num_classes, index // num_classes
    return rank // CLIPS_PER_SOURCE * num_classes + label


def describe_clip(settings: Settings, split: str, index: int) -> ClipSpec:
    """Decide what is in clip ``index`` of a split.

    All random numbers are drawn whatever the knobs are, so that a knob changes only what it is about.
    """
    label = index % len(CLIP_CLASSES)
    clip_class = CLIP_CLASSES[label]
    source = source_index(index)
    source_rng = settings.rng('sources', split, source)
    width, height = FRAME_SIZES[source_rng.integers(len(FRAME_SIZES))]
    colour = str(source_rng.choice(list(COLOURS)))
    pattern = str(source_rng.choice(PATTERNS))
    num_distractors = int(np.round(settings.difficulty * source_rng.uniform(0, 2.5)))
    rng = settings.rng('clips', split, index)
    chances = rng.uniform(size=4)
    shape, motion, sound = (str(rng.choice(values)) for values in (CLIP_SHAPES, CLIP_MOTIONS, CLIP_SOUNDS))
    tells = chances < [settings.tell_rgb, settings.tell_flow, settings.tell_audio, settings.tell_text]
    return ClipSpec(
        key=f'{split}_{index:05d}',
        split=split,
        index=index,
        label=label,
        source=f'{split}_{source:04d}',
        width=width,
        height=height,
        shape=clip_class.shape if tells[0] else shape,
        colour=colour,
        pattern=pattern if settings.difficulty > 0 else 'plain',
        num_distractors=num_distractors,
        motion=clip_class.motion if tells[1] else motion,
        sound=clip_class.sound if tells[2] else sound,
        rgb_tells=bool(tells[0]),
        flow_tells=bool(tells[1]),
        audio_tells=bool(tells[2]),
        text_tells=bool(tells[3]),
    )


def caption(spec: ClipSpec) -> str:
    """One sentence on a clip: never untrue, but silent about shape, motion and sound where the text does not tell."""
    ground = 'a plain ground' if spec.pattern == 'plain' else f'a ground with {spec.pattern}'
    if not spec.text_tells:
        return f'something {spec.colour} is seen on {ground}'
    what = with_article(f'{spec.colour} {spec.shape} {MOTION_PHRASES[spec.motion]}')
    return f'{what} on {ground} while a {spec.sound} is heard'
