"""Reading the ``scalars.json`` of training runs, and joining those that were resumed."""

import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

from mmengine.config import Config

SCALARS = 'vis_data/scalars.json'
POSITIONS = ('step', 'epoch', 'iter')  # say where a line is, and are no values
Lines = Dict[int, Dict[str, Any]]


class RunLog(NamedTuple):
    """The lines of a run by their step."""

    name: str
    train: Lines  # by iteration
    val: Lines  # by epoch, or by iteration where training is not counted in epochs

    @property
    def in_epochs(self) -> bool:
        """Whether training is counted in epochs."""
        return any('epoch' in line for line in self.train.values())

    def find(self, key: str) -> Lines:
        """The lines that hold a key: of training if it is logged there (as ``time`` is), else of validation.

        Raises:
            ValueError: there is none, naming the keys that there are.
        """
        for lines in (self.train, self.val):
            found = {step: lines[step] for step in sorted(lines) if key in lines[step]}
            if found:
                return found
        logged = [*self.train.values(), *self.val.values()]
        numbers = {key for line in logged for key, value in line.items() if isinstance(value, (int, float))}
        raise ValueError(f'{self.name} has no key {key!r}; it has {", ".join(sorted(numbers - {*POSITIONS}))}')


def read_log(path: Path) -> RunLog:
    """Read a ``scalars.json``; or the newest run of a work dir, and the runs that it goes on from if it was resumed.

    From the step at which a run goes on, its lines replace those of the run before.

    Raises:
        FileNotFoundError: there is no log.
        ValueError: a line is none of a log, or there is no line.
    """
    files = _find_files(path)
    log = RunLog(str(path), {}, {})
    for file in files:
        for old, new in zip((log.train, log.val), _read_file(file)):
            for step in [step for step in old if new and step >= min(new)]:
                del old[step]
            old.update(new)
    if not log.train and not log.val:
        raise ValueError(f'{files[-1]} is empty: nothing has been logged yet')
    return log


def _find_files(path: Path) -> List[Path]:
    """Files of one log, the oldest run first."""
    if path.is_file():
        return [path]
    files = sorted(path.glob(f'*/{SCALARS}'), key=lambda file: file.parts[-3])  # folders are called by their time
    if not files:
        raise FileNotFoundError(
            f'LOG {path} is neither a file nor a work dir with <time>/{SCALARS} in it, which LocalVisBackend writes: '
            "visualizer.vis_backends must hold dict(type='LocalVisBackend'), beside any others"
        )
    first = len(files) - 1
    while first > 0 and _is_resumed(files[first]):
        first -= 1
    return files[first:]


def _is_resumed(file: Path) -> bool:
    """Whether a run was started with ``--resume``, as the config beside its log says."""
    return bool(Config.fromfile(file.with_name('config.py')).get('resume', False))


def _read_file(file: Path) -> Tuple[Lines, Lines]:
    """Lines of training and of validation; a later line of a step replaces an earlier one."""
    train: Lines = {}
    val: Lines = {}
    try:
        content = file.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ValueError(f'{file} is not text, and so no {SCALARS}: {error}') from None
    for number, text in enumerate(content.splitlines(keepends=True), start=1):
        if not text.endswith('\n'):
            break  # a run that was killed may leave half a line
        try:
            line = json.loads(text)
            (train if 'iter' in line else val)[line['step']] = line
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f'{file}, line {number} is no line of a {SCALARS}: {text.strip()[:80]!r}') from error
    return train, val
