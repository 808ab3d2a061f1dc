"""Official annotation files of public data sets, and the lists built from them."""

from .hmdb51 import HMDB51
from .kinetics import KINETICS400
from .lists import build_lists, input_options
from .official import Annotations, Clip, OfficialDataset
from .something import JESTER, STHV1, STHV2
from .ucf101 import UCF101

__all__ = [
    'HMDB51',
    'JESTER',
    'KINETICS400',
    'STHV1',
    'STHV2',
    'UCF101',
    'Annotations',
    'Clip',
    'OfficialDataset',
    'build_lists',
    'input_options',
]
