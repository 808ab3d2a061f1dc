"""Errors that the toolbox tells apart from a programmer's mistake."""


class UnreadableMediaError(ValueError):
    """A media file can't give what was asked of it: nothing decodes, no such stream, too short.

    Args:
        path: the file.
        reason: one of the stable words of the media checker, e.g. ``unreadable``, ``no video stream``,
            ``no audio stream``, ``empty audio``; further detail may follow after a colon.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f'{path}: {reason}')
        self.path = str(path)
        self.reason = reason

    def __reduce__(self):
        # Exceptions of two arguments don't survive the way out of a worker process by themselves.
        return type(self), (self.path, self.reason)
