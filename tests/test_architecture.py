"""The house rules that a machine can check: directions, names, sizes, doors, time, and nothing private in any file."""

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model
from importlinter import api as import_linter

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("retention", "campaigns", "loyalty", "referrals")
#: They translate and make one operation call; nothing imports them but the routes and other doors.
#: (`pulse` is what a worker itself calls.)
DOORS = {"admin", "endpoints", "pulse", "resources", "tasks", "views"}
FORBIDDEN_NAMES = {"common", "constants", "helpers", "managers", "misc", "services", "signals", "utils"}
MODULE_LINES, FUNCTION_LINES = 400, 70


@cache
def tracked_files() -> tuple[Path, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        # An unpacked archive: everything but what we make ourselves.
        made = {".venv", ".data", "staticfiles", "__pycache__"}
        return tuple(path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.parts))
    return tuple(path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file())


def product_modules(*, migrations: bool = False) -> list[Path]:
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in ROOMS
        and (migrations or "migrations" not in path.parts)
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def shown(path: Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(ROOT)}{f':{node.lineno}' if node is not None else ''}"


def called_name(node: ast.AST) -> str:
    """`a.b.c` of a call or a decorator; empty for anything else."""
    if isinstance(node, ast.Call):
        node = node.func
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ".".join(reversed(parts))


def is_door(path: Path) -> bool:
    """A door, or a part of one that has become a package; bases of doors and rooms of nothing but doors too."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    rooms_of_doors = {"api", "console", "doors", "storefront"}
    named = {part.split("_")[0] if part.startswith("endpoints_") else part for part in parts}
    return bool(DOORS & named) or "management" in parts or (len(parts) > 1 and parts[1] in rooms_of_doors)


# Directions


def test_imports_point_downward():
    assert import_linter.use_cases.lint_imports(cache_dir=None, is_debug_mode=True), "run `lint-imports` to see which"


@cache
def rows() -> dict[str, tuple[int, int]]:
    """Room → (row from the top, neighbourhood): strangers in a row differ in the second, friends share it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "directions")
    found = {}
    for number, row in enumerate(layers):
        for place, name in enumerate(re.split(r"[|:]", row)):
            found[name.strip().strip("()")] = (number, place if "|" in row else 0)
    return found


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in ROOMS]


def test_foreign_keys_point_downward():
    astray = []
    for model in our_models():
        for field in model._meta.get_fields():
            if not (isinstance(field, ForeignKey) or field.many_to_many) or field.auto_created:
                continue
            mine, theirs = model._meta.app_config.name, field.related_model._meta.app_config.name
            if theirs not in rows() or mine == theirs:
                continue
            (my_row, my_place), (their_row, their_place) = rows()[mine], rows()[theirs]
            if my_row > their_row or (my_row == their_row and my_place != their_place):
                astray.append(f"{model._meta.label}.{field.name} → {theirs}")
    assert astray == []


def test_every_app_has_its_row():
    ours = {config.name for config in apps.get_app_configs() if config.name.split(".")[0] in ROOMS}
    assert ours - set(rows()) == set()


def test_nothing_imports_a_door():
    routes = {"retention.urls", "retention.schedule"}
    astray = []
    for path in product_modules():
        if dotted(path) in routes or path.stem == "urls" or is_door(path):
            continue
        for node in ast.walk(tree(path)):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.split(".")[0] in ROOMS]
            # The bases of doors are for doors as well, but their conditions and roles are anybody's.
            if any(DOORS & set(name.split(".")) for name in names):
                astray.append(shown(path, node))
    assert astray == []


# Names and sizes


def test_every_module_says_what_belongs_in_it():
    mute = [
        shown(path)
        for path in tracked_files()
        if path.suffix == ".py"
        and "migrations" not in path.parts
        and path.read_text().strip()
        and not ast.get_docstring(tree(path))
    ]
    assert mute == []


def test_modules_are_named_for_what_they_are():
    assert [shown(path) for path in tracked_files() if path.suffix == ".py" and path.stem in FORBIDDEN_NAMES] == []


def test_modules_and_functions_are_short_enough_to_read():
    long = []
    for path in product_modules():
        lines = len(path.read_text().splitlines())
        if lines > MODULE_LINES:
            long.append(f"{shown(path)}: {lines} lines")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    long.append(f"{shown(path, node)} {node.name}: {length} lines")
    assert long == []


# Habits


def test_imports_stand_at_the_top_and_hide_from_nobody():
    astray = []
    for path in product_modules(migrations=True):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = (ast.Import, ast.ImportFrom)
                astray += [shown(path, part) for part in ast.walk(node) if isinstance(part, inner)]
            if isinstance(node, ast.Name | ast.alias) and "TYPE_CHECKING" in (
                getattr(node, "id", ""), getattr(node, "name", "")
            ):  # fmt: skip
                astray.append(shown(path, node))
    assert sorted(set(astray)) == []


def test_nothing_happens_behind_the_reader():
    """No signal receivers, no dates that set themselves, no `save` that does more than save."""
    astray = []
    for path in product_modules(migrations=True):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                astray += [
                    shown(path, node) for mark in node.decorator_list if called_name(mark).split(".")[-1] == "receiver"
                ]
            if isinstance(node, ast.Call):
                if re.search(r"\b(pre|post)_(save|delete|init|migrate)\.connect$", called_name(node)):
                    astray.append(shown(path, node))
                astray += [shown(path, node) for word in node.keywords if word.arg in ("auto_now", "auto_now_add")]
    astray += [f"{model._meta.label}.save" for model in our_models() if {"save", "delete"} & set(vars(model))]
    assert astray == []


CLOCK_CALLS = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|timezone\.(now|localdate|localtime)|time\.(time|time_ns|localtime|gmtime))$"
)


def test_only_the_clock_reads_the_time():
    astray = [
        shown(path, node)
        for path in product_modules()
        if dotted(path) != "retention.clock"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and CLOCK_CALLS.search(called_name(node))
    ]
    assert astray == []


def test_only_doors_ask_the_clock():
    astray = [
        shown(path, node)
        for path in product_modules()
        if not is_door(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and called_name(node) == "clock.now"
    ]
    assert astray == []


# Files

#: Written in pieces, so that this file does not accuse itself.
PRIVATE = re.compile(
    "|".join(
        (
            "files\\.pythonhosted" + "\\.org",
            "\\bpypi" + "\\.org/(simple|packages)",
            "arti" + "factory",
            "--(extra-)?index" + "-url",
            "--find" + "-links",
            "--trusted" + "-host",
            "(^|[\\s\"'=(:])/(root|work)" + "/[\\w.]",
            "/home" + "/(?!retention)\\w+",
            "/Users" + "/\\w",
        )
    ),
    re.MULTILINE,
)


def test_no_file_names_a_registry_or_a_machine():
    astray = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        astray += [f"{shown(path)}: {found.group().strip()}" for found in PRIVATE.finditer(text)]
    assert astray == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_hashed_and_name_no_place(name):
    text = (ROOT / name).read_text()
    assert [line for line in text.splitlines() if line.startswith("-") or "://" in line] == []
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z])", re.sub(r"(?m)^\s*#.*\n?", "", text)) if entry.strip()]
    assert len(entries) > 50
    loose = [
        entry.split()[0]
        for entry in entries
        if not re.match(r"[A-Za-z0-9._\-\[\],]+==\S+", entry) or "--hash=sha256:" not in entry
    ]
    assert loose == []


def test_what_runs_is_pinned_alike_for_development():
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"(?m)^([A-Za-z0-9._\-]+)(?:\[[^\]]*\])?==([^\s;]+)", (ROOT / name).read_text()))

    development = pins("requirements-dev.txt")
    assert {name: pin for name, pin in pins("requirements.txt").items() if development.get(name) != pin} == {}


def test_the_example_environment_names_every_setting():
    asked = set()
    for path in product_modules():
        asked |= set(re.findall(r"\benv\.\w+\(\s*[\"']([A-Z_]+)[\"']", path.read_text()))
        asked |= set(re.findall(r"os\.environ(?:\.get\(|\[)\s*[\"']([A-Z_]+)[\"']", path.read_text()))
    named = set(re.findall(r"(?m)^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text()))
    assert asked - named - {"DJANGO_SETTINGS_MODULE"} == set()
    assert len(asked) > 10
