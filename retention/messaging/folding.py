"""Filling a template once with what is the same for everybody, so that each recipient costs only what differs.

What is left is a short list of steps: words that all recipients share, a placeholder of hers, a choice by one of them.
These are done by hand; whatever else a template may say is left to Liquid, node by node. `tests/laws` holds the result
equal to rendering the whole template, but for the limit on what it may grow to, which here holds for each node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import liquid
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path
from liquid.builtin.expressions.logical import is_truthy
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.context import builtin
from liquid.exceptions import LiquidInterrupt, LiquidSyntaxError
from liquid.expression import Expression
from liquid.stringify import to_liquid_string
from markupsafe import escape

from retention.messaging.frames import Body, Static
from retention.messaging.limits import in_time
from retention.messaging.words import FAILURES

#: Tags that only choose; others keep something for what comes after them.
_PURE_TAGS = frozenset({"if", "unless", "case"})
#: Liquid may find something at the end of a path that has no such name.
_FOUND_ANYWAY = frozenset({"size", "first", "last"})


class FoldedTemplate:
    """A template in steps that each recipient takes for herself."""

    __slots__ = ("_steps", "_template")

    def __init__(self, template: liquid.BoundTemplate, constants: Mapping[str, Any]) -> None:
        """`template` is changed and belongs to this object from now on."""
        self._template = template
        context = template.context_class(template, globals=template.make_globals(dict(constants)))
        taken = frozenset(_names_taken(template.nodes, context))
        nodes = _folded(template, template.nodes, frozenset(constants) - taken, context)
        self._steps = _steps(nodes, taken)

    def fill(self, values: Mapping[str, Any]) -> Body:
        """The words of one recipient; the same as rendering the whole template.

        Raises:
            words.FAILURES
        """
        filling = _Filling(self._template, values)
        with in_time():
            filling.take(self._steps)
        return Body(filling.pieces)


# --- once for everybody ------------------------------------------------------------------------------------------


def _names_taken(nodes: Iterable[Node], context: Any) -> Iterator[str]:
    """What the template itself gives a value anywhere: such a name need not mean the placeholder."""
    for node in nodes:
        yield from node.template_scope()
        yield from node.block_scope()
        yield from _names_taken(node.children(context), context)


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


def _blocks(node: Node, context: Any) -> Iterator[BlockNode]:
    for child in node.children(context):
        if isinstance(child, BlockNode):
            yield child
        else:
            yield from _blocks(child, context)


def _constant(template: liquid.BoundTemplate, node: Node, constants: frozenset[str], context: Any) -> str | None:
    """What the node says to everybody, or None where that differs."""
    if isinstance(node, ContentNode):
        return _lines(node.text)
    alone = liquid.BoundTemplate(template.env, nodes=[node])
    analysis = alone.analyze()
    if analysis.locals or not set(analysis.tags) <= _PURE_TAGS or not set(analysis.globals) <= constants:
        return None
    buffer = template._get_buffer()
    try:
        node.render(context, buffer)
    except FAILURES:
        # It may stand where nobody ever gets to.
        return None
    return buffer.getvalue()


# --- for each recipient ------------------------------------------------------------------------------------------


class _Filling:
    """One recipient's words on their way; Liquid's own context is made when something first needs it."""

    __slots__ = ("_context", "pieces", "template", "values")

    def __init__(self, template: liquid.BoundTemplate, values: Mapping[str, Any]) -> None:
        self.template = template
        self.values = values
        self.pieces: list[Static | str] = []
        self._context: Any = None

    @property
    def context(self) -> Any:
        if self._context is None:
            template = self.template
            self._context = template.context_class(template, globals=template.make_globals(self.values))
        return self._context

    def take(self, steps: Iterable[Static | _Step]) -> None:
        for step in steps:
            if isinstance(step, Static):
                self.pieces.append(step)
            else:
                step.take(self)


#: A plain path, or an expression that Liquid evaluates, or none: always.
_Condition = tuple[str, ...] | Expression | None


class _Step:
    """Something that differs from recipient to recipient."""

    __slots__ = ()

    def take(self, filling: _Filling) -> None:
        raise NotImplementedError


class _Say(_Step):
    """`{{ path | filter }}`"""

    __slots__ = ("_filters", "_path")

    def __init__(self, path: tuple[str, ...], filters: Sequence[Any]) -> None:
        self._path = path
        self._filters = filters

    def take(self, filling: _Filling) -> None:
        value = _look_up(filling, self._path)
        for each in self._filters:
            value = each.evaluate(value, filling.context)
        autoescape = filling.template.env.autoescape
        if type(value) is str:
            text = escape(value) if autoescape else value
        else:
            text = to_liquid_string(value, autoescape)
        filling.pieces.append(_lines(str(text)))


class _Choose(_Step):
    """`{% if … %}`: the steps of the first branch whose condition holds; the last may have none."""

    __slots__ = ("_branches",)

    def __init__(
        self, branches: Sequence[tuple[tuple[str, ...] | Expression | None, Sequence[Static | _Step]]]
    ) -> None:
        self._branches = branches

    def take(self, filling: _Filling) -> None:
        for condition, steps in self._branches:
            if condition is None or (
                _is_true(_look_up(filling, condition))
                if isinstance(condition, tuple)
                else condition.evaluate(filling.context)
            ):
                filling.take(steps)
                return


class _Ask(_Step):
    """Anything else: Liquid renders it."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    def take(self, filling: _Filling) -> None:
        buffer = filling.template._get_buffer()
        try:
            self._node.render(filling.context, buffer)
        except LiquidInterrupt as interrupt:
            raise LiquidSyntaxError(f"unexpected '{interrupt}'", token=self._node.token) from None
        filling.pieces.append(buffer.getvalue())


def _look_up(filling: _Filling, path: tuple[str, ...]) -> Any:
    value: Any = filling.values
    try:
        for name in path:
            value = value[name]
    except (KeyError, TypeError):
        return filling.template.env.undefined(path[0])
    return value


def _is_true(value: Any) -> bool:
    """As Liquid answers, which takes its time for words and nothing as for anything else."""
    return True if type(value) is str else value is not None and is_truthy(value)


def _lines(text: str) -> str:
    """Every line ended as Liquid ends it."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _steps(nodes: Iterable[Node], taken: frozenset[str]) -> list[Static | _Step]:
    return [Static(node.text) if isinstance(node, ContentNode) else _step(node, taken) for node in nodes]


def _step(node: Node, taken: frozenset[str]) -> _Step:
    if type(node) is OutputNode and type(node.expression) is FilteredExpression:
        path = _plain_path(node.expression.left, taken)
        if path:
            return _Say(path, node.expression.filters or ())
    if type(node) is IfNode:
        branches = [(node.condition, node.consequence)]
        branches += [(branch.expression, branch.block) for branch in node.alternatives]
        branches += [(None, node.default)] if node.default else []
        # A branch of nothing but white space says nothing at all, though what it does counts.
        if not any(block.blank for _condition, block in branches):
            return _Choose([(_condition(given, taken), _steps(block.nodes, taken)) for given, block in branches])
    return _Ask(node)


def _condition(given: Expression | None, taken: frozenset[str]) -> _Condition:
    return (isinstance(given, BooleanExpression) and _plain_path(given.expression, taken)) or given


def _plain_path(expression: Expression, taken: frozenset[str]) -> tuple[str, ...]:
    """The names of a path that leads through the recipient's values and nothing else, or nothing."""
    if not isinstance(expression, Path):
        return ()
    names = tuple(name for name in expression.path if isinstance(name, str) and name not in _FOUND_ANYWAY)
    is_plain = len(names) == len(expression.path) and names[0] not in taken and names[0] not in builtin
    return names if is_plain else ()
