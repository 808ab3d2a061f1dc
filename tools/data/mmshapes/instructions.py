"""Instruction videos: mp4, subtitles, questions with answer spans in MedVidQA's layout."""

import json
from pathlib import Path
from typing import List, Tuple

import numpy as np

from mmmutual.utils.whole_output import write_text

from .backgrounds import camera_path, make_ground, view_ground
from .drawing import Pose, make_sprite, place_sprite
from .instruction_specs import ACTIONS, InstructionSpec, Step, describe_instruction
from .media import write_video
from .scene import add_noise, draw_over
from .settings import Settings
from .sounds import SAMPLE_RATE, gate, make_sound, room_noise
from .subtitles import make_subtitles, to_srt
from .vocabulary import COLOURS, SPLITS

# So coarse that a video of a minute is drawn in a blink.
INSTRUCTION_FPS = 4
INSTRUCTION_SIZE = (64, 48)
_HOMES = ((16, 13), (48, 13), (16, 35), (48, 35))
_RADIUS = 8.5
# Number 2 is the text's, see subtitles.py.
_PICTURE, _SOUND, _QUESTIONS = 1, 3, 4


def _acted_on(pose: Pose, step: Step, time: float) -> Pose:
    """The pose of an object at a time within a step that is about it."""
    passed = time - step.start
    done = passed / (step.end - step.start)
    if step.action in ('clockwise', 'counterclockwise'):
        return pose._replace(angle=pose.angle + (1.5 if step.action == 'clockwise' else -1.5) * passed)
    if step.action == 'growing':
        return pose._replace(radius=pose.radius * (1 + 0.7 * done))
    if step.action == 'shrinking':
        return pose._replace(radius=pose.radius * (1 - 0.7 * done))
    if step.action == 'shaking':
        return pose._replace(x=pose.x + 5 * np.sin(2 * np.pi * 0.9 * passed))
    if step.action == 'lifting':
        return pose._replace(y=pose.y - 8 * min(2 * done, 1))
    return pose


def _is_dark(passed: float) -> bool:
    """Off every other 0.7 s: a rhythm that pictures taken once per second do not miss."""
    return int(passed / 0.7) % 2 == 1


def render_instruction(settings: Settings, spec: InstructionSpec) -> Tuple[List[np.ndarray], np.ndarray]:
    """Draw and sound an instruction video; the object of a step makes its sound while the step lasts.

    Returns:
        Frames uint8 RGB (H, W, 3) each, and the waveform (num_samples,).
    """
    hardness = settings.difficulty
    rng = settings.rng('instructions', spec.split, spec.index, _PICTURE)
    num_frames = spec.seconds * INSTRUCTION_FPS
    ground = make_ground(spec.pattern, INSTRUCTION_SIZE, 0.5 * hardness, 0, rng)
    camera = camera_path(num_frames, 0.0, 0.3 * hardness, rng)
    sprites = [make_sprite(thing.shape, COLOURS[thing.colour], rng) for thing in spec.things]
    frames = []
    for number, offset in enumerate(camera):
        time = number / INSTRUCTION_FPS
        active = {step.thing: step for step in spec.steps if step.start <= time < step.end}
        layers = []
        for thing, (sprite, home) in enumerate(zip(sprites, _HOMES)):
            pose = Pose(home[0] + offset[0], home[1] + offset[1], _RADIUS, 0.0)
            if thing in active:
                pose = _acted_on(pose, active[thing], time)
                if active[thing].action == 'blinking' and _is_dark(time - active[thing].start):
                    continue
            layers.append(place_sprite(sprite, pose, INSTRUCTION_SIZE))
        frames.append(add_noise(draw_over(view_ground(ground, offset), layers), 2.0 * hardness, rng))
    rng = settings.rng('instructions', spec.split, spec.index, _SOUND)
    wave = room_noise(spec.seconds, 0.004 * hardness, rng)
    for step in spec.steps:
        sound = make_sound(spec.things[step.thing].sound, step.end - step.start, rng)
        wave[step.start * SAMPLE_RATE : step.end * SAMPLE_RATE] += sound * gate(len(sound), 0, step.end - step.start)
    return frames, np.clip(wave, -1, 1)


def write_instruction(root: Path, settings: Settings, split: str, index: int) -> None:
    """Write the video and the srt file of an instruction video, unless they are there."""
    spec = describe_instruction(settings, split, index)
    video = root / 'instructions' / 'videos' / split / f'{spec.key}.mp4'
    subtitles = root / 'instructions' / 'srt' / split / f'{spec.key}.srt'
    if not video.exists():
        frames, wave = render_instruction(settings, spec)
        write_video(video, frames, INSTRUCTION_FPS, wave)
    if not subtitles.exists():
        write_text(subtitles, to_srt(make_subtitles(settings, spec)))


def _minutes(seconds: int) -> str:
    return f'{seconds // 60:02d}:{seconds % 60:02d}'


def _questions(settings: Settings, spec: InstructionSpec) -> List[dict]:
    rng = settings.rng('instructions', spec.split, spec.index, _QUESTIONS)
    asked = []
    for step in spec.steps:
        question = str(rng.choice(ACTIONS[step.action].asked)).format(it=spec.things[step.thing].words)
        asked.append(
            {
                'question': question,
                'answer_start': _minutes(step.start),
                'answer_end': _minutes(step.end),
                'answer_start_second': step.start,
                'answer_end_second': step.end,
                'video_length': spec.seconds,
                'video_id': spec.key,
                'video_url': f'instructions/videos/{spec.split}/{spec.key}.mp4',
            }
        )
    return asked


def write_instruction_lists(root: Path, settings: Settings) -> None:
    """Write ``instructions/{train,val,test}.json`` and all subtitles as ``instructions/subtitles.json``."""
    folder = root / 'instructions'
    sample_id, subtitles = 0, {}
    for split in SPLITS:
        samples = []
        for index in range(settings.count('instructions', split)):
            spec = describe_instruction(settings, split, index)
            subtitles[spec.key] = [line._asdict() for line in make_subtitles(settings, spec)]
            for question in _questions(settings, spec):
                sample_id += 1
                samples.append({'sample_id': sample_id, **question})
        write_text(folder / f'{split}.json', json.dumps(samples, indent=4))
    write_text(folder / 'subtitles.json', json.dumps(subtitles))
