"""MMShapes: the files, and that they show and sound what the lists say."""

import collections
import dataclasses
import json
import subprocess
import sys
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools' / 'data'))

from mmshapes import settings as settings_module  # noqa: E402
from mmshapes.clip_specs import CLIP_FPS, CLIP_FRAMES, caption, describe_clip  # noqa: E402
from mmshapes.clips import FLOW_BOUND, render_clip, write_clip, write_clip_lists  # noqa: E402
from mmshapes.event_specs import EVENT_SECONDS, EVENT_SIZE, describe_event  # noqa: E402
from mmshapes.events import write_event  # noqa: E402
from mmshapes.folder import open_folder  # noqa: E402
from mmshapes.generate import generate, main  # noqa: E402
from mmshapes.instruction_specs import describe_instruction  # noqa: E402
from mmshapes.instructions import INSTRUCTION_FPS, write_instruction, write_instruction_lists  # noqa: E402
from mmshapes.media import read_video  # noqa: E402
from mmshapes.motions import make_path  # noqa: E402
from mmshapes.qa import write_questions  # noqa: E402
from mmshapes.settings import PARTS, Settings  # noqa: E402
from mmshapes.vocabulary import (  # noqa: E402
    CLIP_CLASSES,
    COLOURS,
    EVENT_CATEGORIES,
    MOTION_PHRASES,
    SPLITS,
)

TINY = Settings(size='tiny')


def run_generator(*args):
    command = [sys.executable, str(ROOT / 'tools/data/mmshapes/generate.py'), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data') / 'mmshapes'
    done = run_generator('--out', folder, '--size', 'tiny', '--workers', 2)
    assert done.returncode == 0, done.stderr
    return folder


def read_lines(path):
    return path.read_text().splitlines()


def read_list(root, split, modality):
    """Rows (path, count, label) of a list file."""
    rows = (line.split(' ') for line in read_lines(root / 'lists' / f'{split}_{modality}.txt'))
    return [(root / path, int(count), int(label)) for path, count, label in rows]


def read_json_lines(path):
    return [json.loads(line) for line in read_lines(path)]


def read_wav(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), '<i2') / 32768.0


def read_grey(path):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    assert image.ndim == 2, path
    return image


# ---------------------------------------------------------------- files and lists


def test_same_items_from_another_process_and_another_size(root, tmp_path):
    full = Settings(size='full')
    write_clip(tmp_path, full, 'val', 7)
    write_event(tmp_path, full, 'test', 1)
    write_instruction(tmp_path, full, 'train', 2)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob('*') if path.is_file()]
    assert len(made) == 1 + 1 + 2 * 23 + 2 + (2 + 20) + 2
    for path in made:
        if path.suffix == '.mp4':
            np.testing.assert_array_equal(read_video(tmp_path / path), read_video(root / path))
        assert (tmp_path / path).read_bytes() == (root / path).read_bytes(), path


def test_lists_are_the_same_when_written_again(root, tmp_path):
    for write in (write_clip_lists, write_questions, write_instruction_lists):
        write(tmp_path, TINY)
    made = [path for path in tmp_path.rglob('*') if path.is_file()]
    assert len(made) > 20
    for path in made:
        assert path.read_bytes() == (root / path.relative_to(tmp_path)).read_bytes(), path


def test_another_seed_gives_another_picture():
    clips = [render_clip(s, describe_clip(s, 'train', 0)) for s in (TINY, dataclasses.replace(TINY, seed=1))]
    assert clips[0].frames[0].shape != clips[1].frames[0].shape or np.any(clips[0].frames[0] != clips[1].frames[0])


def test_nothing_half_written_is_left(root):
    assert not list(root.rglob('*.partial')) + list(root.rglob('*started*'))


@pytest.mark.parametrize('split', SPLITS)
def test_lists_agree_with_files(root, split):
    rgb, flow, audio = (read_list(root, split, modality) for modality in ('rgb', 'flow', 'audio'))
    keys = [path.stem for path, _, _ in rgb]
    assert keys == [path.name for path, _, _ in flow] == [path.stem for path, _, _ in audio]
    assert keys == [record['id'] for record in read_json_lines(root / 'captions' / f'{split}.jsonl')]
    labels = [label for _, _, label in rgb]
    assert labels == [label for _, _, label in flow] == [label for _, _, label in audio]
    assert collections.Counter(labels) == dict.fromkeys(range(10), 3)
    for (video, frames, _), (folder, pairs, _), (sound, samples, _) in zip(rgb, flow, audio):
        decoded = read_video(video)
        assert len(decoded) == frames == pairs + 1
        names = {f'flow_{axis}_{number:05d}.jpg' for axis in 'xy' for number in range(1, pairs + 1)}
        assert {path.name for path in folder.iterdir()} == names
        assert read_grey(folder / 'flow_x_00001.jpg').shape == decoded[0].shape[:2]
        assert len(read_wav(sound)) == samples


def test_class_names(root):
    names = read_lines(root / 'classes.txt')
    assert len(set(names)) == 10
    assert names == json.loads((root / 'mmshapes.json').read_text())['classes']
    assert names[0] == 'circle_right'


def test_mp4_holds_h264_and_the_sound(root):
    import av

    video, _, _ = read_list(root, 'train', 'rgb')[6]
    with av.open(str(video)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ('h264', 'yuv420p')
        assert stream.average_rate == CLIP_FPS
        keyframes = [number for number, frame in enumerate(file.decode(video=0)) if frame.key_frame]
        assert keyframes == [0, 12]
    with av.open(str(video)) as file:
        assert file.streams.audio[0].codec_context.name == 'aac'
        decoded = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    wav = read_wav(root / 'wav' / 'train' / f'{video.stem}.wav')
    spectra = [np.abs(np.fft.rfft(sound[4000:28000])) for sound in (decoded, wav)]
    assert np.corrcoef(spectra)[0, 1] > 0.9


def test_splits_share_no_source():
    sources = [{describe_clip(Settings(), s, i).source for i in range(Settings().count('clips', s))} for s in SPLITS]
    assert not sources[0] & sources[1] | sources[0] & sources[2] | sources[1] & sources[2]
    assert [len(s) for s in sources] == [160, 80, 80]


def test_clips_of_one_source_share_class_ground_and_colour():
    groups = collections.defaultdict(list)
    for index in range(160):
        spec = describe_clip(TINY, 'train', index)
        groups[spec.source].append((spec.label, spec.colour, spec.pattern, spec.size))
    assert all(len(group) == 4 and len(set(group)) == 1 for group in groups.values())


# ---------------------------------------------------------------- what the modalities tell


@pytest.mark.parametrize(
    ('one', 'other'), [('right', 'left'), ('up', 'down'), ('clockwise', 'counterclockwise'), ('growing', 'shrinking')]
)
def test_opposite_motions_pass_through_the_same_poses(one, other):
    paths = [make_path(m, CLIP_FRAMES, (96, 72), 1.0, np.random.default_rng(3)) for m in (one, other)]
    np.testing.assert_allclose(paths[0], paths[1][::-1], atol=1e-12)
    assert np.abs(np.array(paths[0][0]) - np.array(paths[0][-1])).max() > 1


def flow_in_mask(root, split, key, second):
    """Flow of the object against its surroundings, pixels: mean x, mean y, rotation (clockwise > 0), expansion."""
    mask = read_grey(root / 'masks' / split / key / f'{key}_{second + 1}.png') > 0
    number = second * CLIP_FPS + CLIP_FPS // 2 + 1
    x, y = (
        (read_grey(root / 'flow' / split / key / f'flow_{axis}_{number:05d}.jpg') - 128.0) * FLOW_BOUND / 127.5
        for axis in 'xy'
    )
    around = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) == 0
    dx, dy = x[mask] - x[around].mean(), y[mask] - y[around].mean()
    rows, columns = np.nonzero(mask)
    rx, ry = columns - columns.mean(), rows - rows.mean()
    reach = (rx**2 + ry**2).sum() / np.sqrt((rx**2 + ry**2).mean())
    return dx.mean(), dy.mean(), (rx * dy - ry * dx).sum() / reach, (rx * dx + ry * dy).sum() / reach


def test_flow_shows_the_motion(root):
    component = {'right': 0, 'left': 0, 'up': 1, 'down': 1, 'clockwise': 2, 'counterclockwise': 2}
    sign = {'left': -1, 'up': -1, 'counterclockwise': -1, 'shrinking': -1}
    seen = collections.defaultdict(list)
    for split in SPLITS:
        for record in read_json_lines(root / 'ground_truth' / f'{split}.jsonl'):
            for second in range(2):
                flow = flow_in_mask(root, split, record['key'], second)
                motion = record['motion']
                seen[motion].append(sign.get(motion, 1) * flow[component.get(motion, 3)])
    assert set(seen) == set(MOTION_PHRASES)
    for motion, values in seen.items():
        assert min(values) > 0, motion
        assert np.mean(values) > (1.0 if motion in ('right', 'left', 'up', 'down') else 0.3), motion


def test_the_sound_is_not_seen():
    spec = describe_clip(TINY, 'train', 6)
    other = dataclasses.replace(spec, sound='buzz', label=7)
    clips = [render_clip(TINY, s) for s in (spec, other)]
    np.testing.assert_array_equal(clips[0].frames, clips[1].frames)
    assert CLIP_CLASSES[6][1:3] == CLIP_CLASSES[7][1:3]
    assert np.any(clips[0].wave != clips[1].wave)


def test_sounds_of_the_sound_only_classes_differ_in_pitch(root):
    for split in SPLITS:
        for path, samples, label in read_list(root, split, 'audio'):
            pitch = np.abs(np.fft.rfft(read_wav(path))).argmax() * 16000 / samples
            if CLIP_CLASSES[label].name == 'star_whistling':
                assert 1300 < pitch < 2200
            if CLIP_CLASSES[label].name == 'star_buzzing':
                assert 230 < pitch < 400


@pytest.mark.parametrize('name', ['shape', 'motion', 'sound'])
def test_a_cue_tells_as_often_as_its_knob_says(name):
    knob = {'shape': 'tell_rgb', 'motion': 'tell_flow', 'sound': 'tell_audio'}[name]
    values = sorted({getattr(c, name) for c in CLIP_CLASSES})
    for tell in (0.0, 0.5, 1.0):
        changed = Settings(**{knob: tell})
        specs = [describe_clip(changed, 'train', index) for index in range(3000)]
        right = np.mean([getattr(s, name) == getattr(CLIP_CLASSES[s.label], name) for s in specs])
        assert right == pytest.approx(tell + (1 - tell) / len(values), abs=0.03 if tell < 1 else 0)
        if tell == 0:
            # Each class has each value about equally often: chi-squared of independence, 9 * (values - 1) degrees.
            table = np.array([[sum(getattr(s, name) == v for s in specs[c::10]) for v in values] for c in range(10)])
            expected = table.sum(0) / 10
            freedom = 9 * (len(values) - 1)
            assert ((table - expected) ** 2 / expected).sum() < freedom + 4 * np.sqrt(2 * freedom)


def test_a_knob_changes_only_its_cue():
    for index in range(50):
        spec = describe_clip(Settings(), 'train', index)
        changed = describe_clip(Settings(tell_flow=0.0), 'train', index)
        assert dataclasses.replace(changed, motion=spec.motion, flow_tells=True) == spec
        assert not changed.flow_tells


def test_captions_name_what_is_shown(root):
    settings = Settings(tell_rgb=0.0, tell_flow=0.0, tell_audio=0.0)
    for index in range(100):
        spec = describe_clip(settings, 'train', index)
        text = caption(spec)
        assert f'{spec.colour} {spec.shape} {MOTION_PHRASES[spec.motion]} on' in text
        assert f'{spec.pattern}' in text
        assert text.endswith(f'a {spec.sound} is heard')
    first = read_json_lines(root / 'captions' / 'train.jsonl')[0]
    assert first['label'] == 0
    assert 'circle moves to the right' in first['text']
    assert 'hum' in first['text']


def test_captions_that_do_not_tell_name_no_cue():
    texts = [caption(describe_clip(Settings(tell_text=0.0), 'train', index)) for index in range(100)]
    words = {word for text in texts for word in text.split()}
    assert not words & {value for c in CLIP_CLASSES for value in c}
    assert words & set(COLOURS)


def test_difficulty_zero_is_a_clean_picture():
    clean = Settings(difficulty=0.0)
    clip = render_clip(clean, describe_clip(clean, 'train', 0))
    outside = [frame[coverage == 0] for frame, coverage in zip(clip.frames, clip.coverages)]
    assert all(np.ptp(pixels, axis=0).max() == 0 for pixels in outside)
    hard = [Settings(difficulty=value) for value in (1.0, 2.0)]
    clips = [render_clip(s, describe_clip(s, 'train', 0)) for s in hard]
    noise = [np.abs(np.diff(np.array(c.frames, float), axis=0)).mean() for c in clips]
    assert noise[1] > 1.3 * noise[0]


def test_masks_cover_the_object(root):
    names = list(COLOURS)
    for record in read_json_lines(root / 'ground_truth' / 'train.jsonl'):
        key = record['key']
        frames = read_video(root / 'clips' / 'train' / f'{key}.mp4')
        for second in range(2):
            mask = read_grey(root / 'masks' / 'train' / key / f'{key}_{second + 1}.png')
            assert set(np.unique(mask)) == {0, 255}
            frame = frames[second * CLIP_FPS + CLIP_FPS // 2]
            colour = np.median(frame[cv2.erode(mask, np.ones((3, 3))) > 0], axis=0)
            distance = [np.linalg.norm(colour / colour.sum() - np.divide(c, sum(c))) for c in COLOURS.values()]
            assert distance[names.index(record['colour'])] < 0.12, key


# ---------------------------------------------------------------- events


def test_events_are_heard_when_the_annotation_says(root):
    for split in SPLITS:
        for record in read_json_lines(root / 'events' / 'ground_truth' / f'{split}.jsonl'):
            samples = read_wav(root / 'events' / 'wav' / split / f'{record["key"]}.wav')
            energy = np.sqrt((samples.reshape(EVENT_SECONDS, -1) ** 2).mean(axis=1))
            audible = {s for event in record['events'] for s in range(*event['audible'])}
            for second, level in enumerate(energy):
                assert (level > 0.02) == (second in audible), (record['key'], second)


def test_events_are_seen_when_the_annotation_says(root):
    half = EVENT_SIZE[0] // 2
    compared = 0
    for split in SPLITS:
        for record in read_json_lines(root / 'events' / 'ground_truth' / f'{split}.jsonl'):
            place = Path(split) / record['events'][0]['category'] / record['key']
            folder = root / 'events' / 'visual_frames' / place
            frames = [cv2.imread(str(folder / f'{record["key"]}_{k}.png')) for k in range(1, 11)]
            for event in record['events']:
                columns = slice(0, half) if event['side'] == 'left' else slice(half, None)
                pictures = [cv2.GaussianBlur(f[:, columns], (0, 0), 3).astype(float) for f in frames]
                visible = set(range(*event['visible']))
                empty = set(range(EVENT_SECONDS)) - visible
                for second in range(EVENT_SECONDS):
                    # The nearest other second without the object: the camera drifts on.
                    without = sorted(empty - {second}, key=lambda other: abs(other - second))[:1]
                    for other in without:
                        change = np.abs(pictures[second] - pictures[other]).max()
                        # An object changes 59 and more here, the shaking camera 24 and less.
                        assert (change > 40) == (second in visible), (record['key'], second, change)
                        compared += 1
    assert compared > 100


def test_event_masks_show_what_is_seen_and_sounds(root):
    half = EVENT_SIZE[0] // 2
    for record in read_json_lines(root / 'events' / 'ground_truth' / 'train.jsonl'):
        place = Path('train') / record['events'][0]['category'] / record['key']
        for second in range(EVENT_SECONDS):
            mask = read_grey(root / 'events' / 'gt_masks' / place / f'{record["key"]}_{second + 1}.png') > 0
            for side, part in (('left', mask[:, :half]), ('right', mask[:, half:])):
                sounding = any(
                    event['side'] == side and second in range(*event['visible']) and second in range(*event['audible'])
                    for event in record['events']
                )
                assert (part.sum() > 100) == sounding, (record['key'], second, side)


def test_event_annotation_files(root):
    folder = root / 'events'
    truth = {r['key']: r for s in SPLITS for r in read_json_lines(folder / 'ground_truth' / f'{s}.jsonl')}
    rows = read_lines(folder / 'Annotations.txt')
    assert rows == [row for split in SPLITS for row in read_lines(folder / f'{split}Set.txt')]
    assert read_lines(folder / 'categories.txt') == [category.name for category in EVENT_CATEGORIES]
    for row in rows:
        category, key, quality, start, end = row.split('&')
        main = truth[key]['events'][0]
        assert (category, quality) == (main['category'], 'good')
        both = set(range(*main['visible'])) & set(range(*main['audible']))
        assert both == set(range(int(start), int(end)))
        assert len(both) >= 2
    for name, sense in (('audio', 'audible'), ('visual', 'visible')):
        header, *rows = read_lines(folder / f'AVVP_eval_{name}.csv')
        assert header == 'filename\tonset\toffset\tevent_labels'
        found = collections.Counter()
        for row in rows:
            filename, onset, offset, category = row.split('\t')
            assert filename == f'{filename[:11]}_0_10'
            found[filename[:11], category, int(onset), int(offset)] += 1
        expected = collections.Counter(
            (key, event['category'], *event[sense])
            for key, record in truth.items()
            for event in record['events']
            if record['split'] != 'train' and event[sense] != [0, 0]
        )
        assert found == expected
    header, first, *_ = read_lines(folder / 's4_meta_data.csv')
    assert (header, first) == ('name,start,category,split', 'ev-trn-0000,0,humming_circle,train')
    labels = dict(row.split('\t') for row in read_lines(folder / 'AVVP_train.csv')[1:])
    assert len(labels) == TINY.count('events', 'train')


def test_seen_and_heard_seconds_differ_often():
    events = [describe_event(Settings(), 'train', index).events for index in range(160)]
    assert 0.4 < np.mean([e[0].visible != e[0].audible for e in events]) < 0.8
    assert {(e[1].visible == (0, 0), e[1].audible == (0, 0)) for e in events if len(e) == 2} == {
        (False, False),
        (False, True),
        (True, False),
    }


# ---------------------------------------------------------------- questions


def test_questions_are_in_the_layout_of_msvd_qa(root):
    mapping = dict(reversed(line.split(' ')) for line in read_lines(root / 'qa' / 'mapping.txt'))
    number, videos, kinds = 0, [], set()
    for split in SPLITS:
        records = json.loads((root / 'qa' / f'{split}_qa.json').read_text())
        for record in records:
            assert list(record) == ['answer', 'id', 'question', 'video_id']
            assert record['id'] == number
            number += 1
            assert record['question'] == record['question'].lower()
            assert record['question'].endswith('?')
            assert ' ' not in record['answer']
            kinds.add(record['question'].split()[0])
            name = mapping[f'vid{record["video_id"]}']
            assert (root / f'{name}.mp4').is_file()
            assert split in name
        videos.append({record['video_id'] for record in records})
    assert kinds == {'what', 'who', 'how', 'where', 'when'}
    assert sum(map(len, videos)) == len(set.union(*videos)) == len(mapping) == 90 + 16


# ---------------------------------------------------------------- instructions


def to_seconds(clock):
    return sum(float(part) * unit for part, unit in zip(clock.replace(',', '.').split(':'), (3600, 60, 1)))


def test_subtitles_lie_in_the_video_and_name_the_answer(root):
    folder = root / 'instructions'
    subtitles = json.loads((folder / 'subtitles.json').read_text())
    overlaps, owners, sample_id = 0, [], 0
    for split in SPLITS:
        samples = json.loads((folder / f'{split}.json').read_text())
        owners.append({sample['video_id'] for sample in samples})
        for sample in samples:
            sample_id += 1
            assert sample['sample_id'] == sample_id
            start, end, length = (sample[k] for k in ('answer_start_second', 'answer_end_second', 'video_length'))
            assert 0 < start < end < length
            assert 30 <= length <= 60
            assert (sample['answer_start'], sample['answer_end']) == (f'00:{start:02d}', f'00:{end:02d}')
            lines = subtitles[sample['video_id']]
            assert all(0 <= line['start'] < line['start'] + line['duration'] <= length + 1e-6 for line in lines)
            assert [line['start'] for line in lines] == sorted(line['start'] for line in lines)
            overlaps += sum(a['start'] + a['duration'] > b['start'] for a, b in zip(lines, lines[1:]))
            words = set(sample['question'].rstrip('?').split())
            within = [line['text'] for line in lines if start <= line['start'] < end]
            spec = describe_instruction(TINY, split, int(sample['video_id'][-4:]))
            thing = next(spec.things[step.thing] for step in spec.steps if step.start == start)
            assert {thing.colour, thing.shape} <= words
            assert any(thing.words in text for text in within)
            srt = (folder / 'srt' / split / f'{sample["video_id"]}.srt').read_text().strip().split('\n\n')
            for block, line in zip(srt, lines):
                _, times, text = block.split('\n')
                first, last = map(to_seconds, times.split(' --> '))
                assert text == line['text']
                assert first == pytest.approx(line['start'], abs=2e-3)
                assert last == pytest.approx(line['start'] + line['duration'], abs=2e-3)
            assert len(srt) == len(lines)
    assert overlaps > 0
    assert not owners[0] & owners[1] | owners[0] & owners[2] | owners[1] & owners[2]


def test_a_step_is_shown_where_its_object_lies(root):
    for index in range(3):
        spec = describe_instruction(TINY, 'train', index)
        frames = read_video(root / 'instructions' / 'videos' / 'train' / f'{spec.key}.mp4')
        assert len(frames) == spec.seconds * INSTRUCTION_FPS
        smooth = np.array([cv2.GaussianBlur(f, (0, 0), 1.5) for f in frames], np.float32)
        still = np.median(smooth[: 4 * INSTRUCTION_FPS], axis=0)
        for step in spec.steps:
            during = smooth[step.start * INSTRUCTION_FPS : step.end * INSTRUCTION_FPS]
            changed = (np.abs(during - still) > 25).any(axis=-1)
            quarters = [changed[:, r : r + 24, c : c + 32].sum() for r in (0, 24) for c in (0, 32)]
            assert int(np.argmax(quarters)) == step.thing, (spec.key, step)


# ---------------------------------------------------------------- the command


def test_complete_folder_is_left_alone(root, capsys):
    before = (root / 'mmshapes.json').stat().st_mtime_ns
    main(['--out', str(root), '--size', 'tiny'])
    assert 'complete already' in capsys.readouterr().out
    assert (root / 'mmshapes.json').stat().st_mtime_ns == before


def test_other_settings_are_refused(root):
    with pytest.raises(ValueError, match=r"seed is 0, not 5; .*size is 'tiny', not 'quick'"):
        open_folder(root, Settings(seed=5, size='quick'), PARTS)
    with pytest.raises(ValueError, match='tell_flow is 1.0, not 0.5'):
        open_folder(root, Settings(size='tiny', tell_flow=0.5), PARTS)


def test_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / 'holiday.jpg').write_bytes(b'')
    with pytest.raises(SystemExit, match='is not empty and holds no MMShapes'):
        main(['--out', str(tmp_path), '--size', 'tiny'])
    assert [path.name for path in tmp_path.iterdir()] == ['holiday.jpg']


def test_a_wrong_number_of_workers_claims_no_folder(tmp_path):
    with pytest.raises(SystemExit, match='--workers must be 1 or more, got 0'):
        main(['--out', str(tmp_path / 'new'), '--size', 'tiny', '--workers', '0'])
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'tell_audio': 1.5}, 'tell_audio must be between 0 and 1, got 1.5'),
        ({'difficulty': -1.0}, 'difficulty must be between 0 and 3'),
        ({'seed': -1}, 'seed must be 0 or more'),
        ({'size': 'huge'}, 'size must be one of'),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Settings(**values)


def test_questions_need_their_videos(tmp_path):
    with pytest.raises(ValueError, match='--parts qa is about the videos of clips and events'):
        open_folder(tmp_path / 'new', TINY, ['qa'])
    assert not (tmp_path / 'new').exists()


def test_half_written_folder_is_completed_and_parts_are_added(tmp_path, monkeypatch, capsys):
    few = {'clips': (2, 1, 1), 'events': (1, 1, 1), 'instructions': (1, 1, 1)}
    monkeypatch.setitem(settings_module.SIZES, 'tiny', few)
    generate(tmp_path, TINY, open_folder(tmp_path, TINY, ['clips']), workers=1)
    whole = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*.*') if path.suffix in ('.mp4', '.wav', '.jpg')}
    # As after a kill: the record of completion is not written yet, one file is missing.
    (tmp_path / 'mmshapes.json').rename(tmp_path / 'mmshapes.started.json')
    (tmp_path / 'mmshapes.started.json').write_text(
        json.dumps(
            {k: v for k, v in json.loads((tmp_path / 'mmshapes.started.json').read_text()).items() if k != 'parts'}
        )
    )
    lost = tmp_path / 'wav' / 'train' / 'train_00001.wav'
    content = lost.read_bytes()
    lost.unlink()
    assert open_folder(tmp_path, TINY, ['clips', 'events']) == ['clips', 'events']
    generate(tmp_path, TINY, ['clips', 'events'], workers=1)
    assert lost.read_bytes() == content
    rewritten = {path.stem for path, time in whole.items() if path.suffix == '.mp4' and path.stat().st_mtime_ns != time}
    assert rewritten == {'train_00001'}
    assert open_folder(tmp_path, TINY, ['clips', 'events', 'qa']) == ['qa']
    generate(tmp_path, TINY, ['qa'], workers=1)
    assert json.loads((tmp_path / 'mmshapes.json').read_text())['parts'] == ['clips', 'events', 'qa']
    assert len(read_lines(tmp_path / 'qa' / 'mapping.txt')) == 4 + 3
    assert not (tmp_path / 'mmshapes.started.json').exists()


@pytest.mark.slow
def test_whole_data_set_twice_is_byte_equal(root, tmp_path):
    done = run_generator('--out', tmp_path / 'again', '--size', 'tiny', '--workers', 1)
    assert done.returncode == 0, done.stderr
    files = sorted(path.relative_to(root) for path in root.rglob('*') if path.is_file())
    assert files == sorted(p.relative_to(tmp_path / 'again') for p in (tmp_path / 'again').rglob('*') if p.is_file())
    for path in files:
        assert (root / path).read_bytes() == (tmp_path / 'again' / path).read_bytes(), path
