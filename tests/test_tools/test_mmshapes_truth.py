"""MMShapes: what questions answer and what steps show, against a derivation of its own from the ground truth."""

import collections
import dataclasses
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools' / 'data'))

from mmshapes import backgrounds  # noqa: E402
from mmshapes.clip_specs import describe_clip  # noqa: E402
from mmshapes.clips import write_clip_lists  # noqa: E402
from mmshapes.event_lists import write_event_lists  # noqa: E402
from mmshapes.event_specs import EVENT_SIZE, STYLES, Event, EventSpec, describe_event  # noqa: E402
from mmshapes.events import render_events  # noqa: E402
from mmshapes.instruction_specs import ACTIONS, InstructionSpec, Step, Thing, describe_instruction  # noqa: E402
from mmshapes.instructions import INSTRUCTION_FPS, render_instruction, write_instruction_lists  # noqa: E402
from mmshapes.qa import write_questions  # noqa: E402
from mmshapes.questions import ask_about_clip, ask_about_events  # noqa: E402
from mmshapes.settings import Settings  # noqa: E402
from mmshapes.vocabulary import COLOURS, SPLITS  # noqa: E402

TINY = Settings(size='tiny')
CLEAN = Settings(size='tiny', difficulty=0.0)

# ---------------------------------------------------------------- questions


def thirds(second):
    """Where a second of ten lies."""
    return 'start' if second in (0, 1, 2, 3) else 'middle' if second in (4, 5, 6) else 'end'


def event_answers(record):
    """Question -> answer of a record of ``events/ground_truth``."""
    seen, heard = ([e for e in record['events'] if set(range(*e[sense]))] for sense in ('visible', 'audible'))
    answers = {
        'how many shapes move?': {0: 'none', 1: 'one', 2: 'two'}[len(seen)],
        'how many sounds are heard?': {0: 'none', 1: 'one', 2: 'two'}[len(heard)],
    }
    for e in seen:
        shape, colour = e['shape'], e['colour']
        answers[f'what color is the {shape}?'] = colour
        answers[f'what is the moving {colour} thing?'] = shape
        answers[f'who moves and is {colour}?'] = shape
        answers[f'how does the {shape} move?'] = e['style']
        answers[f'what is the {shape} doing?'] = e['style']
        answers[f'when does the {shape} appear?'] = thirds(min(range(*e['visible'])))
        answers[f'where is the {shape}?'] = e['side']
        answers[f'what moves on the {e["side"]}?'] = shape
        if set(range(*e['visible'])) & set(range(*e['audible'])):
            answers[f'what sound does the moving {colour} thing make?'] = e['sound']
    for e in heard:
        answers[f'when does the {e["sound"]} begin?'] = thirds(min(range(*e['audible'])))
    return answers


def clip_answers(record):
    """Question -> answer of a record of ``ground_truth``."""
    shape, motion, thing = record['shape'], record['motion'], f'the moving {record["colour"]} thing'
    answers = {
        f'what is {thing}?': shape,
        f'what shape has {thing}?': shape,
        f'who moves and is {record["colour"]}?': shape,
        f'who moves in front of the {record["pattern"]}?': shape,
        f'what color is the moving {shape}?': record['colour'],
        f'what is behind {thing}?': record['pattern'],
        f'what sound does {thing} make?': record['sound'],
        f'how does {thing} move?': motion,
        'how does it move?': motion,
    }
    first, last = {
        'right': ('on the left', 'on the right'),
        'left': ('on the right', 'on the left'),
        'up': ('at the bottom', 'at the top'),
        'down': ('at the top', 'at the bottom'),
        'growing': ('small', 'big'),
        'shrinking': ('big', 'small'),
    }.get(motion, (None, None))
    if first is not None:
        answers.update({f'when is {thing} {first}?': 'start', f'when is {thing} {last}?': 'end'})
    if motion in ('right', 'left', 'up', 'down'):
        answers[f'where does {thing} go?'] = motion
    return answers


@pytest.mark.parametrize(
    ('describe', 'ask', 'expected'),
    [(describe_event, ask_about_events, event_answers), (describe_clip, ask_about_clip, clip_answers)],
)
def test_every_answer_is_true(describe, ask, expected):
    answers = collections.Counter()
    for index in range(200):
        spec = describe(Settings(tell_rgb=0.5, tell_flow=0.5, tell_audio=0.5), 'val', index)
        asked = ask(spec)
        assert dict(asked) == expected(dataclasses.asdict(spec)), spec
        assert len(dict(asked)) == len(asked)  # no question twice
        answers.update(answer for _, answer in asked)
    assert min(answers[word] for word in ('start', 'end')) > 20
    if describe is describe_event:
        assert min(answers[word] for word in ('one', 'two', 'left', 'right', 'middle', *STYLES)) > 20


def test_the_files_ask_about_the_videos_that_they_name(tmp_path):
    for write in (write_clip_lists, write_event_lists, write_questions):
        write(tmp_path, TINY)
    truth = {}
    for split in SPLITS:
        for place, name, answers in (('', 'clips', clip_answers), ('events', 'events/videos', event_answers)):
            for line in (tmp_path / place / 'ground_truth' / f'{split}.jsonl').read_text().splitlines():
                record = json.loads(line)
                truth[f'{name}/{split}/{record["key"]}'] = answers(record)
    names = dict(reversed(line.split(' ')) for line in (tmp_path / 'qa' / 'mapping.txt').read_text().splitlines())
    assert sorted(names.values()) == sorted(truth)
    for split in SPLITS:
        for record in json.loads((tmp_path / 'qa' / f'{split}_qa.json').read_text()):
            assert record['answer'] == truth[names[f'vid{record["video_id"]}']][record['question']], record


# ---------------------------------------------------------------- pictures


def on_plain_ground(frame):
    """Pixels that are not of the ground's one colour, (H, W)."""
    return (np.abs(frame.astype(int) - frame[0, 0]) > 6).any(axis=-1)


def centre_and_area(mask):
    rows, columns = np.nonzero(mask)
    return columns.mean(), rows.mean(), len(rows)


def turned(before, after):
    """Degrees by which the object of a picture on plain ground has turned about its centre, clockwise as seen."""
    x, y, _ = centre_and_area(on_plain_ground(before))
    errors = {}
    for degrees in range(-32, 33, 4):
        matrix = cv2.getRotationMatrix2D((x, y), -degrees, 1)  # OpenCV counts anti-clockwise
        moved = cv2.warpAffine(before, matrix, before.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        errors[degrees] = np.abs(moved.astype(int) - after).sum()
    return min(errors, key=errors.get)


@pytest.mark.parametrize('side', ['left', 'right'])
@pytest.mark.parametrize('style', STYLES)
def test_an_event_is_seen_as_described(style, side):
    for index, colour in enumerate(COLOURS):
        event = Event('whistling_star', 'star', 'whistle', colour, side, style, visible=(0, 10), audible=(0, 10))
        spec = EventSpec(f'ev-trn-{index:04d}', 'train', index, 'plain', 0, (event,))
        frames = render_events(CLEAN, spec).frames[:40]
        x, y, area = np.transpose([centre_and_area(on_plain_ground(frame)) for frame in frames])
        assert ((x < EVENT_SIZE[0] / 2) == (side == 'left')).all()
        assert (np.ptp(x) > 15) == (style == 'swinging')
        assert (np.ptp(y) > 25) == (style == 'bouncing')
        assert (area.max() > 2 * area.min()) == (style == 'pulsing')
        if style == 'spinning':
            turns = [turned(*pair) for pair in zip(frames[:8], frames[1:8])]
            assert set(turns) in ({16}, {-16})  # 2.2 radians per second at 8 frames per second
        pixel = np.median(
            frames[0][cv2.erode(on_plain_ground(frames[0]).astype(np.uint8), np.ones((5, 5))) > 0], axis=0
        )
        distances = {name: np.abs(pixel / pixel.sum() - np.divide(c, sum(c))).sum() for name, c in COLOURS.items()}
        assert min(distances, key=distances.get) == colour


def test_small_shapes_of_a_video_have_other_shapes_than_its_events(monkeypatch):
    make_sprite, drawn = backgrounds.make_sprite, []
    monkeypatch.setattr(
        backgrounds, 'make_sprite', lambda shape, *rest: drawn.append(shape) or make_sprite(shape, *rest)
    )
    hard, seen = Settings(difficulty=3.0), collections.Counter()
    for index in range(24):
        spec = describe_event(hard, 'train', index)
        drawn.clear()
        render_events(hard, spec)
        assert len(drawn) == spec.num_distractors
        assert not {event.shape for event in spec.events} & set(drawn)
        seen.update(drawn)
    assert set(seen) == {'circle', 'square', 'triangle', 'star', 'cross'}


# ---------------------------------------------------------------- steps of the instructions


THINGS = (
    Thing('red', 'star', 'whistle'),
    Thing('blue', 'square', 'tick'),
    Thing('green', 'triangle', 'hiss'),
    Thing('yellow', 'star', 'whistle'),
)
FIRST, LENGTH = 4, 5


@pytest.fixture(scope='module')
def acted():
    """Action -> the pictures of the quarter in which it is done: one before the step, those of the step, one after."""
    steps = [Step(i % 4, action, FIRST + 7 * i, FIRST + 7 * i + LENGTH) for i, action in enumerate(ACTIONS)]
    spec = InstructionSpec('in-trn-0000', 'train', 0, 'plain', THINGS, tuple(steps), seconds=FIRST + 7 * len(steps))
    frames, wave = render_instruction(CLEAN, spec)
    pictures = {}
    for step in steps:
        rows, columns = (
            slice(24) if step.thing < 2 else slice(24, 48),
            slice(32) if step.thing % 2 == 0 else slice(32, 64),
        )
        within = frames[step.start * INSTRUCTION_FPS - 1 : step.end * INSTRUCTION_FPS + 1]
        pictures[step.action] = [np.ascontiguousarray(frame[rows, columns]) for frame in within]
    return pictures, steps, wave


def measured(pictures):
    """x, y and area of the object in each picture of a step."""
    return np.transpose([centre_and_area(on_plain_ground(picture)) for picture in pictures[1:-1]])


@pytest.mark.parametrize('action', ACTIONS)
def test_before_and_after_a_step_the_object_rests(acted, action):
    before, *within, after = acted[0][action]
    np.testing.assert_array_equal(before, after)
    assert len(within) == LENGTH * INSTRUCTION_FPS
    assert any((picture != before).any() for picture in within)


@pytest.mark.parametrize(('action', 'sign'), [('clockwise', 1), ('counterclockwise', -1)])
def test_a_step_turns_the_object_the_way_it_is_called(acted, action, sign):
    _, *within, _ = acted[0][action]
    turns = [turned(*pair) for pair in zip(within, within[1:])]
    assert set(turns) <= {sign * 20, sign * 24}  # 1.5 radians per second at 4 pictures per second: 21.5 degrees


def test_growing_and_shrinking(acted):
    _, _, larger = measured(acted[0]['growing'])
    _, _, smaller = measured(acted[0]['shrinking'])
    assert (np.diff(larger) >= 0).all()
    assert (np.diff(smaller) <= 0).all()
    assert larger[-1] > 2 * larger[0]  # 1.7 times the radius
    assert smaller[-1] < 0.25 * smaller[0]  # 0.3 times


def test_lifting_goes_up_and_stays_there(acted):
    x, y, _ = measured(acted[0]['lifting'])
    assert np.ptp(x) < 1
    assert (np.diff(y) <= 0.2).all()
    np.testing.assert_allclose(y[LENGTH * INSTRUCTION_FPS // 2 :] - y[0], -8, atol=1)


def test_shaking_goes_to_both_sides(acted):
    x, y, _ = measured(acted[0]['shaking'])
    assert np.ptp(y) < 1
    assert (x.max() - x[0], x[0] - x.min()) == pytest.approx((5, 5), abs=1)
    assert (np.diff(np.sign(x - x[0])[1:]) != 0).sum() >= 4


def test_blinking_is_off_and_on(acted):
    shown = [bool(on_plain_ground(picture).any()) for picture in acted[0]['blinking'][1:-1]]
    assert shown == [int(time / INSTRUCTION_FPS / 0.7) % 2 == 0 for time in range(len(shown))]


def test_a_step_is_heard_while_it_lasts(acted):
    _, steps, wave = acted
    level = np.sqrt((wave.reshape(-1, 16000) ** 2).mean(axis=1))
    for second, loudness in enumerate(level):
        assert (loudness > 0.02) == any(step.start <= second < step.end for step in steps)


# Action -> words one of which each of its phrases has, and no phrase of another action.
WORDS = {
    'clockwise': {'clockwise', 'right'},
    'counterclockwise': {'counterclockwise', 'left'},
    'growing': {'bigger', 'grow', 'enlarge'},
    'shrinking': {'smaller', 'shrink'},
    'shaking': {'shake', 'wiggle'},
    'lifting': {'lift', 'raise'},
    'blinking': {'blink', 'flash'},
}


def named_actions(text):
    words = set(text.rstrip('?').split())
    return {action for action, names in WORDS.items() if words & names}


def test_questions_and_subtitles_name_the_action_of_their_step(tmp_path):
    settings = Settings(size='quick')
    write_instruction_lists(tmp_path, settings)
    folder = tmp_path / 'instructions'
    subtitles = json.loads((folder / 'subtitles.json').read_text())
    asked = collections.Counter()
    for split in SPLITS:
        for sample in json.loads((folder / f'{split}.json').read_text()):
            start, end = sample['answer_start_second'], sample['answer_end_second']
            spec = describe_instruction(settings, split, int(sample['video_id'][-4:]))
            (step,) = (step for step in spec.steps if (step.start, step.end) == (start, end))
            assert named_actions(sample['question']) == {step.action}
            said = [line['text'] for line in subtitles[sample['video_id']] if start <= line['start'] < end]
            assert named_actions(said[0]) == {step.action}
            asked[step.action] += 1
    assert min(asked[action] for action in ACTIONS) > 3
