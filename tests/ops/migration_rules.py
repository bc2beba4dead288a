"""What a migration must not do while pods of the release before still write: read from its source, in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TAKING_AWAY = {"RemoveField", "DeleteModel", "RenameField", "RenameModel", "AlterModelTable"}
REFUSING = {"AddConstraint", "AddConstraintNotValid", "AlterUniqueTogether"}
OF_FIELDS = {"AddField", "AlterField"}
OF_NO_COLUMN = {"ManyToManyField", "GeneratedField"}
LENGTHS = {"URLField": 200, "EmailField": 254, "SlugField": 50}  # where none is said
SQL_TAKES = re.compile(
    r"\b(DROP(?! NOT NULL)|RENAME|TRUNCATE|SET NOT NULL|ADD (?:CONSTRAINT|CHECK|UNIQUE)|CREATE UNIQUE INDEX"
    r"|ALTER COLUMN \S+ (?:SET DATA )?TYPE)\b",
    re.IGNORECASE,
)

Fields = dict[tuple[str, str], ast.Call]


@dataclass
class App:
    """The fields of an app's models as its migrations made them until now."""

    fields: Fields = field(default_factory=dict)

    def findings(self, source: str) -> list[str]:
        """What code of the release before would trip over; a table made in the same file it does not know."""
        tree = ast.parse(source)
        made: set[str] = set()
        texts = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        found = []
        for name, call, on_database in _operations(tree):
            if name == "CreateModel":
                made.add(self._create(call))
            elif name == "RunSQL" and on_database:
                found += _taken_by_sql(_argument(call, "sql", 0), texts)
            elif name in TAKING_AWAY | REFUSING | OF_FIELDS:
                model, what, after = (
                    _argument(call, *place) for place in (("model_name", 0), ("name", 1), ("field", 2))
                )
                key = (_text(model).lower(), _text(what))
                if on_database and key[0] not in made:
                    found += _tripped_over(name, key, self.fields.get(key), after)
                if isinstance(after, ast.Call):
                    self.fields[key] = after
        return found

    def _create(self, call: ast.Call) -> str:
        model = _text(_argument(call, "name", 0)).lower()
        fields = _argument(call, "fields", 1)
        for pair in fields.elts if isinstance(fields, ast.List) else []:
            if isinstance(pair, ast.Tuple) and isinstance(pair.elts[1], ast.Call):
                self.fields[model, _text(pair.elts[0])] = pair.elts[1]
        return model


def _operations(node: ast.AST, on_database: bool = True) -> Iterator[tuple[str, ast.Call, bool]]:
    """Name, call, and whether it changes the database: what Django alone is told changes nothing there."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
            yield child.func.attr, child, on_database
        in_state = isinstance(child, ast.keyword) and child.arg == "state_operations"
        yield from _operations(child, on_database and not in_state)


def _tripped_over(name: str, key: tuple[str, str], before: ast.Call | None, after: ast.expr | None) -> Iterable[str]:
    where = ".".join(filter(None, key))
    if name in TAKING_AWAY:
        yield f"{name} {where}"
    elif name in REFUSING:
        yield f"{name} {key[0]}: what old pods write may be refused"
    elif name == "AddField" and isinstance(after, ast.Call) and not _may_be_left_out(after):
        yield f"AddField {where}: old pods do not write it, and the database has no default"
    elif name == "AlterField" and isinstance(after, ast.Call):
        yield from (f"AlterField {where}: {why}" for why in _narrowed(before, after))


def _may_be_left_out(column: ast.Call) -> bool:
    return _kind(column) in OF_NO_COLUMN or _said(column, "null") == "True" or bool(_said(column, "db_default"))


def _narrowed(before: ast.Call | None, after: ast.Call) -> Iterator[str]:
    if before is None or _kind(before) != _kind(after):
        yield "another type"
        return
    if _said(before, "null") == "True" != _said(after, "null"):
        yield "no longer empty"
    if _length(after) < _length(before):
        yield "shorter"
    for word in ("unique", "primary_key"):
        if _said(after, word) == "True" != _said(before, word):
            yield f"now {word}"
    if _said(before, "db_default") and not _said(after, "db_default"):
        yield "no default in the database any more"
    if _said(before, "db_column") != _said(after, "db_column"):
        yield "another column"


def _length(column: ast.Call) -> float:
    said = _said(column, "max_length")
    return int(said) if said else LENGTHS.get(_kind(column), float("inf"))


def _kind(column: ast.Call) -> str:
    return ast.unparse(column.func).rsplit(".", 1)[-1]


def _said(column: ast.Call, word: str) -> str:
    return next((ast.unparse(found.value) for found in column.keywords if found.arg == word), "")


def _argument(call: ast.Call, word: str, place: int) -> ast.expr | None:
    named = next((found.value for found in call.keywords if found.arg == word), None)
    return named or (call.args[place] if len(call.args) > place else None)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _taken_by_sql(node: ast.expr | None, texts: dict[str, ast.expr]) -> list[str]:
    """What the statements take away; a name stands for the text that the file gives it."""
    found = []
    for part in ast.walk(node) if node else ():
        if isinstance(part, ast.Name) and part.id in texts:
            found += _taken_by_sql(texts[part.id], texts)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            words = " ".join(re.sub(r"--.*", "", part.value).split())
            found += [f"RunSQL: {taken.upper()}" for taken in SQL_TAKES.findall(words)]
    return found
