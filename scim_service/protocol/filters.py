"""Filters: text in, a typed tree out (RFC 7644 section 3.4.2.2).

The grammar is scim2-filter-parser's, repaired: `and` binds closer than `or`, literals keep their JSON type, escapes are
decoded. Its SQL is never used: it drops what it does not know. Everything after the grammar is ours, and fails closed:
an unknown attribute, a wrong operator or literal, a limit are all InvalidFilter, which never repeats a value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import scim2_filter_parser.ast
import scim2_filter_parser.lexer
import scim2_filter_parser.parser
import sly

from scim_service.errors import InvalidFilter
from scim_service.protocol import limits, names
from scim_service.protocol.matching import match
from scim_service.protocol.names import AttributePath
from scim_service.protocol.schema import Attribute, ResourceType
from scim_service.protocol.text import parse_datetime
from scim_service.protocol.tree import And, Compare, Literal, Node, Not, Or, Present, ValuePath

__all__ = [
    "And",
    "AttributePath",
    "Compare",
    "Node",
    "Not",
    "Or",
    "Present",
    "ValuePath",
    "match",
    "parse",
    "parse_at_root",
    "parse_element",
]


# The library has no types, and what can be inferred of it is wrong: it ends in this file.
ast: Any = scim2_filter_parser.ast
SCIMLexer: Any = scim2_filter_parser.lexer.SCIMLexer
SCIMParser: Any = scim2_filter_parser.parser.SCIMParser
SCIMParserError = scim2_filter_parser.parser.SCIMParserError
Parser: Any = sly.Parser


def parse(text: str, resource_type: ResourceType) -> Node:
    """The tree of a filter over resources of this type. Raises InvalidFilter."""
    return _parsed(text, _Scope(resource_type.name, lambda name: names.resolve_bare(resource_type, name)))


def parse_at_root(text: str, resource_type: ResourceType) -> Node | bool:
    """What a filter over every type means for resources of this one; True for all of them, False for none.

    What this type does not have is an attribute without a value (RFC 7644 section 3.4.2.1), and its meta.resourceType
    is known. Raises InvalidFilter.
    """
    scope = _Scope(resource_type.name, lambda name: names.resolve_bare(resource_type, name) or _NOWHERE)
    return _decided(_parsed(text, scope), resource_type)


def parse_element(text: str, attribute: Attribute) -> Node:
    """The tree of what stands between brackets: its names are parts of `attribute`. Raises InvalidFilter."""
    return _parsed(text, _inside(attribute))


def _parsed(text: str, scope: _Scope) -> Node:
    if len(text) > limits.FILTER_CHARACTERS:
        raise InvalidFilter(f"A filter has at most {limits.FILTER_CHARACTERS} characters; ask for less at once.")
    if not text.strip():
        raise InvalidFilter("The filter is empty; leave it out to ask for everything.")
    try:
        tree = _Parser().parse(_tokens(text))
    except (ValueError, SCIMParserError):
        raise InvalidFilter("The filter holds a string or number that is not as JSON has it.") from None
    node = _lower(tree, scope)
    if _depth(node) > limits.FILTER_DEPTH:
        raise _too_deep()
    return node


def _depth(node: Node) -> int:
    if isinstance(node, And | Or):
        return 1 + max(map(_depth, node.terms))
    if isinstance(node, Not):
        return 1 + _depth(node.term)
    return 1 + _depth(node.filter) if isinstance(node, ValuePath) else 0


def _decided(node: Node, resource_type: ResourceType) -> Node | bool:
    """The tree without what the resource type decides alone."""
    if isinstance(node, Not):
        inner = _decided(node.term, resource_type)
        return not inner if isinstance(inner, bool) else Not(inner)
    if isinstance(node, And | Or):
        deciding = isinstance(node, Or)
        terms = [_decided(term, resource_type) for term in node.terms]
        if deciding in terms:
            return deciding
        left = tuple(term for term in terms if not isinstance(term, bool))
        return replace(node, terms=left) if len(left) > 1 else left[0] if left else not deciding
    if node.path is _NOWHERE:
        return False
    is_told = node.path.key == "meta.resourceType" and not isinstance(node, ValuePath)
    return match(node, {"meta": {"resourceType": resource_type.name}}) if is_told else node


def _too_deep() -> InvalidFilter:
    return InvalidFilter(f"The filter is nested more than {limits.FILTER_DEPTH} deep; write it flatter.")


def _unreadable(token: Any) -> InvalidFilter:
    if token is None:
        return InvalidFilter("The filter ends too early; see RFC 7644 section 3.4.2.2.")
    return InvalidFilter(f"The filter cannot be read at position {token.index + 1}; see RFC 7644 section 3.4.2.2.")


# ---- the grammar: one lexer and one parser for each call, because theirs keep their state in themselves


@dataclass(frozen=True)
class _Reading:
    """A rule of the lexer: what a token looks like, and the value it stands for."""

    pattern: str
    read: Callable[[str], Any]

    def __call__(self, lexer: Any, token: Any) -> Any:
        token.value = self.read(token.value)
        return token


def _string(text: str) -> str:
    """The text of a JSON string. Raises ValueError for a bad escape, half a surrogate pair, or NUL."""
    value: str = json.loads(text)
    value.encode()
    if "\0" in value:
        raise ValueError("NUL")
    return value


def _number(text: str) -> int | float:
    value: int | float = json.loads(text)
    if not abs(value) < _BEYOND:
        raise ValueError("number")
    return value


_BEYOND = 1e300
_NOWHERE = AttributePath("", None)
"""The path of an attribute that a resource type does not have, where that is no mistake."""
_END = r"(?![A-Za-z0-9_$.:-])"


class _Lexer(SCIMLexer):  # type: ignore[misc]
    """Literals as JSON has them, ending where they end; true, false and null in any case, as Entra sends them."""

    tokens = SCIMLexer.tokens
    TRUE = _Reading(f"(?i:true){_END}", lambda text: True)
    FALSE = _Reading(f"(?i:false){_END}", lambda text: False)
    NULL = _Reading(f"(?i:null){_END}", lambda text: None)
    NUMBER = _Reading(rf"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?{_END}", _number)
    COMP_VALUE = _Reading(r'"(?:[^"\\\x00-\x1f]|\\.)*"', _string)
    SCHEMA_URI = _Reading(r"[A-Za-z]+:[A-Za-z0-9:._-]+:", lambda text: text[:-1])

    def error(self, token: Any) -> None:
        raise _unreadable(token)


def _refuse(parser: Any, token: Any) -> None:
    raise _unreadable(token)


def _repaired_parser() -> Any:
    """Their grammar with the precedence of the RFC. A subclass would keep the old tables, so the class is made anew."""
    make: Any = type(SCIMParser)
    namespace = make.__prepare__("_Parser", (Parser,))
    namespace["tokens"] = SCIMParser.tokens
    namespace["precedence"] = (("left", "OR"), ("left", "AND"), ("right", "NOT"))
    namespace.update({name: rule for name, rule in vars(SCIMParser).items() if hasattr(rule, "rules")})
    namespace["error"] = _refuse
    return make("_Parser", (Parser,), namespace)


_Parser = _repaired_parser()

_COMPARISONS = frozenset({"EQ", "NE", "CO", "SW", "EW", "GT", "GE", "LT", "LE", "PR"})
_NESTING = {"LPAREN": 1, "LBRACKET": 1, "RPAREN": -1, "RBRACKET": -1}


def _tokens(text: str) -> Iterator[Any]:
    """The tokens, as long as the limits hold and no name has a blank in it."""
    comparisons = nesting = 0
    previous = None
    for token in _Lexer().tokenize(text):
        comparisons += token.type in _COMPARISONS
        nesting += _NESTING.get(token.type, 0)
        if comparisons > limits.FILTER_COMPARISONS:
            raise InvalidFilter(f"A filter has at most {limits.FILTER_COMPARISONS} comparisons; ask for less at once.")
        if nesting > limits.FILTER_DEPTH:
            raise _too_deep()
        if _is_torn(previous, token):
            raise _unreadable(token)
        yield token
        previous = token


def _is_torn(previous: Any, token: Any) -> bool:
    """Whether a blank breaks a name, or brackets stand where none may: `name .x`, `urn:x: y`, `a.b[…]`, `a[…][…]`."""
    before = previous.type if previous else ""
    touches = previous is not None and previous.end == token.index
    if token.type == "SUBATTR":
        return before not in {"ATTRNAME", "RBRACKET"} or not touches
    if token.type == "LBRACKET":
        return before in {"SUBATTR", "RBRACKET"}
    return before == "SCHEMA_URI" and not touches


# ---- the meaning: names resolved, literals typed


@dataclass(frozen=True)
class _Scope:
    """Where names are looked up: a resource type, or inside the brackets of `holder`."""

    holder: str
    resolve: Callable[[str], AttributePath | None]
    inside: bool = False

    def path(self, named: Any) -> AttributePath:
        """The path that an AttrPath of the grammar means."""
        text = ".".join([named.attr_name, *([named.sub_attr.value] if named.sub_attr else [])])
        path = self.resolve(f"{named.uri}:{text}" if named.uri else text)
        if path is None:
            raise InvalidFilter(f"{self.holder} has no attribute '{text[:64]}' that the filter could ask for.")
        leaf = path.leaf
        if leaf is not None and (leaf.returned == "never" or leaf.mutability == "writeOnly"):
            raise InvalidFilter(f"'{path.key}' is never told, so no filter can ask for it.")
        return path


def _inside(attribute: Attribute | None) -> _Scope:
    if attribute is None:
        return _Scope("", lambda name: _NOWHERE, inside=True)
    return _Scope(attribute.name, lambda name: names.resolve_part(attribute, name), inside=True)


def _lower(tree: Any, scope: _Scope) -> Node:
    """The typed tree of a tree of the grammar. The parser's limits keep the recursion shallow."""
    if isinstance(tree, ast.Filter):
        node = _lower(tree.expr, scope) if tree.namespace is None else _value_path(tree, scope)
        return Not(node) if tree.negated else node
    if isinstance(tree, ast.LogExpr):
        terms = tuple(_lower(term, scope) for term in _terms(tree))
        return And(terms) if tree.op.lower() == "and" else Or(terms)
    if isinstance(tree.attr_path.attr_name, ast.Filter):
        return _value_path_with_part(tree, scope)
    return _comparison(tree, scope.path(tree.attr_path))


def _terms(tree: Any) -> list[Any]:
    """What a chain of the same `and` or `or` joins, however the grammar nested it, in the order of the text."""
    found, pending = [], [tree]
    while pending:
        one = pending.pop()
        while isinstance(one, ast.Filter) and not one.negated and one.namespace is None:
            one = one.expr
        if isinstance(one, ast.LogExpr) and one.op.lower() == tree.op.lower():
            pending += [one.expr2, one.expr1]
        else:
            found.append(one)
    return found


def _value_path(tree: Any, scope: _Scope) -> Node:
    """`emails[type eq "work"]`."""
    path, attribute = _holder(tree.namespace, scope)
    within = _lower(tree.expr, _inside(attribute))
    return ValuePath(path, within) if attribute else Present(path)


def _value_path_with_part(tree: Any, scope: _Scope) -> Node:
    """`emails[type eq "work"].value eq "x"`, as Entra writes `emails[type eq "work" and value eq "x"]`.

    The grammar hangs `.value` on the name before the brackets.
    """
    inner = tree.attr_path.attr_name
    part = inner.namespace.sub_attr
    if part is None:
        raise InvalidFilter("Brackets are not compared as a whole; name a part, as in emails[type pr].value.")
    path, attribute = _holder(ast.AttrPath(inner.namespace.attr_name, None, inner.namespace.uri), scope)
    within = _inside(attribute)
    chosen = _lower(inner.expr, within)
    wanted = _comparison(tree, within.path(ast.AttrPath(part.value, None, None)))
    terms = (*chosen.terms, wanted) if isinstance(chosen, And) else (chosen, wanted)
    return ValuePath(path, And(terms)) if attribute else Present(path)


def _holder(named: Any, scope: _Scope) -> tuple[AttributePath, Attribute | None]:
    """The multi-valued complex attribute before brackets, None where the type may lack it and does.

    Raises InvalidFilter for any other, and inside brackets.
    """
    if scope.inside or isinstance(named.attr_name, ast.Filter):
        raise InvalidFilter("Brackets stand inside brackets; a value filter has none in it.")
    path = scope.path(named)
    attribute = path.attribute
    if path is _NOWHERE:
        return path, None
    if attribute is None or path.sub or not (attribute.multi_valued and attribute.type == "complex"):
        raise InvalidFilter(f"'{path.key}' takes no filter in brackets; only a multi-valued complex attribute does.")
    return path, attribute


def _comparison(tree: Any, path: AttributePath) -> Node:
    """A leaf: presence, which comparison with null is too (decision 10), or comparison with a literal."""
    operator = tree.value.lower()
    if operator == "pr":
        return Present(path)
    literal = tree.comp_value.value
    if literal is None:
        return _null(operator, path)
    if path is _NOWHERE:
        return Not(Present(path)) if operator == "ne" else Present(path)
    path = _with_value(path)
    assert path.leaf is not None
    return Compare(path, operator, _typed(operator, path, path.leaf, literal))


def _null(operator: str, path: AttributePath) -> Node:
    if operator not in _EQUALITY:
        raise InvalidFilter(f"'{path.key}' is compared with null; only eq and ne do that.")
    return Not(Present(path)) if operator == "eq" else Present(path)


def _with_value(path: AttributePath) -> AttributePath:
    """A complex attribute is compared by its `value`: `emails eq "x"` is `emails.value eq "x"`."""
    leaf = path.leaf
    if leaf is not None and leaf.type != "complex":
        return path
    value = leaf.sub("value") if leaf is not None else None
    if value is None:
        raise InvalidFilter(f"'{path.key}' has parts; name the one to compare, or use pr.")
    return replace(path, sub=value)


def _typed(operator: str, path: AttributePath, leaf: Attribute, literal: Any) -> Literal:
    operators, read = _TYPES[leaf.type]
    if operator not in operators:
        raise InvalidFilter(f"'{path.key}' is a {leaf.type}; the operator {operator} is not for it.")
    value = read(literal)
    if value is None:
        raise InvalidFilter(f"'{path.key}' is a {leaf.type}; it is compared with something else.")
    return value


def _as_text(literal: Any) -> str | None:
    return literal if isinstance(literal, str) else None


def _as_boolean(literal: Any) -> bool | None:
    """A boolean, also from the strings that Entra sends for it."""
    if isinstance(literal, str):
        return {"true": True, "false": False}.get(literal.lower())
    return literal if isinstance(literal, bool) else None


def _as_number(literal: Any) -> int | float | None:
    return literal if isinstance(literal, int | float) and not isinstance(literal, bool) else None


def _as_instant(literal: Any) -> Literal | None:
    return parse_datetime(literal) if isinstance(literal, str) else None


_EQUALITY = frozenset({"eq", "ne"})
_ORDER = _EQUALITY | {"gt", "ge", "lt", "le"}
_ANY = _ORDER | {"co", "sw", "ew"}

_TYPES: dict[str, tuple[frozenset[str], Callable[[Any], Literal | None]]] = {
    "string": (_ANY, _as_text),
    "reference": (_ANY, _as_text),
    "binary": (_EQUALITY, _as_text),
    "boolean": (_EQUALITY, _as_boolean),
    "integer": (_ORDER, _as_number),
    "decimal": (_ORDER, _as_number),
    "dateTime": (_ORDER, _as_instant),
}
"""Type → the operators it knows, and how a literal is read as that type (None: it cannot be)."""
