"""Lists of Kinetics-400 for VideoListDataset, of the clips that are on disk.

    python tools/data/kinetics400/build_lists.py --annotations DIR --root data/kinetics400 --inputs rgb flow

Reads {train,val,test}.csv.
Clips that one of the inputs lacks are left out of all lists and counted. See the README beside this file.
"""

from mmmutual.datasets.annotations import KINETICS400
from mmmutual.datasets.annotations.command import run_command

if __name__ == '__main__':
    print(run_command(__doc__, KINETICS400))
