"""Set-up of the scope, guards around dependencies, errors and small helpers of every floor."""

from .errors import UnreadableMediaError
from .setup_env import register_all_modules

__all__ = ['UnreadableMediaError', 'register_all_modules']
