"""Lives about facts: what is updated, never told, counted, and forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from habitus.evals.lifelong.scenarios import AnswerProbe, GoneProbe, Life
from habitus.evals.lifelong.wordings import Attribute


def update(life: Life) -> None:
    """Two facts change, one of them perhaps twice; a third stays. Somebody else's come in between."""
    changing = life.rng.sample(life.said.attributes, 3)
    steady = changing.pop()
    old: dict[str, list[str]] = {}
    kept = _tell(life, steady)
    for one in changing:
        life.talk_of_other_things()
        life.pass_days()
        old[one.name] = [_tell(life, one)]
    for one in [*changing, *changing[: life.rng.randint(0, 1)]]:
        life.talk_of_other_things()
        life.pass_days()
        _change(life, one, old[one.name])
    for one in changing:
        life.pass_days()
        _tell_of_another(life, one, old[one.name])
    life.pass_days()
    for one in changing:
        *before, now = old[one.name]
        life.ask(AnswerProbe(question=life.rng.choice(one.asked), right=now, wrong=tuple(before)))
    life.ask(AnswerProbe(question=life.rng.choice(steady.asked), right=kept))


def refusal(life: Life) -> None:
    """One fact is told; another only of somebody else. Both are asked for."""
    told, untold, aside = life.rng.sample(life.said.attributes, 3)
    life.talk_of_other_things()
    value = _tell(life, told)
    life.pass_days()
    other = _tell_of_another(life, untold, ())
    life.talk_of_other_things()
    life.pass_days()
    _tell(life, aside)
    life.pass_days()
    probes = [
        AnswerProbe(question=life.rng.choice(told.asked), right=value),
        AnswerProbe(question=life.rng.choice(untold.asked), declines=True, wrong=(other,)),
    ]
    life.rng.shuffle(probes)
    for probe in probes:
        life.ask(probe)


def counting(life: Life) -> None:
    """Things happen, are mentioned again, are only planned, or happen to others; they are counted."""
    series = life.rng.choice(life.said.series)
    items = life.rng.sample(series.items, len(series.items))
    n = life.rng.randint(2, 5)
    happened, rest = items[:n], items[n:]
    life.profile.append(f"{series.name}: {', '.join(happened)}")
    told = [(series.happened, item, f"tell that this happened ({series.name}): {item}") for item in happened]
    planned, others = rest[0], rest[1]
    told.insert(
        life.rng.randint(0, n), (series.planned, planned, f"say that it has not happened yet: {planned}")
    )
    told.insert(
        life.rng.randint(0, n),
        (series.by_others, others, f"tell that it happened to somebody else: {others}"),
    )
    told.append((series.again, happened[0], f"mention once more what has already happened: {happened[0]}"))
    for wordings, item, intent in told:
        life.talk_of_other_things(1)
        life.pass_days()
        life.say(wordings, intent, (item,), x=item)
    life.pass_days()
    life.ask(AnswerProbe(question=life.rng.choice(series.asked), number=n))


def forgetting(life: Life) -> None:
    """One of three facts is to be forgotten, by the user's word or the app's button; the others stay."""
    attributes = life.rng.sample(life.said.attributes, 3)
    values = []
    for one in attributes:
        values.append(_tell(life, one))
        life.talk_of_other_things(1)
        life.pass_days()
    gone, lost = attributes[0], values[0]
    life.profile.append(f"wants to be forgotten: {gone.name}")
    intent = f"ask the assistant to forget {gone.name}"
    if life.rng.random() < 0.5:
        life.say(gone.forget, intent, how="chat", v=lost)
    else:
        life.say((gone.told[0],), intent, how="forget", v=lost)
    life.pass_days()
    question = life.rng.choice(gone.asked)
    life.ask(AnswerProbe(question=question, declines=True, wrong=(lost,)))
    for one, value in zip(attributes[1:], values[1:], strict=True):
        life.ask(AnswerProbe(question=life.rng.choice(one.asked), right=value))
    life.ask(GoneProbe(needles=(lost,), questions=(question, "What do you know about me?")))


def _tell(life: Life, attribute: Attribute) -> str:
    value = life.rng.choice(attribute.values)
    life.profile.append(f"{attribute.name}: {value}")
    life.say(attribute.told, f"tell {attribute.name}: {value}", (value,), v=value)
    return value


def _change(life: Life, attribute: Attribute, values: list[str]) -> None:
    """Change a fact; the value is added to those it has had."""
    new = life.rng.choice([value for value in attribute.values if value not in values])
    life.profile.append(f"{attribute.name}, later: {new}")
    intent = f"tell that {attribute.name} has changed from {values[-1]} to {new}"
    life.say(attribute.changed, intent, (new,), v=new, w=values[-1])
    values.append(new)


def _tell_of_another(life: Life, attribute: Attribute, own: Sequence[str]) -> str:
    value = life.rng.choice([value for value in attribute.values if value not in own])
    intent = f"mention, of somebody else and not of yourself, {attribute.name}: {value}"
    life.say(attribute.of_others, intent, (value,), v=value)
    return value
