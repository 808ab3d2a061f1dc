"""Plans of the instruction videos: which objects lie there, and what is done to them when."""

import dataclasses
from typing import Dict, NamedTuple, Tuple

from .settings import Settings
from .vocabulary import COLOURS, EVENT_CATEGORIES, PATTERNS, SPLIT_CODES

NUM_OBJECTS = 4


class Action(NamedTuple):
    """How a step is announced, carried on and asked for; ``{it}`` is the object, e.g. "red square"."""

    said: Tuple[str, ...]
    carried_on: str
    asked: Tuple[str, ...]


ACTIONS: Dict[str, Action] = {
    'clockwise': Action(
        ('turn the {it} clockwise', 'rotate the {it} to the right'),
        'keep turning it slowly',
        ('How to turn the {it} clockwise?', 'How do I rotate the {it} to the right?'),
    ),
    'counterclockwise': Action(
        ('turn the {it} counterclockwise', 'rotate the {it} to the left'),
        'keep turning it gently',
        ('How to turn the {it} counterclockwise?', 'How do I rotate the {it} to the left?'),
    ),
    'growing': Action(
        ('make the {it} bigger', 'let the {it} grow'),
        'it gets larger and larger',
        ('How to make the {it} bigger?', 'How do I enlarge the {it}?'),
    ),
    'shrinking': Action(
        ('make the {it} smaller', 'let the {it} shrink'),
        'it gets tiny now',
        ('How to make the {it} smaller?', 'How do I shrink the {it}?'),
    ),
    'shaking': Action(
        ('shake the {it} from side to side', 'wiggle the {it}'),
        'shake it some more',
        ('How to shake the {it}?', 'How do I wiggle the {it} from side to side?'),
    ),
    'lifting': Action(
        ('lift the {it} up', 'raise the {it}'),
        'hold it up there',
        ('How to lift the {it}?', 'How do I raise the {it}?'),
    ),
    'blinking': Action(
        ('make the {it} blink', 'let the {it} flash'),
        'it goes on and off again',
        ('How to make the {it} blink?', 'How do I let the {it} flash?'),
    ),
}


class Thing(NamedTuple):
    """An object on the table."""

    colour: str
    shape: str
    sound: str

    @property
    def words(self) -> str:
        """What a speaker calls it."""
        return f'{self.colour} {self.shape}'


class Step(NamedTuple):
    """What is done to object ``thing`` in the seconds from start to end (whole numbers, end exclusive)."""

    thing: int
    action: str
    start: int
    end: int


@dataclasses.dataclass(frozen=True)
class InstructionSpec:
    """Ground truth of an instruction video."""

    key: str
    split: str
    index: int
    pattern: str
    things: Tuple[Thing, ...]
    steps: Tuple[Step, ...]
    seconds: int


def describe_instruction(settings: Settings, split: str, index: int) -> InstructionSpec:
    """Decide what happens in instruction video ``index`` of a split; 30 to 60 seconds, 4 or 5 steps."""
    rng = settings.rng('instructions', split, index)
    categories = [EVENT_CATEGORIES[i] for i in rng.choice(len(EVENT_CATEGORIES), NUM_OBJECTS, replace=False)]
    # The last object has the first one's shape in another colour: the shape alone does not say which is meant.
    categories[-1] = categories[0]
    colours = rng.choice(list(COLOURS), NUM_OBJECTS, replace=False)
    things = tuple(Thing(str(colour), c.shape, c.sound) for colour, c in zip(colours, categories))
    pairs = [(thing, action) for thing in range(NUM_OBJECTS) for action in ACTIONS]
    num_steps = int(rng.integers(4, 6))
    steps, clock = [], int(rng.integers(4, 7))
    for chosen in rng.choice(len(pairs), num_steps, replace=False):
        thing, action = pairs[chosen]
        end = clock + int(rng.integers(5, 9))
        steps.append(Step(thing, action, clock, end))
        clock = end + int(rng.integers(1, 3))
    return InstructionSpec(
        key=f'in-{SPLIT_CODES[split]}-{index:04d}',
        split=split,
        index=index,
        pattern=str(rng.choice(PATTERNS)) if settings.difficulty > 0 else 'plain',
        things=things,
        steps=tuple(steps),
        seconds=clock + int(rng.integers(2, 4)),
    )
