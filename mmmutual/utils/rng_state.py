"""The states of all random generators of a process, as plain tensors and numbers for a checkpoint."""

import random
from typing import Any, Dict

import numpy as np
import torch


def capture_rng_state() -> Dict[str, Any]:
    """States of the generators of python, numpy, torch and, where there is one, of the current GPU."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    state = dict(
        python=dict(version=version, words=torch.tensor(words), gauss=gauss),
        numpy=dict(
            name=name, keys=torch.from_numpy(keys.astype(np.int64)), position=position, gauss=[has_gauss, cached]
        ),
        torch=torch.get_rng_state(),
    )
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def restore_rng_state(state: Dict[str, Any]) -> None:
    """Set every generator to what :func:`capture_rng_state` gave."""
    python, numpy = state['python'], state['numpy']
    random.setstate((python['version'], tuple(python['words'].tolist()), python['gauss']))
    keys = numpy['keys'].cpu().numpy().astype(np.uint32)
    np.random.set_state((numpy['name'], keys, numpy['position'], *numpy['gauss']))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
