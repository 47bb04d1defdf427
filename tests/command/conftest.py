"""A made-up election on disk, and scanned sheets of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge.definition.election import Election, load_election
from hil.paper.election import make_election
from hil.paper.sheet import PrintedSheet, render_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge.page.page import Grey


@dataclass(frozen=True)
class Ballots:
    """An election file and the sheets printed for it."""

    folder: Path
    election: Election
    printed: PrintedSheet

    @property
    def election_file(self) -> str:
        return str(self.folder / "election.json")

    def first_options(self) -> list[tuple[str, str]]:
        """The first option of every contest on the sheet."""
        chosen: dict[str, str] = {}
        for bubble in self.printed.bubbles:
            chosen.setdefault(bubble.position.contest_id, bubble.position.option_id)
        return list(chosen.items())

    def pages(self, marked: Iterable[tuple[str, str]]) -> tuple[Grey, Grey]:
        """Front and back with these ovals filled."""
        wanted = set(marked)

        def side(name: str) -> Grey:
            page = Image.fromarray(self.printed.side(name))
            draw = ImageDraw.Draw(page)
            for bubble in self.printed.bubbles_on(name):
                if (bubble.position.contest_id, bubble.position.option_id) in wanted:
                    draw.ellipse((bubble.x - 15, bubble.y - 9, bubble.x + 15, bubble.y + 9), fill=20)
            return np.asarray(page)

        return side("front"), side("back")

    def scan(self, name: str, marked: Iterable[tuple[str, str]], *, turned: bool = False) -> list[str]:
        """Write both sides as files; the arguments FRONT BACK --election FILE."""
        paths = []
        for side, page in zip(("front", "back"), self.pages(marked), strict=True):
            path = self.folder / f"{name}-{side}.png"
            Image.fromarray(page[::-1, ::-1] if turned else page).save(path)
            paths.append(str(path))
        return [*paths, "--election", self.election_file]


@pytest.fixture(scope="session")
def ballots(tmp_path_factory: pytest.TempPathFactory) -> Ballots:
    folder = tmp_path_factory.mktemp("ballots")
    raw = make_election(3)
    (folder / "election.json").write_bytes(raw)
    election = load_election(raw)
    return Ballots(folder, election, render_sheet(election, election.ballot_styles[0].id))


@pytest.fixture(scope="session")
def voted(ballots: Ballots) -> list[str]:
    """The arguments for a sheet with one vote in every contest."""
    return ballots.scan("voted", ballots.first_options())


@pytest.fixture(scope="session")
def blank(ballots: Ballots) -> list[str]:
    """The arguments for a sheet without a mark."""
    return ballots.scan("blank", [])


@pytest.fixture(scope="session")
def twice_the_front(voted: list[str]) -> list[str]:
    """The arguments for a sheet that must be returned: its two sides are the same one."""
    return [voted[0], voted[0], *voted[2:]]
