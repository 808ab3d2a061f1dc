"""Timed subtitles of the instruction videos."""

from typing import List, NamedTuple

import numpy as np

from .instruction_specs import ACTIONS, InstructionSpec, Step
from .settings import Settings
from .vocabulary import with_article

_TEXT = 2
_OPENERS = ('now', 'next', 'then', 'after that', 'ok')
_FILLERS = ('very good', 'like this', 'that looks right', 'take your time', 'just like that')


class Line(NamedTuple):
    """One subtitle, in seconds."""

    text: str
    start: float
    duration: float


def make_subtitles(settings: Settings, spec: InstructionSpec) -> List[Line]:
    """What is said, in time order.

    As in captions made by a machine, a line may stay after the next has begun; none stays after the end of the video.
    """
    rng = settings.rng('instructions', spec.split, spec.index, _TEXT)
    names = [with_article(thing.words) for thing in spec.things]
    lines = [
        ('hello and welcome to my channel', 0.2 + rng.uniform(0, 0.3), 2.0),
        (f'today we have {", ".join(names[:-1])} and {names[-1]}', 1.8 + rng.uniform(0, 0.3), 2.2),
    ]
    for number, step in enumerate(spec.steps):
        opener = 'first' if number == 0 else str(rng.choice(_OPENERS))
        lines += _step_lines(spec, step, opener, rng)
    lines.append(('that is all thanks for watching', spec.seconds - 1.8 + rng.uniform(0, 0.2), 1.6))
    # Overlaps of up to a second with the next line, in about half of the lines.
    longer = rng.choice([0.0, 1.0], len(lines)) * rng.uniform(0.3, 1.0, len(lines))
    timed = []
    for (text, start, duration), extra in zip(lines, longer):
        start = round(float(start), 2)
        timed.append(Line(text, start, round(min(float(duration + extra), spec.seconds - start), 2)))
    return timed


def _step_lines(spec: InstructionSpec, step: Step, opener: str, rng: np.random.Generator) -> List[tuple]:
    action, length = ACTIONS[step.action], step.end - step.start
    said = str(rng.choice(action.said)).format(it=spec.things[step.thing].words)
    third = length / 3
    starts = step.start + third * (rng.uniform(0.02, 0.2, 3) + [0, 1, 2])
    texts = (f'{opener} {said}', action.carried_on, str(rng.choice(_FILLERS)))
    return [(text, start, 0.75 * third) for text, start in zip(texts, starts)]


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60000)
    return f'{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d},{rest % 1000:03d}'


def to_srt(lines: List[Line]) -> str:
    """Subtitles as a SubRip file."""
    blocks = []
    for number, line in enumerate(lines, start=1):
        times = f'{_clock(line.start)} --> {_clock(line.start + line.duration)}'
        blocks.append(f'{number}\n{times}\n{line.text}\n')
    return '\n'.join(blocks)
