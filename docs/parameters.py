"""Writes docs/parameters.md from the models of params.yaml's sections: make parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic.fields import FieldInfo

from demand.schema.sections import Section
from workspace.run import paths
from workspace.run.all_params import Params

PAGE = Path("docs/parameters.md")
HEAD = """# Parameters

Every key of `params.yaml`, with the value that is committed. This page is written by `make parameters` from the models beside the
code; a key or a value that they do not allow is an error that says so.
"""


def allowed(field: FieldInfo) -> str:
    """The values that a key may have, in words."""
    kind: Any = field.annotation
    if literal := [value for value in get_args(kind) if isinstance(value, str)]:
        return ", ".join(f"`{value}`" for value in literal)
    name = getattr(kind, "__name__", str(kind)) if not get_args(kind) else str(kind)
    name = name.replace("datetime.date", "date").replace("NoneType", "null").replace("None", "null").replace("typing.", "")
    words = {"int": "integer", "float": "number", "str": "text", "bool": "true or false", "date": '"YYYY-MM-DD"',
             "date | null": '"YYYY-MM-DD" or null', "tuple[str, ...]": "list of names", "str | null": "text or null",
             "dict[str, str] | null": "names by store, or null",
             "str | tuple[str, ...] | null": "text, list of names, or null", "Optional[Literal['.', ',']]": "`.`, `,` or null"}
    limits = [f"{sign} {getattr(each, attribute):g}" for each in field.metadata
              for sign, attribute in ((">", "gt"), ("≥", "ge"), ("<", "lt"), ("≤", "le")) if hasattr(each, attribute)]
    if "tuple" in name and "int" in name:
        return "a number, or a list of days"
    return ", ".join([words.get(name, name), *limits])


def rows(kind: type[Section], values: dict[str, Any], path: str) -> list[str]:
    """One table row per key, those of nested sections by their dotted path."""
    found = []
    for name, field in kind.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, Section):
            found += rows(nested, values[name], f"{path}{name}.")
        else:
            value = yaml.safe_dump(values[name], default_flow_style=True).removesuffix("...\n").strip()
            found.append(f"| `{path}{name}` | `{value}` | {allowed(field)} | {field.description or ''} |")
    return found


def page(values: dict[str, Any]) -> str:
    """The whole page, given what params.yaml says."""
    parts = [HEAD]
    for name, field in Params.model_fields.items():
        kind = field.annotation
        assert isinstance(kind, type)
        parts.append(f"## {name}\n\n{(kind.__doc__ or '').strip()}\n\n| key | value | allowed | what it means |\n"
                     "| --- | --- | --- | --- |\n" + "\n".join(rows(kind, values[name], "")) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8"))), encoding="utf-8")
