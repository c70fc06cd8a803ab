"""The WHERE of a list: only the conditions that were asked for, so that each can use its index."""


class Where:
    """Conditions, and the arguments they compare with after those the statement takes itself."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = list(arguments)
        self._conditions = ["true"]

    def add(self, condition: str, *arguments: object) -> None:
        """``{}`` in ``condition`` stands for each argument in turn."""
        first = len(self.arguments) + 1
        self.arguments += arguments
        self._conditions.append(condition.format(*(f"${first + i}" for i in range(len(arguments)))))

    def put_into(self, statement: str) -> str:
        """The statement with the conditions where it says ``/* filters */ true``."""
        return statement.replace("/* filters */ true", "\n  AND ".join(self._conditions))
