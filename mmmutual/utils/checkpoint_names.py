"""Names of the same weights in the checkpoints of several code bases (spec/mml.md 3.4): strings only.

Ours, inside a branch, are ``encoder.backbone.*`` with mmaction2's names of backbones, and ``head.fc.*``.
"""

import re
from typing import Dict, Iterable, List

# mmaction2's Recognizer2D, the original code of MML and TSM, or torchvision's bare names -> ours
_PARTS = [
    (r'^(?:new_fc|base_model\.fc|base_model\.classifier|cls_head\.fc_cls|fc|classifier\.1)\.', 'head.fc.'),
    (r'^(?:base_model|backbone)\.', 'encoder.backbone.'),
    (r'^(?=(?:conv1|bn1|conv2|layer\d|features)\.)', 'encoder.backbone.'),
]
# torchvision's layers, which the original wraps, -> those of mmaction2
_LAYERS = [
    (r'\.backbone\.conv1\.(weight|bias)$', r'.backbone.conv1.conv.\1'),
    (r'\.backbone\.bn1\.', '.backbone.conv1.bn.'),
    (r'(\.\d+(?:\.net|\.block)*)\.conv(\d)\.(net\.)?(weight|bias)$', r'\1.conv\2.conv.\3\4'),
    (r'(\.\d+(?:\.net|\.block)*)\.bn(\d)\.', r'\1.conv\2.bn.'),
    (r'\.downsample\.0\.', '.downsample.conv.'),
    (r'\.downsample\.1\.', '.downsample.bn.'),
    (r'\.nl\.(g|phi)\.0\.', r'.non_local_block.\1.0.conv.'),
    (r'\.nl\.theta\.', '.non_local_block.theta.conv.'),
    (r'\.nl\.W\.0\.', '.non_local_block.conv_out.conv.'),
    (r'\.nl\.W\.1\.', '.non_local_block.conv_out.bn.'),
    (r'\.features\.0\.0\.', '.conv1.conv.'),
    (r'\.features\.0\.1\.', '.conv1.bn.'),
    (r'\.features\.18\.0\.', '.conv2.conv.'),
    (r'\.features\.18\.1\.', '.conv2.bn.'),
]
# features.1 to features.17 of MobileNetV2
_MOBILENET_BLOCKS = [f'layer{i + 1}.{j}' for i, blocks in enumerate((1, 2, 3, 4, 3, 3, 1)) for j in range(blocks)]
_MOBILENET_LAYER = re.compile(r'\bfeatures\.(\d+)\.conv\.(\d)\.(?:([01])\.)?(net\.)?')
_IN_MODEL = re.compile(r'^branches\.([^.]+)\.')


def without_module(name: str) -> str:
    """A name as it was before DataParallel wrapped the model."""
    return name[len('module.') :] if name.startswith('module.') else name


def without_wrappers(name: str) -> str:
    """A name as it was before TSM wrapped layers for shift (``.net``), temporal pool or non-local (``.block``)."""
    return name.replace('.net.', '.').replace('.block.', '.')


def branches_in(names: Iterable[str]) -> List[str]:
    """Branches that the names of a model of ours belong to."""
    found = (_IN_MODEL.match(without_module(name)) for name in names)
    return list(dict.fromkeys(match.group(1) for match in found if match))


def branch_names(names: Iterable[str]) -> Dict[str, str]:
    """Names of one network -> those inside a branch of ours, with the wrappers that the names tell of.

    Args:
        names: all names of a state dict of the original code of MML or TSM, mmaction2's Recognizer2D, torchvision's
            ResNet or MobileNetV2, a backbone alone, or a branch of ours. Unknown names stay as they are.
    """
    names = list(names)
    nested = any((match := _MOBILENET_LAYER.search(name)) and match.group(3) for name in names)
    renamed = {name: _branch_name(name, nested) for name in names}
    # The original shifts before a bare convolution, mmaction2 before the module that holds its batch norm as well.
    found = (re.match(r'(.*\.conv\.0\.)net\.conv\.', name) for name in renamed.values())
    shifted = {match.group(1) for match in found if match}
    for name, ours in renamed.items():
        prefix, part, rest = ours.partition('.conv.0.bn.')
        if part and f'{prefix}.conv.0.' in shifted:
            renamed[name] = f'{prefix}.conv.0.net.bn.{rest}'
    return renamed


def _branch_name(name: str, nested: bool) -> str:
    name = without_module(name)
    if name.startswith(('encoder.', 'head.')):
        return name
    for pattern, replacement in _PARTS:
        name = re.sub(pattern, replacement, name)
    if not name.startswith('encoder.backbone.'):
        return name
    for pattern, replacement in _LAYERS:
        name = re.sub(pattern, replacement, name)
    return _MOBILENET_LAYER.sub(lambda match: _mobilenet_layer(match, nested), name)


def _mobilenet_layer(match: re.Match, nested: bool) -> str:
    """Layers of a block are numbered 0, 1, 3, 4, 6, 7 in the original; torchvision nests all but the last two."""
    block, number, inner, net = match.groups()
    if not 1 <= int(block) <= len(_MOBILENET_BLOCKS):
        return match.group()
    if inner is not None:
        layer, is_norm = int(number), inner == '1'
    elif nested:
        layer = 1 if block == '1' else 2  # the first block has no expansion
        is_norm = int(number) != layer
    else:
        layer, is_norm = divmod(int(number), 3)
    return f'{_MOBILENET_BLOCKS[int(block) - 1]}.conv.{layer}.{net or ""}{"bn" if is_norm else "conv"}.'


def mmaction_name(name: str) -> str:
    """Name inside a branch of ours -> name inside mmaction2's Recognizer2D."""
    return re.sub(r'^head\.fc\.', 'cls_head.fc_cls.', re.sub(r'^encoder\.backbone\.', 'backbone.', name))


def fitted_names(names: Iterable[str], wanted: Iterable[str]) -> Dict[str, str]:
    """Names -> those of a network that has other wrappers (old checkpoints lack ``.net``); others stay as they are."""
    names, wanted = list(names), list(wanted)
    exact = set(names) & set(wanted)
    by_plain_name = {without_wrappers(name): name for name in wanted if name not in exact}
    return {name: name if name in exact else by_plain_name.get(without_wrappers(name), name) for name in names}
