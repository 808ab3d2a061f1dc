"""Questions with one-word answers about a clip or an event video, as MSVD-QA words them.

They are about what moves. Small shapes of any colour lie still on the ground, so a question says "moves" or "moving"
wherever its words would fit one of them as well: numbers, colours, places, and in clips shapes. In an event video no
small shape has the shape of an event (events.py), there "the star" is the one that moves.
"""

from typing import List, Tuple

from .clip_specs import ClipSpec
from .event_specs import EVENT_SECONDS, EventSpec, Interval

Question = Tuple[str, str]

# Motion -> what is asked about its time, and the answer: the order of the frames decides.
_WHEN = {
    'right': (('when is it on the left?', 'start'), ('when is it on the right?', 'end')),
    'left': (('when is it on the left?', 'end'), ('when is it on the right?', 'start')),
    'up': (('when is it at the top?', 'end'), ('when is it at the bottom?', 'start')),
    'down': (('when is it at the top?', 'start'), ('when is it at the bottom?', 'end')),
    'growing': (('when is it small?', 'start'), ('when is it big?', 'end')),
    'shrinking': (('when is it small?', 'end'), ('when is it big?', 'start')),
    'clockwise': (),
    'counterclockwise': (),
}


def ask_about_clip(spec: ClipSpec) -> List[Question]:
    """All questions about a 2 s clip: (question, answer) each.

    They call the object by its colour, which is drawn freely, because shape, motion and sound of a class go together:
    "who hums?" would be answered without a look at the clip.
    """
    thing = f'the moving {spec.colour} thing'
    asked = [
        (f'what is {thing}?', spec.shape),
        (f'what shape has {thing}?', spec.shape),
        (f'who moves and is {spec.colour}?', spec.shape),
        (f'who moves in front of the {spec.pattern}?', spec.shape),
        (f'what color is the moving {spec.shape}?', spec.colour),
        (f'what is behind {thing}?', spec.pattern),
        (f'what sound does {thing} make?', spec.sound),
        (f'how does {thing} move?', spec.motion),
        ('how does it move?', spec.motion),
    ]
    if spec.motion in ('right', 'left', 'up', 'down'):
        asked.append((f'where does {thing} go?', spec.motion))
    return asked + [(question.replace(' it ', f' {thing} '), answer) for question, answer in _WHEN[spec.motion]]


def _part_of_video(second: int) -> str:
    return ('start', 'middle', 'end')[3 * second // EVENT_SECONDS]


def _seen(interval: Interval) -> bool:
    return interval[0] < interval[1]


def ask_about_events(spec: EventSpec) -> List[Question]:
    """All questions about a 10 s video: (question, answer) each."""
    numbers = ('none', 'one', 'two')
    asked = [
        ('how many shapes move?', numbers[sum(_seen(event.visible) for event in spec.events)]),
        ('how many sounds are heard?', numbers[sum(_seen(event.audible) for event in spec.events)]),
    ]
    for event in spec.events:
        if _seen(event.visible):
            asked += [
                (f'what color is the {event.shape}?', event.colour),
                (f'what is the moving {event.colour} thing?', event.shape),
                (f'what moves on the {event.side}?', event.shape),
                (f'who moves and is {event.colour}?', event.shape),
                (f'where is the {event.shape}?', event.side),
                (f'how does the {event.shape} move?', event.style),
                (f'what is the {event.shape} doing?', event.style),
                (f'when does the {event.shape} appear?', _part_of_video(event.visible[0])),
            ]
        if _seen(event.audible):
            asked.append((f'when does the {event.sound} begin?', _part_of_video(event.audible[0])))
        if _seen(event.both):
            asked.append((f'what sound does the moving {event.colour} thing make?', event.sound))
    return asked
