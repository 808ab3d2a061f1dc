"""How fast a data loader delivers samples, and which steps of its pipeline take the time."""

import itertools
import resource
import sys
import time
from collections import Counter
from typing import Any, Callable, Dict, Optional

from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader


def benchmark_data(cfg: Config, split: str, num_workers: Optional[int], max_samples: int) -> Dict[str, Any]:
    """Measure the loader of a split.

    Args:
        cfg: a checked config.
        split: 'train', 'val' or 'test'.
        num_workers: worker processes; ``None``: as the config says.
        max_samples: how many samples are timed.

    Returns:
        ``samples_per_second`` of the loader; ``single_process`` with ``samples_per_second`` and ``stages``, name ->
        dict of milliseconds per sample ``ms`` and ``share``; ``peak_memory_mib`` of this process and of the largest
        worker.

    Raises:
        ValueError: the config has no such loader, it gives no batch, or its data set has no pipeline.
    """
    loader_cfg = cfg.get(f'{split}_dataloader')
    if loader_cfg is None:
        raise ValueError(f'{cfg.filename} has no {split}_dataloader')
    if num_workers is not None:
        loader_cfg.update(num_workers=num_workers, persistent_workers=num_workers > 0)
    loader = Runner.build_dataloader(loader_cfg, seed=0)
    if len(loader) == 0:
        raise ValueError(f'{split}_dataloader gives no batch of batch_size={loader.batch_size}')
    alone = time_stages(loader, max_samples)
    report = dict(
        split=split,
        num_workers=loader.num_workers,
        batch_size=loader.batch_size,
        samples_per_second=loader_rate(loader, max_samples),
        single_process=alone,
    )
    report['peak_memory_mib'] = dict(main=peak_rss())
    if loader.num_workers > 0:
        del loader  # ends the workers: only then their memory is known
        report['peak_memory_mib']['largest_worker'] = peak_rss(resource.RUSAGE_CHILDREN)
    return report


def time_stages(loader: DataLoader, max_samples: int) -> Dict[str, Any]:
    """Time every transform, the collation and what is left, in this process."""
    seconds: Counter = Counter()

    def timed(name: str, function: Callable) -> Callable:
        def call(data: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(data)
            finally:
                seconds[name] += time.perf_counter() - start

        return call

    dataset: Any = loader.dataset
    while not hasattr(dataset, 'pipeline') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    if not hasattr(dataset, 'pipeline'):
        raise ValueError(f'only a data set with a pipeline can be timed by its stages, got {type(dataset).__name__}')
    transforms = dataset.pipeline.transforms
    collate = timed('collate', loader.collate_fn)
    indices = itertools.islice(itertools.cycle(loader.sampler), max_samples)
    loader.dataset[0]  # opens libraries and caches
    dataset.pipeline.transforms = [timed(type(transform).__name__, transform) for transform in transforms]
    start, count = time.perf_counter(), 0
    try:
        while batch := [loader.dataset[index] for index in itertools.islice(indices, loader.batch_size)]:
            collate(batch)
            count += len(batch)
    finally:
        dataset.pipeline.transforms = transforms
    total = time.perf_counter() - start
    seconds['other'] = total - sum(seconds.values())
    stages = {name: dict(ms=1000 * value / count, share=value / total) for name, value in seconds.items()}
    return dict(samples_per_second=count / total, stages=stages)


def loader_rate(loader: DataLoader, max_samples: int) -> float:
    """Samples per second, once every worker has delivered its first batch."""
    warm_up = max(1, loader.num_workers)
    start, count = 0.0, 0
    for number, batch in enumerate(itertools.chain.from_iterable(itertools.repeat(loader))):
        if number < warm_up:
            start = time.perf_counter()
            continue
        count += len(batch['data_samples'])
        if count >= max_samples:
            break
    return count / (time.perf_counter() - start)


def peak_rss(who: int = resource.RUSAGE_SELF) -> float:
    """Largest resident memory so far, in MiB: of this process, or of the largest child that has ended."""
    return resource.getrusage(who).ru_maxrss / (2**20 if sys.platform == 'darwin' else 2**10)
