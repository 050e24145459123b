"""A reply as HTML in a notebook's cell."""

from __future__ import annotations

from pathlib import Path

from habitus.agent import Agent
from habitus.retrievers.encoder import HashingEncoder


def test_a_reply_shows_what_it_rests_on(tmp_path: Path) -> None:
    with Agent.open(tmp_path, encoder=HashingEncoder(64)) as agent:
        told = agent.chat("maya", "I hate restaurants with 5 < 6 tables.")
        asked = agent.chat("maya", "Which restaurants do I hate?")
    html = told._repr_html_()
    assert "Learnt" in html
    assert "Persona" in html
    assert "5 < 6" not in html
    assert "5 &lt; 6" in html
    html = asked._repr_html_()
    assert "Kept in mind" in html or "Recalled" in html
    assert "a prompt of" in html


def test_what_was_recalled_shows_the_score_of_each_arm(tmp_path: Path) -> None:
    with Agent.open(tmp_path, encoder=HashingEncoder(64)) as agent:
        agent.chat("maya", "I hate restaurants with 5 < 6 tables.", session_id="a")
        found = agent.recall("maya", "Which restaurants do I hate?")
        nothing = agent.recall("nobody", "Which restaurants do I hate?")
    html = found._repr_html_()
    assert "5 &lt; 6" in html
    for arm in found.evidence[0].arms:
        assert arm in html
    assert f"{found.evidence[0].score:.2f}" in html
    assert "nothing" in nothing._repr_html_()
