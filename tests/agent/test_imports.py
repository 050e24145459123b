"""What loads when: imports are cheap until something is used."""

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

HEAVY = ("torch", "transformers", "sentence_transformers", "chromadb", "onnxruntime", "tantivy", "langgraph")


def loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys\nsys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["habitus.agent", "habitus.memory", "habitus.retrievers", "habitus.agent.commands.app"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}").isdisjoint(HEAVY)


def test_the_command_line_loads_nothing_heavy_to_show_its_help() -> None:
    loaded = loaded_by("import habitus.evals.cli")
    assert loaded.isdisjoint({*HEAVY, "numpy", "pydantic", "rich"})


def test_the_agent_loads_neither_torch_nor_transformers() -> None:
    assert loaded_by("from habitus.agent import Agent").isdisjoint({"torch", "transformers", "chromadb"})


@pytest.mark.parametrize("package", ["agent", "memory", "retrievers", "tools"])
def test_all_names_that_are_promised_are_there(package: str) -> None:
    code = (
        f"import habitus.{package} as package\n"
        "assert package.__all__ == sorted(package.__all__)\n"
        "missing = [name for name in package.__all__ if not hasattr(package, name)]\n"
        "assert package.__all__ and not missing, missing"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ["agent", "memory", "retrievers", "tools"])
def test_no_public_name_is_hidden_by_a_module_of_the_same_name(package: str) -> None:
    # Once a submodule was imported, it stands in the package under its name, whatever was exported.
    exported = import_module(f"habitus.{package}")
    modules = {module.name for module in iter_modules(exported.__path__)}
    assert modules.isdisjoint(exported.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    import habitus.agent

    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = habitus.agent.Nonsense
