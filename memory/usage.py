"""What calls of a chat model cost: tokens, and money where the price is known."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Calls of a chat model and the tokens that they read and wrote; usages add up with `+`.

    Attributes:
        n_calls: calls that came back.
        input_tokens: tokens read.
        output_tokens: tokens written.
        n_estimated: calls of which the provider told no tokens, so that they were counted here.
    """

    n_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    n_estimated: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            n_calls=self.n_calls + other.n_calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            n_estimated=self.n_estimated + other.n_estimated,
        )


class Price(BaseModel):
    """What a provider asks for a million tokens.

    Attributes:
        input_per_million: for a million tokens read, in `currency`.
        output_per_million: for a million tokens written, in `currency`.
        currency: its name, as it is shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_per_million: float = Field(ge=0.0)
    output_per_million: float = Field(ge=0.0)
    currency: str = "USD"

    def of(self, usage: Usage) -> float:
        """Return the cost of a usage, in `currency`."""
        read = usage.input_tokens * self.input_per_million
        written = usage.output_tokens * self.output_per_million
        return (read + written) / 1e6
