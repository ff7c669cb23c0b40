"""Where objects go that name no namespace: who deploys them decides that, and we write none."""

from __future__ import annotations

from typing import NamedTuple

from transformer.lint.objects import Object
from transformer.model import Resource


class Namespace(NamedTuple):
    """Joins objects as if those without a namespace had this one; '' leaves them without."""

    default: str

    def resources(self, found: list[Resource]) -> list[Resource]:
        """The same, each with its namespace."""
        return [one if one.namespace else one._replace(namespace=self.default) for one in found]

    def objects(self, found: list[Object]) -> None:
        """Put the namespace into those that have none."""
        for one in found:
            one.namespace = one.namespace or self.default
