"""What can go wrong in the store.

StoreError
  NotFound            no such run or experiment
  Conflict            the state of a run does not allow it
    IllegalTransition   a run can't go from its state to that one
    RunActive           a run that is at work can't be deleted
  Superseded          a worker writes for an attempt that is over
  Vanished            the database's file is no longer where it was
  Unreadable          a file that a run left is damaged
"""


class StoreError(Exception):
    """str() says what is wrong, with the value and the way out."""


class NotFound(StoreError):
    def __init__(self, what: str, wanted: int) -> None:
        self.what, self.wanted = what, wanted
        super().__init__(f"{what} {wanted} does not exist: GET /api/v1/{what}s lists what does")


class Conflict(StoreError):
    pass


class IllegalTransition(Conflict):
    pass


class RunActive(Conflict):
    pass


class Superseded(StoreError):
    pass


class Vanished(StoreError):
    pass


class Unreadable(StoreError):
    pass
