"""Opening the arrays of ``golden/mml`` such that none is forgotten."""

import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Collection, Dict, Iterator

import numpy as np

SAMPLING = 'num_frames|num_segments|dense_length'
CLIPS = 'crop_cfg|rgb2|flow4'

# Part -> its file, and a regular expression of the names of its arrays. One test reads a part as a whole (of one case
# where there is a {case}); test_mml_inventory.py asserts that the parts cover all files. Arrays that have no
# counterpart here are no list of ours: they are those of ``do_not_reproduce`` in settings.json, and of BNInception.
PARTS = dict(
    shift=('shift.npz', '.*'),
    mutual_loss=('mutual_loss.npz', '.*_(z|y|ce|kl|dz|target)'),
    peer_accuracy=('mutual_loss.npz', '.*_(z|y|top1_top5_percent)'),
    stem_transfer=('stem_transfer.npz', '.*'),
    forward=('fwd_{case}.npz', '.*'),
    gradient=('grad_{case}.npz', '.*'),
    training=('train_{case}.npz', '.*'),
    lr_schedule=('lr_schedule.npz', '.*'),
    train_sampling=('sampling.npz', f'{SAMPLING}|seed_offset|train_.*'),
    uniform_val_sampling=('sampling.npz', f'{SAMPLING}|val_uniform_.*'),
    dense_val_sampling=('sampling.npz', f'{SAMPLING}|val_dense_.*'),
    test_sampling=('sampling.npz', f'{SAMPLING}|test_.*'),
    frame_order=('frame_order.npz', '.*'),
    channel_split=('channel_split.npz', '.*'),
    crop_boxes=('transforms.npz', 'msc_.*'),
    sample=('transforms.npz', 'sample_.*'),
    resize=('transforms.npz', 'crop_cfg|rgb2|scaled_rgb'),
    crops=('transforms.npz', f'{CLIPS}|(center|three|five|ten)_.*'),
    mirrored_flow=('transforms.npz', 'flow4|hflip_flow'),
    full_resolution=('transforms.npz', 'fullres_offsets'),
    views=('testing.npz', '(?!ens_){case}'),
    ensemble=('testing.npz', 'ens_(scores|coeff|out)'),
    ensemble_accuracy=('testing.npz', 'ens_(out|label|top1_top5|csv_top5)'),
    ensemble_confusion=('testing.npz', 'ens_(out|label|confusion|class_acc|upper)'),
)


class Arrays(Dict[str, np.ndarray]):
    """Arrays by name, and the names of those that nobody has looked up."""

    def __init__(self, held: Dict[str, np.ndarray]) -> None:
        super().__init__(held)
        self.unread = set(held)

    def __getitem__(self, name: str) -> np.ndarray:
        value = super().__getitem__(name)
        self.unread.discard(name)
        return value


@contextmanager
def arrays(golden: Path, part: str, case: str = '', without: Collection[str] = ()) -> Iterator[Arrays]:
    """Arrays of a part, but for those named in ``without``; leaving fails if one of them was not looked up."""
    file, names = PARTS[part]
    pattern = re.compile(names.format(case=re.escape(case)))
    with np.load(golden / file.format(case=case)) as stored:
        held = Arrays({name: stored[name] for name in stored.files if pattern.fullmatch(name) and name not in without})
    assert held, f'{part} {case}: no array'
    yield held
    assert not held.unread, f'{part} {case}: nothing reads {sorted(held.unread)}'


def load_json(golden: Path, name: str) -> Any:
    """Content of a json file."""
    return json.loads((golden / name).read_text())
