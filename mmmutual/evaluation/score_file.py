"""Files of scores: what a test gave for every sample, in plain arrays."""

import os
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Union

import numpy as np
import torch
from torch import Tensor

from mmmutual.utils.whole_output import whole_file

FIELDS = ('keys', 'labels', 'branches', 'logits', 'fused', 'classes')
# What numpy raises for files that are cut off, altered or of another kind.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError)


class Scores(NamedTuple):
    """Logits of M branches for N samples; ``branches`` and ``fused`` are averaged over the clips of a sample."""

    keys: List[str]  # (N,)
    labels: Tensor  # (N,) int64
    branches: Dict[str, Tensor]  # M names -> (N, C) float32
    fused: Tensor  # (N, C) float32, of the model's own fusion
    classes: List[str]  # (C,)


def save_scores(file: Union[str, Path], scores: Scores) -> None:
    """Write an ``.npz`` file that appears whole or not at all, with no pickled object in it."""
    with whole_file(file) as partial, open(partial, 'wb') as stream:
        np.savez(
            stream,
            keys=np.array(scores.keys, dtype=str),
            labels=scores.labels.numpy(),
            branches=np.array(list(scores.branches), dtype=str),
            logits=torch.stack(list(scores.branches.values())).numpy(),
            fused=scores.fused.numpy(),
            classes=np.array(scores.classes, dtype=str),
        )


def load_scores(file: Union[str, Path]) -> Scores:
    """Read what :func:`save_scores` wrote; nothing in the file can run.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another file, arrays that don't fit each other, or two samples with one key.
    """
    if not os.path.isfile(file):
        raise FileNotFoundError(f'file of scores {file} does not exist')
    try:
        with np.load(file, allow_pickle=False) as data:
            arrays = {field: data[field] for field in FIELDS}
    except KeyError as error:
        raise ValueError(f'{file} is not a file of scores as DumpScores writes it: {error.args[0]}') from error
    except (*DAMAGED, TypeError, AttributeError) as error:
        raise ValueError(f'{file} is not a readable .npz file of plain arrays: {type(error).__name__}') from error
    _check(file, arrays)
    return Scores(
        arrays['keys'].tolist(),
        torch.from_numpy(arrays['labels']).long(),
        dict(zip(arrays['branches'].tolist(), torch.from_numpy(arrays['logits']).float())),
        torch.from_numpy(arrays['fused']).float(),
        arrays['classes'].tolist(),
    )


def join_scores(files: Sequence[str], scores: Sequence[Scores]) -> List[Scores]:
    """Bring the samples of several files into the order of the first one.

    Args:
        files: their names, for messages.
        scores: what they hold.

    Raises:
        ValueError: files with other keys, labels or numbers of classes than the first, naming what differs.
    """
    first = scores[0]
    joined = []
    for file, other in zip(files, scores):
        positions = {key: i for i, key in enumerate(other.keys)}
        missing = [key for key in first.keys if key not in positions]
        extra = sorted(set(positions) - set(first.keys))
        if missing or extra:
            raise ValueError(
                f'files of scores must hold the same samples: {len(missing)} only in {files[0]} {missing[:5]}, '
                f'{len(extra)} only in {file} {extra[:5]}'
            )
        if len(other.classes) != len(first.classes):
            raise ValueError(f'{files[0]} has {len(first.classes)} classes, {file} has {len(other.classes)}')
        order = torch.tensor([positions[key] for key in first.keys], dtype=torch.long)
        labels = other.labels[order]
        if not torch.equal(labels, first.labels):
            i = int((labels != first.labels).nonzero()[0])
            raise ValueError(
                f'labels differ, first of {first.keys[i]!r}: {int(first.labels[i])} in {files[0]}, '
                f'{int(labels[i])} in {file}'
            )
        branches = {name: z[order] for name, z in other.branches.items()}
        joined.append(Scores(first.keys, labels, branches, other.fused[order], other.classes))
    return joined


def _check(file: Union[str, Path], arrays: Dict[str, np.ndarray]) -> None:
    samples, branches, classes = (len(np.atleast_1d(arrays[field])) for field in ('keys', 'branches', 'classes'))
    expected = dict(
        keys=('U', (samples,)),
        labels=('i', (samples,)),
        branches=('U', (branches,)),
        logits=('f', (branches, samples, classes)),
        fused=('f', (samples, classes)),
        classes=('U', (classes,)),
    )
    for field, (kind, shape) in expected.items():
        array = arrays[field]
        if array.dtype.kind != kind or array.shape != shape:
            raise ValueError(
                f'{file}: {field} must have kind {kind!r}, shape {shape}; got {array.dtype}, {array.shape}'
            )
    repeated = [key for key, count in Counter(arrays['keys'].tolist()).items() if count > 1]
    if repeated:
        raise ValueError(f'{file}: {len(repeated)} keys name several samples, which cannot be joined: {repeated[:5]}')
