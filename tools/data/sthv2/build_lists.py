"""Lists of Something-Something v2 for VideoListDataset, of the clips that are on disk.

    python tools/data/sthv2/build_lists.py --annotations DIR --root data/sthv2 --inputs rgb flow

Reads {labels,train,validation,test}.json, also with the prefix something-something-v2-.
Clips that one of the inputs lacks are left out of all lists and counted. See the README beside this file.
"""

from mmmutual.datasets.annotations import STHV2
from mmmutual.datasets.annotations.command import run_command

if __name__ == '__main__':
    print(run_command(__doc__, STHV2))
