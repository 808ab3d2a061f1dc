import pytest

from .action_model import write_action_model


@pytest.fixture(scope='session')
def action_model(tmp_path_factory):
    """See :func:`write_action_model`."""
    return write_action_model(tmp_path_factory.mktemp('action_model'))
