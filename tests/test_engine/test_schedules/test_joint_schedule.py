"""One update of everything."""

from mmmutual.engine import JointSchedule
from mmmutual.registry import MODELS


class Model:
    def joint_update(self, inputs, data_samples):
        return inputs, data_samples


def test_the_only_update_is_the_models_own():
    schedule = MODELS.build(dict(type='JointSchedule'))
    assert list(schedule.updates(Model(), dict(a=1), [2])) == [(dict(a=1), [2])]
    assert JointSchedule.plain
