"""Filling a template once with what is the same for everybody, so that each recipient costs only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import liquid
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.exceptions import LiquidInterrupt, LiquidSyntaxError

from retention.messaging.frames import Body, Static

#: Tags that only choose; others keep something for what comes after them.
_PURE_TAGS = frozenset({"if", "unless", "case"})


class FoldedTemplate:
    """A template in pieces: words that all recipients share, and nodes that each fills for herself."""

    __slots__ = ("_pieces", "_template")

    def __init__(self, template: liquid.BoundTemplate, constants: Mapping[str, Any]) -> None:
        """`template` is changed and belongs to this object from now on."""
        self._template = template
        shadowed = set(template.analyze().locals)
        context = template.context_class(template, globals=template.make_globals(dict(constants)))
        folded = _folded(template, template.nodes, frozenset(constants) - shadowed, context)
        self._pieces: list[Static | Node] = [
            Static(node.text) if isinstance(node, ContentNode) else node for node in folded
        ]

    def fill(self, values: Mapping[str, Any]) -> Body:
        """The words of one recipient; the same as rendering the whole template.

        Raises:
            LiquidError
        """
        template = self._template
        context = template.context_class(template, globals=template.make_globals(dict(values)))
        pieces: list[Static | str] = []
        for piece in self._pieces:
            if isinstance(piece, Static):
                pieces.append(piece)
                continue
            buffer = template._get_buffer()
            try:
                piece.render(context, buffer)
            except LiquidInterrupt as interrupt:
                raise LiquidSyntaxError(f"unexpected '{interrupt}'", token=piece.token) from None
            pieces.append(buffer.getvalue())
        return Body(pieces)


def _folded(
    template: liquid.BoundTemplate, nodes: Sequence[Node], constants: frozenset[str], context: Any
) -> list[Node]:
    """The nodes with every constant run of them rendered into one node of content, inside blocks too."""
    result: list[Node] = []
    for node in nodes:
        text = _constant(template, node, constants, context)
        if text is None:
            for block in _blocks(node, context):
                block.nodes = _folded(template, block.nodes, constants, context)
            result.append(node)
        elif result and isinstance(result[-1], ContentNode):
            result[-1] = ContentNode(result[-1].token, result[-1].text + text)
        else:
            result.append(ContentNode(node.token, text))
    return result


def _blocks(node: Node, context: Any) -> list[BlockNode]:
    blocks = []
    for child in node.children(context):
        blocks += [child] if isinstance(child, BlockNode) else _blocks(child, context)
    return blocks


def _constant(template: liquid.BoundTemplate, node: Node, constants: frozenset[str], context: Any) -> str | None:
    """What the node says to everybody, or None where that differs."""
    if isinstance(node, ContentNode):
        return node.text
    alone = liquid.BoundTemplate(template.env, nodes=[node])
    analysis = alone.analyze()
    if analysis.locals or not set(analysis.tags) <= _PURE_TAGS or not set(analysis.globals) <= constants:
        return None
    buffer = template._get_buffer()
    node.render(context, buffer)
    return buffer.getvalue()
