"""Lists of UCF101 for VideoListDataset, of the clips that are on disk.

    python tools/data/ucf101/build_lists.py --annotations DIR --root data/ucf101 --inputs rgb flow

Reads classInd.txt and {train,test}list0{1,2,3}.txt; writes lists/split{1,2,3}/.
Clips that one of the inputs lacks are left out of all lists and counted. See the README beside this file.
"""

from mmmutual.datasets.annotations import UCF101
from mmmutual.datasets.annotations.command import run_command

if __name__ == '__main__':
    print(run_command(__doc__, UCF101))
