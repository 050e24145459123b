from pathlib import Path

from habitus.agent.graph import NODES, build_graph

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "graph.mmd"


def test_the_graph_is_the_golden_one() -> None:
    assert build_graph().get_graph().draw_mermaid() == GOLDEN.read_text(encoding="utf-8")


def test_the_readme_shows_the_graph() -> None:
    assert GOLDEN.read_text(encoding="utf-8").strip() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_node_of_the_design_is_there_and_is_a_verb() -> None:
    names = [node.__name__ for node in NODES]
    assert names == ["route", "feedback", "extract", "command", "recall", "profile", "respond", "commit"]
