"""Numbers as options take them: anything else is refused, with the range in plain words."""

from typing import Any

import click


class WholeNumber(click.IntRange):
    """A whole number of at least `min`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number.

        Raises:
            click.BadParameter: it is not one, or too small.
        """
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"{value!r} is not a whole number of at least {self.min}.", param, ctx)


class NumberWithin(click.FloatRange):
    """A number from `min` to `max`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number.

        Raises:
            click.BadParameter: it is not one, or out of range.
        """
        try:
            return float(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"{value!r} is not a number from {self.min} to {self.max}.", param, ctx)
