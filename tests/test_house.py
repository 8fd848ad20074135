"""The structure: every room stands in the contract of who may import whom."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: Not in the layers: migrations import what Django tells them to, apps only register, the database knows nobody.
APART = {"migrations", "apps", "database", "__init__", "templates", "static"}


def test_every_module_is_in_the_layers_contract():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    named = {name.strip() for layer in contract["layers"] for name in layer.split(":")}
    there = {
        f"{app}.{path.stem}"
        for app in ("tracker", "releases")
        for path in (ROOT / app).iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem not in APART
    }
    assert named == there
