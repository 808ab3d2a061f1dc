"""Lists of HMDB51 for VideoListDataset, of the clips that are on disk.

    python tools/data/hmdb51/build_lists.py --annotations DIR --root data/hmdb51 --inputs rgb flow

Reads the files of testTrainMulti_7030_splits; writes lists/split{1,2,3}/.
Clips that one of the inputs lacks are left out of all lists and counted. See the README beside this file.
"""

from mmmutual.datasets.annotations import HMDB51
from mmmutual.datasets.annotations.command import run_command

if __name__ == '__main__':
    print(run_command(__doc__, HMDB51))
