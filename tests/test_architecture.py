"""The floors import downwards only, and the core works without a viewer."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import napari_simpleclick

ROOT = Path(napari_simpleclick.__file__).parent
PACKAGE = "napari_simpleclick"
BELOW = {
    "types": set(),
    "io": {"types"},
    "modeling": {"types"},
    "inference": {"types", "modeling"},
    "evaluation": {"types", "modeling", "inference", "io"},
    "training": {"types", "modeling", "inference", "evaluation", "io"},
    "plugin": {"types", "modeling", "inference", "evaluation", "io"},
    "segment_file": {"types", "modeling", "inference", "io"},
    "demo": {"types", "modeling", "inference", "io", "segment_file", "plugin"},
}
VIEWER = {"napari", "qtpy", "magicgui", "psygnal"}
TOP = {"__init__", "cli", "commands"}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return names


def floor_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def test_floors_import_downwards_only() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        floor = floor_of(path)
        if floor in TOP:
            continue
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == PACKAGE and len(parts) > 1:
                target = parts[1]
                if target in BELOW and target not in BELOW[floor] | {floor}:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
            elif parts[0] in VIEWER and floor not in {"plugin", "demo"}:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_every_floor_is_known() -> None:
    assert {floor_of(path) for path in ROOT.rglob("*.py")} == set(BELOW) | TOP


def test_the_core_imports_without_a_viewer() -> None:
    modules = sorted(
        ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts))
        for path in ROOT.rglob("*.py")
        if floor_of(path) not in {"plugin", "demo"} and path.name != "__init__.py"
    )
    code = (
        "import sys, importlib\n"
        f"sys.modules.update(dict.fromkeys({sorted(VIEWER)}))\n"
        f"for name in {modules}: importlib.import_module(name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
