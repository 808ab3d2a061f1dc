"""What MMShapes shows and sounds like, and the words for it: shapes, colours, patterns, motions, sounds, classes."""

from typing import Dict, NamedTuple, Tuple

RGB = Tuple[int, int, int]

# Object colours are saturated, background colours (backgrounds.py) dull, so that an object stands out of any ground.
COLOURS: Dict[str, RGB] = {
    'red': (214, 48, 44),
    'orange': (240, 140, 30),
    'yellow': (246, 218, 52),
    'green': (46, 166, 72),
    'blue': (44, 98, 222),
    'purple': (142, 64, 190),
    'pink': (242, 122, 178),
    'white': (244, 244, 244),
}

PATTERNS = ('plain', 'stripes', 'checks', 'dots', 'clouds')

# What a caption says the object does, and the one-word answer to "how does it move?".
MOTION_PHRASES: Dict[str, str] = {
    'right': 'moves to the right',
    'left': 'moves to the left',
    'up': 'moves up',
    'down': 'moves down',
    'clockwise': 'turns clockwise',
    'counterclockwise': 'turns counterclockwise',
    'growing': 'grows',
    'shrinking': 'shrinks',
}


class ClipClass(NamedTuple):
    """One class of the 2 s clips: the cue that each modality gives when it tells."""

    name: str
    shape: str
    motion: str
    sound: str


CLIP_CLASSES: Tuple[ClipClass, ...] = (
    # Three pairs that differ only in motion: no single frame and no sound tells them apart.
    ClipClass('circle_right', 'circle', 'right', 'hum'),
    ClipClass('circle_left', 'circle', 'left', 'hum'),
    ClipClass('square_clockwise', 'square', 'clockwise', 'tick'),
    ClipClass('square_counterclockwise', 'square', 'counterclockwise', 'tick'),
    ClipClass('triangle_growing', 'triangle', 'growing', 'hiss'),
    ClipClass('triangle_shrinking', 'triangle', 'shrinking', 'hiss'),
    # One pair that differs only in sound: no picture, moving or still, tells them apart.
    ClipClass('star_whistling', 'star', 'up', 'whistle'),
    ClipClass('star_buzzing', 'star', 'up', 'buzz'),
    # One pair that differs only in appearance.
    ClipClass('ring_falling', 'ring', 'down', 'bell'),
    ClipClass('cross_falling', 'cross', 'down', 'bell'),
)
CLIP_SHAPES = tuple(dict.fromkeys(c.shape for c in CLIP_CLASSES))
CLIP_MOTIONS = tuple(dict.fromkeys(c.motion for c in CLIP_CLASSES))
CLIP_SOUNDS = tuple(dict.fromkeys(c.sound for c in CLIP_CLASSES))
# A horizontal flip of the picture turns one class into the other: augmentations must swap the label as well.
FLIP_PAIRS = (('circle_right', 'circle_left'), ('square_clockwise', 'square_counterclockwise'))


class EventCategory(NamedTuple):
    """One category of the 10 s events: seen as its shape, heard as its sound; either alone tells it."""

    name: str
    shape: str
    sound: str


EVENT_CATEGORIES: Tuple[EventCategory, ...] = (
    EventCategory('humming_circle', 'circle', 'hum'),
    EventCategory('ticking_square', 'square', 'tick'),
    EventCategory('hissing_triangle', 'triangle', 'hiss'),
    EventCategory('whistling_star', 'star', 'whistle'),
    EventCategory('ringing_ring', 'ring', 'bell'),
    EventCategory('buzzing_cross', 'cross', 'buzz'),
    EventCategory('wailing_diamond', 'diamond', 'siren'),
    EventCategory('chirping_heart', 'heart', 'chirp'),
)

SPLITS = ('train', 'val', 'test')
# For names of 11 characters, as YouTube's are: readers of AVVP lists take the first 11 of a file name.
SPLIT_CODES = {'train': 'trn', 'val': 'val', 'test': 'tst'}


def with_article(words: str) -> str:
    """ "an orange heart", "a red heart"."""
    return f'an {words}' if words[0] in 'aeio' else f'a {words}'
