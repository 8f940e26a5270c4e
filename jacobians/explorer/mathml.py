"""`keep_mathml`: a formula's MathML as pooled nodes, so that the page builds it without reading markup."""

from __future__ import annotations

from xml.etree import ElementTree

from jacobians.explorer.pool import Pool

__all__ = ["keep_mathml"]

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def keep_mathml(markup: str, pool: Pool) -> int:
    """Return the place of a node ``[tag, attributes, text or places of children]``; equal parts are kept once.

    Examples
    --------
    >>> pool = Pool()
    >>> keep_mathml("<math><mrow><mi>Z</mi><mo>=</mo><mi>Z</mi></mrow></math>", pool)
    3
    >>> pool.values[0], pool.values[2]
    (['mi', {}, 'Z'], ['mrow', {}, [0, 1, 0]])
    """
    return pool.once(markup, lambda: _keep(ElementTree.fromstring(markup), pool))


def _keep(element: ElementTree.Element, pool: Pool) -> int:
    children = [_keep(child, pool) for child in element]
    return pool.keep([element.tag.removeprefix(_NAMESPACE), dict(element.attrib), children or element.text or ""])
