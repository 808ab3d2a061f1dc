"""What every data set of several modalities has in common."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
from mmengine.dataset import BaseDataset

from mmmutual.registry import TRANSFORMS
from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.replicas import get_replica
from mmmutual.utils.seeding import seeded

from .unreadable import UnreadableRecord

MAX_TRIES = 100


class MultiModalDataset(BaseDataset):
    """Base of data sets whose samples have several inputs.

    A subclass implements ``load_data_list``: one dict per sample with ``key`` (str, unique), ``gt_label`` (int) and
    ``sources`` (dict: input name -> where it comes from), and the property :attr:`input_names`.

    Randomness: the pipeline runs with the global generators of python, numpy and torch seeded by (seed, epoch, drawn
    index) of the :class:`~mmmutual.datasets.SampleIndex` that :class:`~mmmutual.datasets.ResumableSampler` gives, so
    that a resumed run repeats no augmentation and leaves none out; transforms of other packages are covered. A plain
    integer counts as seed 0, epoch 0.

    Unreadable media (:class:`~mmmutual.utils.UnreadableMediaError` in the pipeline): the sample is replaced whole by
    another one that is drawn at random, in testing too; see :class:`~mmmutual.datasets.unreadable.UnreadableRecord`.

    Args:
        data_root: folder that relative paths start from.
        pipeline: transforms, as dicts or callables.
        metainfo: overrides of what the data set says about itself.
        indices: a subset: the first n samples (n > 0), the last -n (n < 0), or a list of indices.
        test_mode: whether the samples are for validation or testing.
        max_unreadable: how many distinct samples may be unreadable before the run stops; ``None``: 1 % of the
            samples or 100, whichever is more.
        serialize_data: keep the list of samples as bytes, which worker processes share.
        lazy_init: don't read the lists before they are needed.
    """

    METAINFO: dict = dict()

    def __init__(
        self,
        data_root: str = '',
        pipeline: Sequence[Union[dict, Callable]] = (),
        metainfo: Optional[dict] = None,
        indices: Optional[Union[int, Sequence[int]]] = None,
        test_mode: bool = False,
        max_unreadable: Optional[int] = None,
        serialize_data: bool = True,
        lazy_init: bool = False,
    ) -> None:
        self.max_unreadable = max_unreadable
        replica = None if test_mode else get_replica()
        self._needed_inputs = None if replica is None else replica.inputs
        super().__init__(
            data_root=data_root,
            data_prefix=dict(),
            metainfo=metainfo,
            indices=indices,
            test_mode=test_mode,
            serialize_data=serialize_data,
            lazy_init=lazy_init,
            # built by our registry: plain names are found without a default scope too
            pipeline=[TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline],
        )
        self._metainfo.setdefault('dataset_type', type(self).__name__)

    @property
    def input_names(self) -> Tuple[str, ...]:
        """Names of the inputs that a sample of this data set can have, in order."""
        raise NotImplementedError(f'{type(self).__name__} must say its input_names')

    @property
    def num_classes(self) -> Optional[int]:
        """Number of classes; None for data without ``classes`` in its meta information."""
        classes = self._metainfo.get('classes')
        return None if classes is None else len(classes)

    def filter_data(self) -> List[dict]:
        """Refuse labels outside the classes, which on a GPU would end in an assertion of the device.

        Raises:
            ValueError: naming the sample, its label and the number of classes.
        """
        for info in self.data_list if self.num_classes is not None else ():
            if not 0 <= info.get('gt_label', 0) < self.num_classes:
                raise ValueError(
                    f'sample {info.get("key", "?")!r} of {type(self).__name__} has gt_label {info["gt_label"]}, but '
                    f'there are {self.num_classes} classes: labels go from 0 to {self.num_classes - 1}'
                )
        return super().filter_data()

    def full_init(self) -> None:
        """Read and check the lists; see ``BaseDataset.full_init``."""
        if self._fully_initialized:
            return
        super().full_init()
        self.unreadable = UnreadableRecord(len(self), self.max_unreadable)

    def _get_unserialized_subset(self, indices: Union[int, Sequence[int]]) -> List[dict]:
        count = len(self.data_list)
        try:
            subset = super()._get_unserialized_subset(indices)
        except IndexError:
            raise ValueError(
                f'indices of {type(self).__name__} must lie in [{-count}, {count}), got {indices}'
            ) from None
        if not subset:
            raise ValueError(f'indices={indices!r} of {type(self).__name__} leaves none of its {count} samples')
        return subset

    def __getitem__(self, idx: int) -> Any:
        """What the pipeline makes of a sample.

        Args:
            idx: index, as ``SampleIndex`` or plain integer.

        Raises:
            IndexError: no such sample.
            RuntimeError: more unreadable samples than ``max_unreadable``, or 100 unreadable ones in a row.
        """
        self.full_init()
        if not -len(self) <= idx < len(self):
            raise IndexError(f'sample {int(idx)} of a data set of {len(self)}')
        index = int(idx) % len(self)
        seeds = getattr(idx, 'seed', 0), getattr(idx, 'epoch', 0), getattr(idx, 'drawn', index)
        tries: List[UnreadableMediaError] = []
        while len(tries) < MAX_TRIES:
            # Each try has its own stream, so that the replacement doesn't depend on how far the pipeline came.
            with seeded(*seeds, len(tries)):
                if tries:
                    index = int(np.random.randint(len(self)))
                try:
                    return self.prepare_data(index)
                except UnreadableMediaError as error:
                    tries.append(error)
                    self.unreadable.add(index, self.get_data_info(index)['key'], error)
        raise RuntimeError(f'{MAX_TRIES} samples drawn one after the other are unreadable. The last one: {tries[-1]}')

    def get_data_info(self, idx: int) -> Dict[str, Any]:
        """What is known of a sample; ``needed_inputs`` where this process trains on some of its inputs only."""
        info = super().get_data_info(idx)
        if self._needed_inputs is not None:
            info['needed_inputs'] = self._needed_inputs
        return info

    def prepare_data(self, idx: int) -> Dict[str, Any]:
        """Run the pipeline on one sample.

        Raises:
            ValueError: the pipeline gave nothing.
        """
        data = super().prepare_data(idx)
        if data is None:
            raise ValueError(
                f"the pipeline gave None for sample '{self.get_data_info(idx)['key']}': every transform must return "
                'the results, or raise UnreadableMediaError to have the sample replaced'
            )
        return data
