"""The local generator against plain `model.generate`: tokens a second, and time to the first token.

Weights are random, so that none have to be had: speed does not depend on them. Both say replies of the
same length to the same prompts, in turn, round by round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.evals.bench.clock import load
from habitus.evals.bench.random_models import CONFIGS, random_chat
from habitus.evals.bench.texts import made_up

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from rich.console import Console

    from habitus.agent.generators.transformers.chat import TransformersChat

CONCURRENT = (1, 8, 32)
TARGET_RATIO = 5.0
"""Tokens a second against plain generate, at 32 concurrent turns."""
TARGET_FIRST = 0.5
"""Time to the first token with the prefix reused against without."""


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Turns at once, through the engine and one by one through `generate`.

    Attributes:
        n_turns: concurrent turns.
        n_tokens: generated in a round.
        seconds: of each round, ours.
        plain_seconds: of each round, `generate` for one turn after the other.
        cpu_seconds, plain_cpu_seconds: of each round, what the process took of the CPU: on a CPU the ratio of
            these does not depend on what else runs.
        same: share of replies that are equal in both.
    """

    n_turns: int
    n_tokens: int
    seconds: tuple[float, ...]
    plain_seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    plain_cpu_seconds: tuple[float, ...]
    same: float

    @property
    def rate(self) -> float:
        """Tokens a second of ours, median over rounds."""
        return self.n_tokens / median(self.seconds)

    @property
    def plain_rate(self) -> float:
        """Tokens a second of plain `generate`, median over rounds."""
        return self.n_tokens / median(self.plain_seconds)

    @property
    def ratio(self) -> float:
        """How many times faster ours is: the median of the rounds' ratios."""
        return median(plain / ours for plain, ours in zip(self.plain_seconds, self.seconds, strict=True))

    @property
    def cpu_ratio(self) -> float:
        """The same by CPU time."""
        pairs = zip(self.plain_cpu_seconds, self.cpu_seconds, strict=True)
        return median(plain / ours for plain, ours in pairs)


@dataclass(frozen=True, kw_only=True)
class FirstToken:
    """Seconds to the first token after a long prefix, of each round.

    Attributes:
        n_prefix: tokens of the prefix.
        n_last: tokens of the last message and what the template adds.
        fresh: for a user whose prompt was never read.
        reused: for a user whose prefix is kept.
        plain: `generate` for one token.
    """

    n_prefix: int
    n_last: int
    fresh: tuple[float, ...]
    reused: tuple[float, ...]
    plain: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Reused against fresh: the median of the rounds' ratios."""
        return median(reused / fresh for reused, fresh in zip(self.reused, self.fresh, strict=True))


@dataclass(frozen=True, kw_only=True)
class GeneratorReport:
    """What `run` measured, on which machine."""

    config: str
    n_parameters: int
    device: str
    dtype: str
    load: float
    throughput: tuple[Throughput, ...]
    first: FirstToken


def run(
    config: str = "small",
    *,
    device: str | None = None,
    dtype: str | None = None,
    concurrent: Sequence[int] = CONCURRENT,
    prompt_tokens: int = 200,
    new_tokens: int = 64,
    prefix_tokens: int = 1_500,
    rounds: int = 3,
    seed: int = 0,
) -> GeneratorReport:
    """Measure a randomly initialised model.

    Args:
        config: one of `CONFIGS`.
        device: by default a GPU if there is one.
        dtype: by default bfloat16 on a GPU and float32 on the CPU.
        concurrent: numbers of turns at once.
        prompt_tokens: of each turn.
        new_tokens: of each reply.
        prefix_tokens: of the system message whose reuse is measured.
        rounds: measurements of each; ours and plain take turns in going first.
        seed: of weights and texts.

    Raises:
        ValueError: an unknown config or a number below 1.
    """
    if config not in CONFIGS:
        raise ValueError(f"there is no config {config!r}; there are {', '.join(CONFIGS)}")
    for value in (*concurrent, prompt_tokens, new_tokens, prefix_tokens, rounds):
        if value < 1:
            raise ValueError(f"counts must be at least 1, got {value!r}")
    with random_chat(config, device, dtype, max(concurrent), new_tokens, seed) as chat:
        model = chat.hosted.loaded.model
        throughput = [_throughput(chat, n, prompt_tokens, new_tokens, rounds, seed) for n in concurrent]
        return GeneratorReport(
            config=config,
            n_parameters=sum(one.numel() for one in model.parameters()),
            device=_device_name(model.device),
            dtype=str(model.dtype).removeprefix("torch."),
            load=round(load(), 2),
            throughput=tuple(throughput),
            first=_first_token(chat, prefix_tokens, rounds, seed),
        )


def _device_name(device: Any) -> str:
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} threads"


def _prompts(n: int, n_tokens: int, seed: int) -> list[list[BaseMessage]]:
    from langchain_core.messages import HumanMessage

    return [[HumanMessage(text[:n_tokens])] for text in made_up(n, n_tokens, seed)]


def _throughput(
    chat: TransformersChat, n_turns: int, prompt_tokens: int, new_tokens: int, rounds: int, seed: int
) -> Throughput:
    prompts = _prompts(n_turns, prompt_tokens, seed)

    def ours() -> list[str]:
        with ThreadPoolExecutor(n_turns) as threads:
            return list(threads.map(lambda prompt: chat.invoke(prompt).text, prompts))

    def plain() -> list[str]:
        return [_plain(chat, prompt, new_tokens) for prompt in prompts]

    said, expected = ours(), plain()  # a full call of each, so that what loads at the first use is loaded
    times: dict[Callable[[], list[str]], list[float]] = {ours: [], plain: []}
    cpu: dict[Callable[[], list[str]], list[float]] = {ours: [], plain: []}
    for number in range(rounds):
        for call in (ours, plain) if number % 2 else (plain, ours):
            before = process_time()
            times[call].append(_seconds(call))
            cpu[call].append(process_time() - before)
    return Throughput(
        n_turns=n_turns,
        n_tokens=n_turns * new_tokens,
        seconds=tuple(times[ours]),
        plain_seconds=tuple(times[plain]),
        cpu_seconds=tuple(cpu[ours]),
        plain_cpu_seconds=tuple(cpu[plain]),
        same=sum(a == b for a, b in zip(said, expected, strict=True)) / n_turns,
    )


def _plain(chat: TransformersChat, prompt: Sequence[BaseMessage], new_tokens: int) -> str:
    import torch

    loaded = chat.hosted.loaded
    ids = torch.tensor([chat.hosted.encoder.tokens(prompt)], device=loaded.model.device)
    model: Any = loaded.model
    with torch.inference_mode():
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=new_tokens, do_sample=False
        )
    return str(loaded.tokenizer.decode(out[0, ids.shape[1] :].tolist(), skip_special_tokens=True))


def _seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def _first_token(chat: TransformersChat, prefix_tokens: int, rounds: int, seed: int) -> FirstToken:
    from langchain_core.messages import HumanMessage, SystemMessage

    texts = made_up(2 * (rounds + 1), prefix_tokens, seed + 1)
    fresh, reused, plain = [], [], []
    n_last = 0
    for number in range(rounds + 1):
        system = SystemMessage(texts[2 * number][:prefix_tokens])
        first, second = (
            [system, HumanMessage(f"{text[:40]}?")] for text in texts[2 * number : 2 * number + 2]
        )
        user_id = f"user {number}"
        fresh.append(_seconds(lambda: chat.invoke(first, max_tokens=1, user_id=user_id)))  # noqa: B023
        reused.append(_seconds(lambda: chat.invoke(second, max_tokens=1, user_id=user_id)))  # noqa: B023
        plain.append(_seconds(lambda: _plain(chat, second, 1)))  # noqa: B023
        n_last = len(chat.hosted.encoder.tokens(second)) - prefix_tokens
    # The first round warms up.
    return FirstToken(
        n_prefix=prefix_tokens,
        n_last=n_last,
        fresh=tuple(fresh[1:]),
        reused=tuple(reused[1:]),
        plain=tuple(plain[1:]),
    )


def show(report: GeneratorReport, console: Console) -> None:
    """Print a report as tables."""
    from rich.table import Table

    console.print(
        f"{report.config} with random weights, {report.n_parameters / 1e6:,.0f} M parameters, "
        f"{report.dtype}, {report.device}, load {report.load}"
    )
    table = Table("turns at once", "generate, one by one", "habitus", "ratio", "by CPU time", "same replies")
    for row in report.throughput:
        table.add_row(
            str(row.n_turns),
            f"{row.plain_rate:,.0f} tokens/s",
            f"{row.rate:,.0f} tokens/s",
            f"{row.ratio:.1f}x",
            f"{row.cpu_ratio:.1f}x",
            f"{row.same:.0%}",
        )
    console.print(table)
    first = report.first
    console.print(
        f"first token after {first.n_prefix:,} + {first.n_last} tokens: {median(first.fresh) * 1e3:.0f} ms "
        f"read anew, {median(first.reused) * 1e3:.0f} ms with the prefix reused ({first.ratio:.2f}x), "
        f"{median(first.plain) * 1e3:.0f} ms by generate; targets: {TARGET_RATIO:g}x tokens/s at 32 turns, "
        f"{TARGET_FIRST:g}x to the first token"
    )


def generator(
    config: Annotated[str, typer.Option(help=f"Sizes of the model: {', '.join(CONFIGS)}.")] = "small",
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:1.", show_default="a GPU if there is one")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Of the weights.", show_default="bfloat16 on a GPU, float32 on a CPU")
    ] = None,
    turns: Annotated[
        list[int] | None,
        typer.Option(help="Turns at once; may be given several times.", show_default="1, 8, 32"),
    ] = None,
    prompt_tokens: Annotated[int, typer.Option(min=1, help="Of each prompt.")] = 200,
    new_tokens: Annotated[int, typer.Option(min=1, help="Of each reply.")] = 64,
    prefix_tokens: Annotated[int, typer.Option(min=1, help="Of the prefix that is reused.")] = 1_500,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each.")] = 3,
    out: Annotated[Path | None, typer.Option(help="File for the figures as JSON.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights and texts.")] = 0,
) -> None:
    """Compare the local generator with plain generate: tokens a second, and time to the first token."""
    from rich.console import Console

    report = run(
        config,
        device=device,
        dtype=dtype,
        concurrent=turns or CONCURRENT,
        prompt_tokens=prompt_tokens,
        new_tokens=new_tokens,
        prefix_tokens=prefix_tokens,
        rounds=rounds,
        seed=seed,
    )
    show(report, Console())
    if out is not None:
        out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
