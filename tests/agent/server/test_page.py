"""The page in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the Python package `playwright` is not installed")
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect, sync_playwright

from habitus.agent import Agent
from habitus.agent.server.app import ServerOptions, create_app
from habitus.agent.server.keys import KeyRing
from habitus.memory.records import Conversation, Message
from habitus.retrievers.encoder import HashingEncoder
from tests.agent.server.conftest import served, wait_until
from tests.agent.server.piecewise import PiecewiseChat

expect.set_options(timeout=20_000)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
VIEWS = ("chat", "preferences", "persona", "profile", "search", "data")
WIDE, NARROW = (1200, 850), (360, 740)
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script><a href='javascript:alert(3)'>x</a>"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root.
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=as_root)
        yield launched
        launched.close()


@dataclass
class Visit:
    """A page that is open, and what went wrong in it."""

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)

    def go(self, view: str) -> None:
        self.page.goto(f"{self.url}/#{view}")
        link = self.page.locator(f"nav a[href='#{view.split('/')[0]}'][aria-current=page]")
        expect(link).to_be_attached()
        expect(self.page.locator("main:not([aria-busy])")).to_be_attached()

    def as_user(self, name: str) -> None:
        self.page.get_by_label("User", exact=True).fill(name)
        self.page.get_by_role("button", name="Switch").click()

    def say(self, text: str) -> None:
        replies = self.page.get_by_role("button", name="Good reply")
        before = replies.count()
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_role("button", name="Send").click()
        expect(replies).to_have_count(before + 1)

    def card(self, statement: str) -> Locator:
        return self.page.locator("#preferences article").filter(has_text=statement).first


Visiting = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Visiting]:
    """Open the page in a context of its own; at the end nothing may have gone wrong in it."""
    visits: list[Visit] = []
    with ExitStack() as contexts:

        def open_page(size: tuple[int, int] = WIDE, scheme: str = "light", at: str = url) -> Visit:
            context: BrowserContext = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme="dark" if scheme == "dark" else "light",
                locale="en-GB",
            )
            contexts.callback(context.close)
            context.set_default_timeout(20_000)
            made = Visit(context.new_page(), at)
            made.page.on(
                "console", lambda m: made.problems.append(m.text) if m.type in ("error", "warning") else None
            )
            made.page.on("pageerror", lambda error: made.problems.append(str(error)))

            def refuse(dialog: object) -> None:
                made.problems.append("a dialog was opened")
                dialog.dismiss()  # type: ignore[attr-defined]

            made.page.on("dialog", refuse)
            made.page.goto(at)
            visits.append(made)
            return made

        yield open_page
        assert [problem for one in visits for problem in one.problems] == []


@pytest.fixture
def known(agent: Agent) -> Agent:
    """An agent that knows the user maya: something held, something changed, something pending."""
    start = datetime.now(UTC) - timedelta(days=200)
    for place, text in enumerate(
        (
            "I hate loud restaurants. My sister Rachel lives in Porto.",
            "I prefer short answers.",
            "I usually take the train to work.",
            "I prefer long, detailed answers now.",
        )
    ):
        agent.chat("maya", text, at=start + timedelta(days=40 * place))
    return agent


def test_from_the_first_message_to_deletion(visit: Visiting, agent: Agent) -> None:
    seen = visit()
    page = seen.page
    expect(page.get_by_text("Talk as you would to anybody.")).to_be_visible()
    seen.as_user("maya")
    seen.say("I hate loud restaurants. My sister Rachel lives in Porto.")
    expect(page.locator(".why").last).to_contain_text("Learnt from your message")
    seen.say("Which restaurants suit me, loud or not?")
    expect(page.locator(".why").last).to_contain_text("Kept in mind")
    expect(page.locator(".why").last).to_contain_text("I hate loud restaurants.")

    page.get_by_role("link", name="Preferences").click()
    card = seen.card("I hate loud restaurants.")
    expect(card).to_contain_text("dislikes")
    card.get_by_text("Where this comes from").click()
    expect(card).to_contain_text("“I hate loud restaurants.”")
    card.get_by_role("button", name="That's right").click()
    expect(page.get_by_role("status")).to_contain_text("Confirmed.")
    card.get_by_role("button", name="Edit").click()
    card.get_by_label("In one sentence").fill("I hate loud restaurants with music.")
    card.get_by_label("When it holds").fill("on weekdays")
    card.get_by_role("button", name="Save").click()
    card = seen.card("I hate loud restaurants with music.")
    expect(card).to_contain_text("on weekdays")
    expect(card).to_contain_text("1 change")
    active = agent.preferences("maya", status="active")
    assert [(one.scope, one.confidence) for one in active] == [("on weekdays", 1.0)]
    seen.card("I hate loud restaurants with music.").get_by_role("button", name="Not me").click()
    expect(page.get_by_text("No longer so (1)")).to_be_visible()
    assert agent.preferences("maya", status="active") == []

    page.get_by_role("link", name="Persona").click()
    newest = agent.personas("maya")[-1].version
    page.get_by_role("button", name="Go back to version 1", exact=True).click()
    expect(page.get_by_role("heading", name=f"In force: version {newest + 1}")).to_be_visible()
    page.get_by_text("Compare two versions").click()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("There is no difference.")).to_be_visible()

    page.get_by_role("link", name="Profile").click()
    people = page.locator("#profile article").filter(has_text="People")
    people.get_by_text("Where this comes from").click()
    expect(people).to_contain_text("Rachel")

    page.get_by_role("link", name="Search").click()
    page.get_by_label("Question to memory").fill("Where does my sister live?")
    page.get_by_label("Question to memory").press("Enter")
    expect(page.locator("#search article").first).to_contain_text("Porto")

    page.get_by_role("link", name="Your data").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON").click()
    assert len(json.loads(Path(download.value.path()).read_text())["turns"]) == 4
    page.get_by_label("Everything that speaks of").fill("my sister Rachel")
    page.get_by_role("button", name="Forget it for good").click()
    expect(page.get_by_role("status")).to_contain_text("Deleted for good")
    assert agent.facts("maya") == []
    page.get_by_label("To make sure").fill("delete everything")
    page.get_by_role("button", name="Delete everything for good").click()
    expect(page.get_by_role("status")).to_contain_text("Everything is deleted.")
    assert agent.store.users() == []


def test_a_reply_is_rated_edited_and_disowned(visit: Visiting, known: Agent) -> None:
    seen = visit()
    page = seen.page
    seen.as_user("maya")
    seen.say("Which restaurants suit me, loud or not?")
    page.get_by_role("button", name="Bad reply").click()
    expect(page.get_by_role("button", name="Bad reply")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Noted:")).to_be_visible()
    page.get_by_role("button", name="Edit this reply").click()
    page.get_by_label("The reply as you would have it").fill("- Quiet ones.\n- Near the park.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".said.assistant .words").last).to_have_text("- Quiet ones.\n- Near the park.")
    page.get_by_role("button", name="Not me: I hate loud restaurants.").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    given = known.export("maya").feedback
    assert [(one.rating, one.edit is not None) for one in given] == [(-1.0, False), (None, True)]
    assert "I hate loud restaurants." in {p.statement for p in known.preferences("maya", status="retracted")}


def test_how_a_preference_changed_is_drawn_and_told(visit: Visiting, known: Agent) -> None:
    seen = visit()
    seen.as_user("maya")
    seen.go("preferences")
    card = seen.card("I prefer long, detailed answers now.")
    card.get_by_text("Where this comes from, and 1 change").click()
    bars = card.locator(".bar")
    expect(bars).to_have_count(2)
    first, second = (bars.nth(place).bounding_box() for place in (0, 1))
    assert first and second and abs(first["x"] + first["width"] - second["x"]) < 3
    expect(card.locator(".changes")).to_contain_text("I prefer short answers.")
    expect(seen.page.get_by_role("region", name="is this right?")).to_contain_text("the train to work")
    seen.page.get_by_role("button", name="Time line").click()
    expect(seen.page.locator(".timelines > li")).to_have_count(3)
    seen.page.get_by_label("Filter").fill("answers")
    expect(seen.page.locator(".timelines .bar")).to_have_count(2)
    seen.page.locator(".timelines a").click()
    expect(seen.card("I prefer long, detailed answers now.")).to_be_focused()


def test_forgetting_asks_first(visit: Visiting, known: Agent) -> None:
    seen = visit()
    seen.as_user("maya")
    seen.go("preferences")
    forget = seen.card("I hate loud restaurants.").get_by_role("button", name="Forget")
    forget.click()
    expect(forget).to_have_text("Sure? For good")
    assert "loud" in known.export("maya").model_dump_json()
    forget.click()
    expect(seen.page.get_by_role("status")).to_contain_text("Forgotten for good.")
    assert "loud restaurants" not in [p.target for p in known.preferences("maya")]


def test_a_conversation_is_there_again_after_a_reload(visit: Visiting, known: Agent) -> None:
    seen = visit()
    page = seen.page
    seen.as_user("maya")
    seen.say("Which restaurants suit me, loud or not?")
    told = page.locator(".said.assistant .words").inner_text()
    page.reload()
    expect(page.locator(".said.assistant .words")).to_have_text(told)
    page.get_by_text("Why this reply?").click()
    expect(page.locator(".why")).to_contain_text("Kept in mind")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_text("Talk as you would to anybody.")).to_be_visible()
    page.get_by_role("combobox", name="Conversation").select_option(index=1)
    expect(page.locator(".said.assistant .words")).to_have_text(told)


def test_words_are_shown_as_they_come_and_stopped(visit: Visiting, tmp_path: Path) -> None:
    model = PiecewiseChat(pieces=["Quiet ", "places."])
    with (
        Agent.open(tmp_path / "other", encoder=HashingEncoder(), generator=model) as agent,
        ExitStack() as stack,
    ):
        app = create_app(agent)
        seen = visit(at=stack.enter_context(served(app)))
        page, words = seen.page, seen.page.locator(".said.assistant .words").last
        page.get_by_label("Message", exact=True).fill("Where to?")
        page.keyboard.press("Enter")
        expect(words).to_have_text("Quiet ")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_label("Message", exact=True)).to_have_value("Where to?")
        wait_until(lambda: app.state.serving.n_turns == 0)
        model.go_on.set()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Good reply")).to_be_visible()
        expect(words).to_have_text("Quiet places.")
        assert len(agent.memories("me")) == 2


def test_a_reply_that_ended_before_it_was_stopped_is_shown(visit: Visiting, agent: Agent) -> None:
    seen = visit()
    page, held = seen.page, list[Route]()

    def hold(route: Route) -> None:
        route.fetch()
        held.append(route)

    seen.as_user("maya")
    seen.say("I hate loud restaurants.")
    page.route("**/v1/chat/completions", hold)
    page.get_by_label("Message", exact=True).fill("Where do I live?")
    page.keyboard.press("Enter")
    for _ in range(1_000):
        if held:
            break
        page.wait_for_timeout(10)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#notice")).to_contain_text("it is kept")
    expect(page.get_by_label("Message", exact=True)).to_have_value("")
    expect(page.locator(".said .words")).to_have_text([turn.text for turn in agent.memories("maya")])
    assert len(agent.memories("maya")) == 4


def test_a_message_is_not_lost_when_the_model_fails(visit: Visiting, tmp_path: Path) -> None:
    model = PiecewiseChat(pieces=["Quiet "], fails=True)
    with (
        Agent.open(tmp_path / "other", encoder=HashingEncoder(), generator=model) as agent,
        served(create_app(agent)) as url,
    ):
        seen = visit(at=url)
        seen.page.get_by_label("Message", exact=True).fill("Where to?")
        seen.page.get_by_role("button", name="Send").click()
        expect(seen.page.locator("#notice.bad")).to_be_visible()
        expect(seen.page.get_by_label("Message", exact=True)).to_have_value("Where to?")
        assert agent.memories("me") == []


def test_a_key_is_asked_for(visit: Visiting, agent: Agent, tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys.json")
    _, secret = ring.add(user_id="maya")
    with served(create_app(agent, ServerOptions(keys=ring))) as url:
        seen = visit(at=url)
        seen.page.get_by_label("This server asks for a key").fill("wrong")
        seen.page.get_by_role("button", name="Enter").click()
        expect(seen.page.locator("#notice.bad")).to_contain_text("valid key")
        seen.page.get_by_label("This server asks for a key").fill(secret)
        seen.page.get_by_role("button", name="Enter").click()
        seen.say("I hate loud restaurants.")
        assert agent.store.users() == ["maya"]
        # The browser itself tells of every answer that is an error.
        seen.problems[:] = [problem for problem in seen.problems if "401" not in problem]


def test_it_can_be_used_by_keyboard_alone(visit: Visiting, known: Agent) -> None:
    seen = visit()
    page = seen.page

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            label = page.evaluate(
                "(e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent)"
                "(document.activeElement)"
            )
            if label.strip() == name:
                return
        raise AssertionError(f"{name!r} is not reached by Tab")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    tab_to("User")
    page.keyboard.type("maya")
    page.keyboard.press("Enter")
    tab_to("Message")
    page.keyboard.type("Which restaurants suit me,")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("loud or not?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Good reply")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.goto(f"{seen.url}/#chat")
    page.reload()
    tab_to("Preferences")
    page.keyboard.press("Enter")
    expect(seen.card("I hate loud restaurants.")).to_be_visible()
    tab_to("Not me: I hate loud restaurants.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert "loud restaurants" not in [p.target for p in known.preferences("maya", status="active")]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visiting, known: Agent, size: tuple[int, int], scheme: str) -> None:
    pytest.importorskip("axe_playwright_python", reason="`axe-playwright-python` carries axe-core")
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    seen = visit(size, scheme)
    seen.as_user("maya")
    seen.say("Which restaurants suit me, loud or not?")
    found: list[str] = []
    # What comes into view is faded in, and has little contrast meanwhile.
    seen.page.emulate_media(reduced_motion="reduce")
    seen.page.evaluate(axe)
    for view in VIEWS:
        seen.go(view)
        seen.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        for violation in seen.page.evaluate("axe.run().then((result) => result.violations)"):
            if violation["impact"] in ("serious", "critical"):
                places = [node["html"][:120] for node in violation["nodes"][:3]]
                found.append(f"{view}: {violation['id']}: {places}")
    assert found == []


def test_what_users_write_never_becomes_part_of_the_page(visit: Visiting, agent: Agent) -> None:
    name = f"eve {SCRIPT}"[:256]
    at = datetime.now(UTC) - timedelta(days=2)
    texts = (f"I love hiking. I hate {SCRIPT} restaurants.", f"My sister {SCRIPT} lives in Porto.")
    told = tuple(Message(role="user", text=text) for text in texts)
    agent.ingest(name, [Conversation(id=f"s/{SCRIPT}?#", at=at, messages=told)])
    agent.chat(name, f"I prefer {SCRIPT} answers.", session_id=SCRIPT, at=at + timedelta(hours=1))
    first = agent.preferences(name)[0]
    agent.edit(name, first.id, statement=SCRIPT, topic=SCRIPT, scope=SCRIPT)
    seen = visit()
    page = seen.page
    seen.as_user(name)
    seen.say(f"{SCRIPT} What do I love?")
    foreign = "document.querySelectorAll('main img, main script, a[href^=\"javascript\"]').length"
    for view in VIEWS:
        seen.go(view)
        if view == "search":
            page.get_by_label("Question to memory").fill(SCRIPT)
            page.get_by_label("Question to memory").press("Enter")
            expect(page.locator("#search article").first).to_contain_text("<img src=x")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.wait_for_load_state("networkidle")
        assert page.evaluate(foreign) == 0
    seen.go("preferences")
    expect(seen.card("<script>alert(2)</script>")).to_be_visible()
    page.get_by_role("button", name="Time line").click()
    page.get_by_role("link", name="Chat").click()
    page.get_by_role("combobox", name="Conversation").select_option(value=SCRIPT)
    expect(page.locator(".said.user .words")).to_contain_text("<script>alert(2)</script>")
    seen.go(f"chat/{SCRIPT}")
    seen.go(f"preferences/{SCRIPT}")
    expect(page.locator("#notice.bad")).to_be_visible()
    assert page.evaluate(foreign) == 0


def test_nothing_is_wider_than_a_small_screen(visit: Visiting, agent: Agent) -> None:
    long = "x" * 400
    agent.chat("maya", f"I hate {long} restaurants. I love {long}. I prefer short answers.")
    agent.chat("maya", "I prefer long answers now.")
    seen = visit(NARROW)
    seen.as_user("maya")
    seen.say(f"What about {long}?")
    for view in VIEWS:
        seen.go(view)
        seen.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= NARROW[0], view
        for link in seen.page.get_by_role("navigation").get_by_role("link").all():
            box = link.bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= NARROW[0]
    seen.go("preferences")
    seen.page.get_by_role("button", name="Time line").click()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
