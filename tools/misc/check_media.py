"""Which media files can be read, and what is in them.

    python tools/misc/check_media.py data/videos clip.mp4 lists/train_video.txt --data-root data/videos --out media.json

Every file is decoded whole. Problems:

    unreadable, no video stream, empty audio   as reading it in a pipeline would say
    truncated, 77 of 164                       frames that decode and that the file says it has, or seconds
    damaged, 32 of 40                          frames that decode and that are stored
    several sizes                              of the pictures of one video
    sound: ...                                 a problem with the sound of a video; none at all is no problem
    the decoder crashed                        it ended its process, twice
    the check failed: ...                      with an error that no other words fit

Notes, which are no problems:

    short, 48 samples                          sound of less than 0.1 seconds

Files with the suffix of a sound file are asked for sound, all others for a video. The exit code is 1 when any file has
a problem.
"""

import argparse
import functools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import av

from mmmutual.datasets.list_file import read_list
from mmmutual.datasets.readers import READERS, open_video
from mmmutual.datasets.readers.audio_reader import read_audio
from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.media_files import VIDEO_SUFFIXES, find_files
from mmmutual.utils.parallel import run_jobs
from mmmutual.utils.text_table import align
from mmmutual.utils.whole_output import write_text

AUDIO_SUFFIXES = ('.wav', '.flac', '.ogg', '.opus', '.mp3', '.m4a', '.aac', '.wma')
SUFFIXES = VIDEO_SUFFIXES + AUDIO_SUFFIXES
# These write down how long they are. Of others FFmpeg guesses it.
LENGTH_STATED = ('mov', 'matroska', 'flac')
# What a file may lack of its stated length: its last frame may be shown for long.
MAX_LACK_SECONDS, MAX_LACK_PART = 0.5, 0.05
MIN_SOUND_SECONDS = 0.1  # a few windows of any spectrogram; of less, features are padding for the most part


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('paths', nargs='+', type=Path, metavar='PATH', help='media file, folder tree, or list (.txt)')
    parser.add_argument('--data-root', type=Path, default=Path(), help='where relative paths in lists start')
    parser.add_argument('--reader', choices=sorted(READERS), default='pyav', help='of videos (default: %(default)s)')
    parser.add_argument('--out', type=Path, metavar='FILE', help='write everything found as JSON')
    parser.add_argument('--num-workers', type=int, default=os.cpu_count(), help='processes (default: one per core)')
    args = parser.parse_args()
    for path in args.paths:
        if not path.exists():
            parser.error(f'{path} does not exist')
    if args.num_workers < 1:
        parser.error(f'--num-workers must be at least 1, got {args.num_workers}')
    if args.out is not None:
        try:
            require_writable(args.out)
        except OSError as error:
            parser.error(f'--out {args.out} cannot be written: {error}')
    return args


def require_writable(file: Path) -> None:
    """Raise OSError where the file could not be written in the end; its parent folders are made."""
    if file.is_dir():
        raise IsADirectoryError('it is a folder')
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=file.parent):
        pass


def find_media(path: Path, data_root: Path) -> List[str]:
    """The media files that a command-line argument stands for."""
    if path.is_dir():
        links = [file for file in path.rglob('*') if file.is_symlink() and not file.exists()]
        broken = [link for link in links if link.suffix.lower() in SUFFIXES]
        files = sorted(find_files(path, SUFFIXES) + broken)
        if not files:
            raise FileNotFoundError(f'no video or sound file below {path}')
        return [str(file) for file in files]
    if path.suffix.lower() == '.txt':
        return [str(data_root / entry.path) for entry in read_list(path, 'video')]
    return [str(path)]


def check(path: str, reader: str) -> Dict[str, Any]:
    """What is in a file.

    Returns:
        ``bytes``, ``streams`` (as declared), ``video`` and ``audio`` (as decoded; None where nothing is), ``problems``
        and ``notes``.
    """
    found = nothing(path)
    try:
        look_into(path, reader, found)
    except ImportError:
        raise  # a reader that is not installed, which is no fault of the file
    except Exception as error:  # noqa: BLE001 - to outlive every file, whatever is in it, is what this tool is for
        found['problems'].append(f'the check failed: {type(error).__name__}: {error}')
    return found


def nothing(path: str, *problems: str) -> Dict[str, Any]:
    """What :func:`check` gives of a file of which nothing is known but its problems."""
    size = os.path.getsize(path) if os.path.isfile(path) else None
    return dict(bytes=size, streams=[], video=None, audio=None, problems=list(problems), notes=[])


def crashed(path: str) -> Dict[str, Any]:
    """What is known of a file that ends the process which reads it."""
    return nothing(path, 'the decoder crashed')


def look_into(path: str, reader: str, found: Dict[str, Any]) -> None:
    """Fill in what is in a file."""
    found['streams'] = list_streams(path)
    wants_sound = path.lower().endswith(AUDIO_SUFFIXES)
    if not wants_sound:
        try:
            found['video'] = check_video(path, reader, found['problems'])
        except UnreadableMediaError as error:
            found['problems'].append(error.reason)
    try:
        found['audio'] = check_audio(path)
    except UnreadableMediaError as error:
        if wants_sound:
            found['problems'].append(error.reason)
        elif found['video'] and error.reason != 'no audio stream':
            found['problems'].append(f'sound: {error.reason}')
    if found['audio'] and found['audio']['seconds'] < MIN_SOUND_SECONDS:
        found['notes'].append(f'short, {found["audio"]["samples"]} samples')
    if found['streams'] and (found['video'] or found['audio']):
        lack = find_lack(path, found['video'])
        found['problems'] += [lack] if lack else []


def list_streams(path: str) -> List[Dict[str, Any]]:
    """All streams as the container declares them, none where FFmpeg does not open it.

    Returns:
        For each its ``kind``, ``codec`` (None: no decoder for it) and, of sound, ``sample_rate`` and ``channels``.
    """
    try:
        with av.open(path, metadata_errors='ignore') as container:
            return [describe(stream) for stream in container.streams]
    except av.error.FFmpegError:
        return []


def describe(stream: av.stream.Stream) -> Dict[str, Any]:
    context = stream.codec_context
    found = dict(kind=stream.type, codec=context.codec.canonical_name if context else None)
    if context and stream.type == 'audio':
        found.update(sample_rate=context.sample_rate, channels=context.layout.nb_channels)
    return found


def check_video(path: str, backend: str, problems: List[str]) -> Dict[str, Any]:
    """Decode all frames; more problems are added to those given."""
    with open_video(path, backend) as reader:
        stored = len(reader)
        sizes = [picture.shape[1::-1] for picture in reader]
        fps = reader.fps
    if len(sizes) < stored:
        problems.append(f'damaged, {len(sizes)} of {stored}')
    if len(set(sizes)) > 1:
        problems.append(f'several sizes, {", ".join(f"{width}x{height}" for width, height in sorted(set(sizes)))}')
    width, height = sizes[0]
    return dict(frames=len(sizes), fps=fps, seconds=len(sizes) / fps, width=width, height=height)


def check_audio(path: str) -> Dict[str, Any]:
    """Decode all sound."""
    waveform, rate = read_audio(path, mono=False)
    channels, samples = waveform.shape
    return dict(sample_rate=rate, channels=channels, samples=samples, seconds=samples / rate)


def find_lack(path: str, video: Optional[Dict[str, Any]]) -> Optional[str]:
    """How much of a file that can be read is missing at its end, as far as it says how long it is."""
    last = 0.0
    with av.open(path, metadata_errors='ignore') as container:
        stream = container.streams.best('video')
        said = stream.frames if video and stream else 0
        if container.format.name == 'avi' and said:
            stated = float(said * stream.time_base)  # FFmpeg reduces its duration when the file is too small for it
        elif container.format.name.startswith(LENGTH_STATED) and container.duration:
            stated = container.duration / av.time_base
        else:
            return None
        try:
            for packet in container.demux():
                if packet.pts is not None:
                    last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        except av.error.FFmpegError:
            pass  # what lies behind is lost, too
    if stated - last <= max(MAX_LACK_SECONDS, MAX_LACK_PART * stated):
        return None
    if video and said > video['frames']:
        return f'truncated, {video["frames"]} of {said}'
    return f'truncated, {last:.1f} of {stated:.1f} s'


def table(report: Dict[str, Dict[str, Any]]) -> str:
    rows = [['file', 'MB', 'frames', 'fps', 'seconds', 'picture', 'sound', 'streams', 'problems', 'notes']]
    for path, found in report.items():
        row = [path, '-' if found['bytes'] is None else f'{found["bytes"] / 1e6:.2f}']
        video, audio = found['video'], found['audio']
        if video:
            size = f'{video["width"]}x{video["height"]}'
            row += [str(video['frames']), f'{video["fps"]:.2f}', f'{video["seconds"]:.2f}', size]
        else:
            row += ['-'] * 4
        row += [f'{audio["seconds"]:.2f}' if audio else '-', summarize(found['streams']) or '-']
        rows.append([*row, '; '.join(found['problems']), '; '.join(found['notes'])])
    return align(rows, str.ljust)


def summarize(streams: List[Dict[str, Any]]) -> str:
    """E.g. ``video 1 h264; audio 2 aac 44100x2, opus 48000x1``: kind, how many, codecs, Hz and channels."""
    by_kind: Dict[str, List[str]] = {}
    for stream in streams:
        sound = f' {stream["sample_rate"]}x{stream["channels"]}' if 'channels' in stream else ''
        by_kind.setdefault(stream['kind'], []).append(f'{stream["codec"] or "unknown"}{sound}')
    return '; '.join(f'{kind} {len(codecs)} {", ".join(codecs)}' for kind, codecs in by_kind.items())


def main() -> int:
    sys.stdout.reconfigure(errors='backslashreplace')  # a name of a file need not be text
    args = parse_args()
    try:
        files = [file for path in args.paths for file in find_media(path, args.data_root)]
        job = functools.partial(check, reader=args.reader)
        report = run_jobs(job, dict.fromkeys(files), args.num_workers, 'check media', crashed)
    except (FileNotFoundError, ImportError, ValueError) as error:
        sys.exit(str(error))
    print(table(report))
    bad = sum(bool(found['problems']) for found in report.values())
    print(f'{len(report) - bad} of {len(report)} files have no problem')
    if args.out is not None:
        write_text(args.out, json.dumps(report, indent=1) + '\n')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
