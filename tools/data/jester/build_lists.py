"""Lists of Jester for VideoListDataset, of the clips that are on disk.

    python tools/data/jester/build_lists.py --annotations DIR --root data/jester --inputs rgb flow

Reads jester-v1-{labels,train,validation,test}.csv.
Clips that one of the inputs lacks are left out of all lists and counted. See the README beside this file.
"""

from mmmutual.datasets.annotations import JESTER
from mmmutual.datasets.annotations.command import run_command

if __name__ == '__main__':
    print(run_command(__doc__, JESTER))
