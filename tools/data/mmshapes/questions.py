"""Questions with one-word answers about a clip or an event video, as MSVD-QA words them."""

from typing import List, Tuple

from .clip_specs import ClipSpec
from .event_specs import EVENT_SECONDS, EventSpec, Interval
from .vocabulary import SOUND_VERBS

Question = Tuple[str, str]

# Motion -> what is asked about its time, and the answer: the order of the frames decides.
_WHEN = {
    'right': (('when is the {shape} on the left?', 'start'), ('when is the {shape} on the right?', 'end')),
    'left': (('when is the {shape} on the left?', 'end'), ('when is the {shape} on the right?', 'start')),
    'up': (('when is the {shape} at the top?', 'end'), ('when is the {shape} at the bottom?', 'start')),
    'down': (('when is the {shape} at the top?', 'start'), ('when is the {shape} at the bottom?', 'end')),
    'growing': (('when is the {shape} small?', 'start'), ('when is the {shape} big?', 'end')),
    'shrinking': (('when is the {shape} small?', 'end'), ('when is the {shape} big?', 'start')),
    'clockwise': (),
    'counterclockwise': (),
}


def ask_about_clip(spec: ClipSpec) -> List[Question]:
    """All questions about a 2 s clip: (question, answer) each."""
    shape, colour, verb = spec.shape, spec.colour, SOUND_VERBS[spec.sound]
    asked = [
        (f'what is the {colour} thing?', shape),
        (f'what color is the {shape}?', colour),
        (f'what is behind the {shape}?', spec.pattern),
        (f'what sound does the {shape} make?', spec.sound),
        (f'who {verb}?', shape),
        (f'how does the {shape} move?', spec.motion),
        (f'how is the {colour} thing moving?', spec.motion),
    ]
    if spec.motion in ('right', 'left', 'up', 'down'):
        asked.append((f'where does the {shape} go?', spec.motion))
        asked.append((f'where is the {colour} {shape} moving to?', spec.motion))
    return asked + [(question.format(shape=shape), answer) for question, answer in _WHEN[spec.motion]]


def _part_of_video(second: int) -> str:
    return ('start', 'middle', 'end')[min(3 * second // EVENT_SECONDS, 2)]


def _seen(interval: Interval) -> bool:
    return interval[0] < interval[1]


def ask_about_events(spec: EventSpec) -> List[Question]:
    """All questions about a 10 s video: (question, answer) each."""
    numbers = ('none', 'one', 'two')
    asked = [
        ('how many shapes appear?', numbers[sum(_seen(event.visible) for event in spec.events)]),
        ('how many sounds are heard?', numbers[sum(_seen(event.audible) for event in spec.events)]),
    ]
    for event in spec.events:
        if _seen(event.visible):
            asked += [
                (f'what color is the {event.shape}?', event.colour),
                (f'what is the {event.colour} thing?', event.shape),
                (f'what is on the {event.side}?', event.shape),
                (f'where is the {event.shape}?', event.side),
                (f'how does the {event.shape} move?', event.style),
                (f'what is the {event.shape} doing?', event.style),
                (f'when does the {event.shape} appear?', _part_of_video(event.visible[0])),
            ]
        if _seen(event.audible):
            asked.append((f'when does the {event.sound} begin?', _part_of_video(event.audible[0])))
        if _seen(event.both):
            asked.append((f'who {SOUND_VERBS[event.sound]}?', event.shape))
            asked.append((f'what sound does the {event.shape} make?', event.sound))
    return asked
