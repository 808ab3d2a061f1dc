"""What is seen and heard in each second of a 10 s video, decided without drawing it."""

import dataclasses
from typing import List, Tuple

import numpy as np

from .settings import Settings
from .vocabulary import COLOURS, EVENT_CATEGORIES, PATTERNS, SPLIT_CODES, EventCategory

EVENT_SECONDS = 10
EVENT_FPS = 8
EVENT_SIZE = (112, 84)
SIDES = ('left', 'right')
# How an object moves while it is seen: says nothing about its category.
STYLES = ('bouncing', 'swinging', 'spinning', 'pulsing')
# Chances of a second event, and of the main event being seen and heard in the very same seconds.
_SECOND_EVENT, _IN_STEP = 0.4, 0.3

Interval = Tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Event:
    """An object and its sound, in whole seconds, end exclusive; an empty interval (0, 0) means never."""

    category: str
    shape: str
    sound: str
    colour: str
    side: str
    style: str
    visible: Interval
    audible: Interval

    @property
    def both(self) -> Interval:
        """Seconds in which the event is seen and heard; (0, 0) when there is none."""
        start, end = max(self.visible[0], self.audible[0]), min(self.visible[1], self.audible[1])
        return (start, end) if start < end else (0, 0)


@dataclasses.dataclass(frozen=True)
class EventSpec:
    """Ground truth of a 10 s video; the first event is the main one, seen and heard at once for 2 s or more."""

    key: str
    split: str
    index: int
    pattern: str
    num_distractors: int
    events: Tuple[Event, ...]


def _main_intervals(rng: np.random.Generator) -> Tuple[Interval, Interval]:
    length = int(rng.integers(2, 9))
    start = int(rng.integers(0, EVENT_SECONDS - length + 1))
    if rng.uniform() < _IN_STEP:
        return (start, start + length), (start, start + length)
    before, after = rng.integers(0, 4, 2), rng.integers(0, 4, 2)
    # Each end is moved for the eye or for the ear, so that both can be first.
    ends = [[start, start + length], [start, start + length]]
    ends[rng.integers(2)][0] -= int(before[0])
    ends[rng.integers(2)][1] += int(after[0])
    seen, heard = ((max(first, 0), min(last, EVENT_SECONDS)) for first, last in ends)
    return seen, heard


def _random_interval(rng: np.random.Generator) -> Interval:
    length = int(rng.integers(2, 8))
    start = int(rng.integers(0, EVENT_SECONDS - length + 1))
    return start, start + length


def _second_intervals(rng: np.random.Generator) -> Tuple[Interval, Interval]:
    """Seen only, heard only, or both in seconds of their own."""
    seen, heard, kind = _random_interval(rng), _random_interval(rng), rng.integers(3)
    return ((0, 0) if kind == 1 else seen), ((0, 0) if kind == 0 else heard)


def describe_event(settings: Settings, split: str, index: int) -> EventSpec:
    """Decide what is in event video ``index`` of a split; the main events' categories take turns."""
    rng = settings.rng('events', split, index)
    main = index % len(EVENT_CATEGORIES)
    other = (main + int(rng.integers(1, len(EVENT_CATEGORIES)))) % len(EVENT_CATEGORIES)
    colours = [str(colour) for colour in rng.choice(list(COLOURS), 2, replace=False)]
    styles = [str(style) for style in rng.choice(STYLES, 2)]
    pattern = str(rng.choice(PATTERNS))
    num_distractors = int(np.round(settings.difficulty * rng.uniform(0, 2.5)))
    main_side = int(rng.integers(2))
    intervals = [_main_intervals(rng), _second_intervals(rng)]
    num_events = 2 if rng.uniform() < _SECOND_EVENT else 1
    events: List[Event] = []
    for number, position in enumerate((main, other)[:num_events]):
        category: EventCategory = EVENT_CATEGORIES[position]
        seen, heard = intervals[number]
        events.append(
            Event(
                category=category.name,
                shape=category.shape,
                sound=category.sound,
                colour=colours[number],
                side=SIDES[(main_side + number) % 2],
                style=styles[number],
                visible=seen,
                audible=heard,
            )
        )
    return EventSpec(
        key=f'ev-{SPLIT_CODES[split]}-{index:04d}',
        split=split,
        index=index,
        pattern=pattern if settings.difficulty > 0 else 'plain',
        num_distractors=num_distractors,
        events=tuple(events),
    )
