"""Lists of Something-Something v1 for VideoListDataset, of the clips that are on disk.

    python tools/data/sthv1/build_lists.py --annotations DIR --root data/sthv1 --inputs rgb flow

Reads something-something-v1-{labels,train,validation,test}.csv.
Clips that one of the inputs lacks are left out of all lists and counted. See the README beside this file.
"""

from mmmutual.datasets.annotations import STHV1
from mmmutual.datasets.annotations.command import run_command

if __name__ == '__main__':
    print(run_command(__doc__, STHV1))
