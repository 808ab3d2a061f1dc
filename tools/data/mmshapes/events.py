"""10 s videos with events second by second: mp4 with sound, wav, a picture and a mask per second."""

from pathlib import Path
from typing import List, NamedTuple

import numpy as np

from .backgrounds import camera_path, make_ground, view_ground
from .drawing import Pose, make_sprite, place_sprite
from .event_specs import EVENT_FPS, EVENT_SECONDS, EVENT_SIZE, Event, EventSpec, describe_event
from .media import write_png, write_video, write_wav
from .scene import add_noise, draw_over, to_mask
from .settings import Settings
from .sounds import SAMPLE_RATE, gate, make_sound, room_noise
from .vocabulary import COLOURS

_PICTURE, _SOUND = 1, 2


class RenderedEvents(NamedTuple):
    """Frames uint8 RGB (H, W, 3), waveform (num_samples,), and per second the mask of what is seen and sounds."""

    frames: List[np.ndarray]
    wave: np.ndarray
    masks: List[np.ndarray]


def _path(event: Event, times: np.ndarray, rng: np.random.Generator) -> List[Pose]:
    width, height = EVENT_SIZE
    centre = width * (0.25 if event.side == 'left' else 0.75)
    phase, rate = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 0.7)
    wave = np.sin(2 * np.pi * rate * times + phase)
    x = np.full(len(times), centre + rng.uniform(-3, 3))
    y = np.full(len(times), height / 2 + rng.uniform(-8, 8))
    radius = np.full(len(times), rng.uniform(14, 18))
    angle = np.full(len(times), rng.uniform(-0.3, 0.3))
    if event.style == 'bouncing':
        y = y + 16 * wave
    elif event.style == 'swinging':
        x = x + 10 * wave
    elif event.style == 'spinning':
        angle = angle + rng.choice([-1, 1]) * 2.2 * times
    else:
        radius = radius * (1 + 0.3 * wave)
    return [Pose(*values) for values in zip(x, y, radius, angle)]


def render_events(settings: Settings, spec: EventSpec) -> RenderedEvents:
    """Draw and sound an event video."""
    hardness = settings.difficulty
    rng = settings.rng('events', spec.split, spec.index, _PICTURE)
    num_frames = EVENT_SECONDS * EVENT_FPS
    times = np.arange(num_frames) / EVENT_FPS
    # Else a video would show "the star" that it is asked about twice, or one that it is said not to show.
    shapes = [event.shape for event in spec.events]
    ground = make_ground(spec.pattern, EVENT_SIZE, hardness, spec.num_distractors, rng, avoid=shapes)
    camera = camera_path(num_frames, 0.05 * hardness, 0.5 * hardness, rng)
    objects = []
    for event in spec.events:
        tint = np.asarray(COLOURS[event.colour]) + hardness * rng.uniform(-18, 18, 3)
        objects.append((event, make_sprite(event.shape, tint, rng), _path(event, times, rng)))
    frames, masks = [], []
    for number, offset in enumerate(camera):
        second = number // EVENT_FPS
        layers, sounding = [], np.zeros(EVENT_SIZE[::-1], np.float32)
        for event, sprite, path in objects:
            if event.visible[0] <= second < event.visible[1]:
                pose = path[number]
                layer = place_sprite(sprite, pose._replace(x=pose.x + offset[0], y=pose.y + offset[1]), EVENT_SIZE)
                layers.append(layer)
                if event.audible[0] <= second < event.audible[1]:
                    sounding = np.maximum(sounding, layer[..., 3])
        frames.append(add_noise(draw_over(view_ground(ground, offset), layers), 2.5 * hardness, rng))
        if number % EVENT_FPS == EVENT_FPS // 2:
            masks.append(to_mask(sounding))
    return RenderedEvents(frames, _sound_track(settings, spec), masks)


def _sound_track(settings: Settings, spec: EventSpec) -> np.ndarray:
    rng = settings.rng('events', spec.split, spec.index, _SOUND)
    wave = room_noise(EVENT_SECONDS, 0.004 * settings.difficulty, rng)
    for event in spec.events:
        sound = make_sound(event.sound, EVENT_SECONDS, rng)
        wave = wave + sound * gate(EVENT_SECONDS * SAMPLE_RATE, *event.audible)
    return np.clip(wave, -1, 1)


def write_event(root: Path, settings: Settings, split: str, index: int) -> None:
    """Write all files of an event video that are not there yet."""
    spec = describe_event(settings, split, index)
    folder = root / 'events'
    video = folder / 'videos' / split / f'{spec.key}.mp4'
    sound = folder / 'wav' / split / f'{spec.key}.wav'
    # AVSBench's layout: one folder per split, category and video, numbered from 1.
    place = Path(split) / spec.events[0].category / spec.key
    names = [place / f'{spec.key}_{second + 1}.png' for second in range(EVENT_SECONDS)]
    pictures, masks = ([folder / kind / name for name in names] for kind in ('visual_frames', 'gt_masks'))
    if all(path.exists() for path in (video, sound, *pictures, *masks)):
        return
    rendered = render_events(settings, spec)
    write_video(video, rendered.frames, EVENT_FPS, rendered.wave)
    write_wav(sound, rendered.wave)
    for second in range(EVENT_SECONDS):
        write_png(pictures[second], rendered.frames[second * EVENT_FPS + EVENT_FPS // 2])
        write_png(masks[second], rendered.masks[second])
