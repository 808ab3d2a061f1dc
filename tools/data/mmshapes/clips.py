"""2 s clips for classification: mp4 with sound, wav, optical flow and masks of the sounding object."""

import dataclasses
import shutil
from pathlib import Path
from typing import List, NamedTuple

import numpy as np

from mmmutual.utils.optical_flow import save_flow

from .backgrounds import camera_path, make_ground, view_ground
from .clip_specs import (
    CLIP_FPS,
    CLIP_FRAMES,
    CLIP_SECONDS,
    ClipSpec,
    caption,
    describe_clip,
    source_index,
)
from .drawing import make_sprite, place_sprite
from .media import read_video, write_json_lines, write_lines, write_png, write_video, write_wav
from .motions import make_path
from .scene import add_noise, draw_over, to_mask
from .settings import Settings
from .sounds import SAMPLE_RATE, make_sound, room_noise
from .vocabulary import CLIP_CLASSES, COLOURS, SPLITS

# Objects here move at most about 4 pixels per frame; the usual bound of 20 is meant for pictures three times as large.
FLOW_BOUND = 8.0
# Numbers of the random streams of a clip (0 decides what is in it, see clip_specs).
_PATH, _PICTURE, _SOUND = 1, 2, 3


class RenderedClip(NamedTuple):
    """T frames uint8 RGB (H, W, 3), T coverages float32 (H, W), waveform (num_samples,)."""

    frames: List[np.ndarray]
    coverages: List[np.ndarray]
    wave: np.ndarray


def render_clip(settings: Settings, spec: ClipSpec) -> RenderedClip:
    """Draw and sound a clip."""
    hardness = settings.difficulty
    source_rng = settings.rng('sources', spec.split, source_index(spec.index), _PICTURE)
    ground = make_ground(spec.pattern, spec.size, hardness, spec.num_distractors, source_rng)
    tint = np.asarray(COLOURS[spec.colour]) + hardness * source_rng.uniform(-18, 18, 3)
    rng = settings.rng('clips', spec.split, spec.index, _PICTURE)
    sprite = make_sprite(spec.shape, tint, rng)
    camera = camera_path(CLIP_FRAMES, 0.3 * hardness, 0.8 * hardness, rng)
    path_rng = settings.rng('clips', spec.split, spec.index, _PATH)
    frames, coverages = [], []
    for pose, offset in zip(make_path(spec.motion, CLIP_FRAMES, spec.size, hardness, path_rng), camera):
        layer = place_sprite(sprite, pose._replace(x=pose.x + offset[0], y=pose.y + offset[1]), spec.size)
        frames.append(add_noise(draw_over(view_ground(ground, offset), [layer]), 2.5 * hardness, rng))
        coverages.append(layer[..., 3])
    sound_rng = settings.rng('clips', spec.split, spec.index, _SOUND)
    wave = make_sound(spec.sound, CLIP_SECONDS, sound_rng)
    return RenderedClip(frames, coverages, wave + room_noise(CLIP_SECONDS, 0.01 * hardness, sound_rng))


def write_clip(root: Path, settings: Settings, split: str, index: int) -> None:
    """Write all files of a clip that are not there yet; flow is that of the decoded mp4, as a user's would be."""
    spec = describe_clip(settings, split, index)
    video = root / 'clips' / split / f'{spec.key}.mp4'
    sound = root / 'wav' / split / f'{spec.key}.wav'
    flow = root / 'flow' / split / spec.key
    masks = [root / 'masks' / split / spec.key / f'{spec.key}_{second + 1}.png' for second in range(CLIP_SECONDS)]
    if all(path.exists() for path in (video, sound, flow, *masks)):
        return
    clip = render_clip(settings, spec)
    write_video(video, clip.frames, CLIP_FPS, clip.wave)
    write_wav(sound, clip.wave)
    for second, path in enumerate(masks):
        write_png(path, to_mask(clip.coverages[second * CLIP_FPS + CLIP_FPS // 2]))
    if flow.exists():
        shutil.rmtree(flow)
    save_flow(flow, read_video(video), bound=FLOW_BOUND)


def write_clip_lists(root: Path, settings: Settings) -> None:
    """Write class names, one list per input and split, captions and the ground truth."""
    write_lines(root / 'classes.txt', (c.name for c in CLIP_CLASSES))
    samples = CLIP_SECONDS * SAMPLE_RATE
    for split in SPLITS:
        specs = [describe_clip(settings, split, index) for index in range(settings.count('clips', split))]
        lists = root / 'lists'
        write_lines(lists / f'{split}_rgb.txt', (f'clips/{split}/{s.key}.mp4 {CLIP_FRAMES} {s.label}' for s in specs))
        write_lines(lists / f'{split}_flow.txt', (f'flow/{split}/{s.key} {CLIP_FRAMES - 1} {s.label}' for s in specs))
        write_lines(lists / f'{split}_audio.txt', (f'wav/{split}/{s.key}.wav {samples} {s.label}' for s in specs))
        captions = [{'id': s.key, 'label': s.label, 'text': caption(s)} for s in specs]
        write_json_lines(root / 'captions' / f'{split}.jsonl', captions)
        write_json_lines(root / 'ground_truth' / f'{split}.jsonl', (dataclasses.asdict(s) for s in specs))
