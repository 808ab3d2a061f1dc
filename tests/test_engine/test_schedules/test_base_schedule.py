"""What an update schedule must define."""

import pytest

from mmmutual.engine import UpdateSchedule


def test_updates_must_be_defined():
    class Empty(UpdateSchedule):
        pass

    with pytest.raises(NotImplementedError, match='Empty must define updates'):
        Empty().updates(None, {}, [])
    assert not Empty.plain, 'only a schedule that says so goes through the forward of DDP'
