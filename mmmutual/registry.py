"""Child registries of mmengine's roots, all of scope ``mmmutual``.

``locations`` names the packages that hold the registered classes, so that a type is found without an import by
hand: ``mmmutual.X`` from a config of any scope, plain ``X`` under ``default_scope = 'mmmutual'``. Losses, fusions,
heads, encoders, modulators and update schedules all are parts of a model and live in :data:`MODELS`.
"""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import EVALUATOR as MMENGINE_EVALUATOR
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import INFERENCERS as MMENGINE_INFERENCERS
from mmengine.registry import LOG_PROCESSORS as MMENGINE_LOG_PROCESSORS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODEL_WRAPPERS as MMENGINE_MODEL_WRAPPERS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import OPTIMIZERS as MMENGINE_OPTIMIZERS
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE_PARAM_SCHEDULERS
from mmengine.registry import RUNNERS as MMENGINE_RUNNERS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISBACKENDS as MMENGINE_VISBACKENDS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import WEIGHT_INITIALIZERS as MMENGINE_WEIGHT_INITIALIZERS
from mmengine.registry import Registry


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    """A registry of scope ``mmmutual`` below ``parent``; ``locations`` are imported at the first look-up."""
    return Registry(name, parent=parent, scope='mmmutual', locations=list(locations))


RUNNERS = _child('runner', MMENGINE_RUNNERS, 'mmmutual.engine')
LOOPS = _child('loop', MMENGINE_LOOPS, 'mmmutual.engine')
HOOKS = _child('hook', MMENGINE_HOOKS, 'mmmutual.engine', 'mmmutual.visualization')
LOG_PROCESSORS = _child('log_processor', MMENGINE_LOG_PROCESSORS, 'mmmutual.engine')
OPTIMIZERS = _child('optimizer', MMENGINE_OPTIMIZERS, 'mmmutual.engine')
OPTIM_WRAPPERS = _child('optim_wrapper', MMENGINE_OPTIM_WRAPPERS, 'mmmutual.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS, 'mmmutual.engine'
)
PARAM_SCHEDULERS = _child('parameter scheduler', MMENGINE_PARAM_SCHEDULERS, 'mmmutual.engine')
MODEL_WRAPPERS = _child('model wrapper', MMENGINE_MODEL_WRAPPERS, 'mmmutual.engine')

DATASETS = _child('dataset', MMENGINE_DATASETS, 'mmmutual.datasets')
DATA_SAMPLERS = _child('data sampler', MMENGINE_DATA_SAMPLERS, 'mmmutual.datasets')
TRANSFORMS = _child('transform', MMENGINE_TRANSFORMS, 'mmmutual.datasets')
FUNCTIONS = _child('function', MMENGINE_FUNCTIONS, 'mmmutual.datasets')

MODELS = _child('model', MMENGINE_MODELS, 'mmmutual.models', 'mmmutual.engine')
WEIGHT_INITIALIZERS = _child('weight initializer', MMENGINE_WEIGHT_INITIALIZERS, 'mmmutual.models')
TASK_UTILS = _child('task util', MMENGINE_TASK_UTILS, 'mmmutual.models')

METRICS = _child('metric', MMENGINE_METRICS, 'mmmutual.evaluation')
EVALUATOR = _child('evaluator', MMENGINE_EVALUATOR, 'mmmutual.evaluation')

VISUALIZERS = _child('visualizer', MMENGINE_VISUALIZERS, 'mmmutual.visualization')
VISBACKENDS = _child('vis_backend', MMENGINE_VISBACKENDS, 'mmmutual.visualization')
INFERENCERS = _child('inferencer', MMENGINE_INFERENCERS, 'mmmutual.apis')
