"""One question of an auditor while its answer is being found."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.audit.verification import Check, Finding, Outcome


@dataclass(slots=True)
class Question:
    """What is wrong, as it is found; then the answer. `id` is that of the check."""

    id: str
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, code: str, file: str, detail: str) -> None:
        """Note something that is wrong."""
        self.findings.append(Finding(code, file, detail))

    def answered(self, sentence: str, *, proven: bool = True) -> Check:
        """Passed, unless something was found.

        Args:
            sentence: What holds if nothing was found, with the figures.
            proven: Whether what was looked at is what the device signed; if not, that nothing was found means nothing.
        """
        if self.findings:
            return self.failed(f"This does not hold: {sentence}")
        if not proven:
            return self.unanswered(f"{sentence} But nothing proves that this is what the device wrote: see the checks before.")
        return Check(self.id, Outcome.PASSED, sentence)

    def failed(self, sentence: str) -> Check:
        """Failed; something was found."""
        return Check(self.id, Outcome.FAILED, sentence, tuple(self.findings))

    def unanswered(self, sentence: str) -> Check:
        """Not checked, and why; failed if something was found before."""
        return Check(self.id, Outcome.FAILED if self.findings else Outcome.NOT_CHECKED, sentence, tuple(self.findings))


def counted(number: int, what: str, plural: str = "") -> str:
    """A number with its noun: `1 file`, `2 files`."""
    return f"{number} {what if number == 1 else plural or what + 's'}"
