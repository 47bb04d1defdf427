"""Anything in any order, with cuts in the middle and media that come and go: nothing is lost, nothing counts twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import combinations, count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from edge.evidence.archive import SheetKind
from edge.evidence.events import LogEvent
from edge.evidence.store import PendingStage, Polls, StoreError
from edge.evidence.tlog.checkpoint import open_checkpoint
from edge.evidence.tlog.merkle import check_consistency, consistency_proof, root_of
from tests.evidence.breaking import Breaking, CutError
from tests.evidence.keeping import LABEL, SHAPE, SetClock, ids, in_memory, reading, same_media, store, texts

MEDIA = ("one", "two")
REFUSALS = {"pollsClosed", "storeFull"}


@dataclass(frozen=True, slots=True)
class Model:
    """What must be there."""

    cast: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    pending: tuple[str, PendingStage] | None = None
    polls: Polls = Polls.NEW

    def with_pending(self, text: str) -> Model:
        if self.polls is not Polls.OPEN or len(self.cast) == SHAPE.cast:
            return self
        return replace(self, pending=(text, PendingStage.ACCEPTING))

    def with_stage(self, stage: PendingStage) -> Model:
        return self if self.pending is None else replace(self, pending=(self.pending[0], stage))

    def with_rejected(self, text: str) -> Model:
        kept = self.polls is Polls.OPEN and self.pending is None and len(self.returned) < SHAPE.returned
        return replace(self, returned=tuple(sorted((*self.returned, text)))) if kept else self


@dataclass
class Media:
    """Which media are there, and which of them have what happened last."""

    up_to_date: set[str] = field(default_factory=lambda: set(MEDIA))
    away: set[str] = field(default_factory=set)


class AnyOrder(RuleBasedStateMachine):
    """A store on two media, people and accidents."""

    def __init__(self) -> None:
        super().__init__()
        self._holding = ExitStack()
        self._root = self._holding.enter_context(in_memory())
        self._folders = count()
        self._folder = self._root / "0"
        self._folder.mkdir()
        self._names = count(1)
        patched = self._holding.enter_context(pytest.MonkeyPatch.context())
        self.breaking = {medium: Breaking(self._folder / medium) for medium in MEDIA}
        for breaking in self.breaking.values():
            breaking.install(patched)
        self.clock = SetClock()
        self.model = Model()
        self.media = Media()
        self.store = store(self._folder, 2, clock=self.clock)

    @initialize()
    def begin(self) -> None:
        self.store.read()

    # What the station asks.

    def ask(self, question: Callable[[], object], after: Model) -> None:
        """Ask, and see to it that everything is as it was, or as it is to be."""
        before = self.model
        opens = self.store._open is None or question == self.store.read
        try:
            question()
        except CutError:
            self.restart(before, after)
        except StoreError as error:
            self.failed(error, before, after, opens=opens)
        else:
            self.model = after
            self.hold()
        self.note_losses()

    def failed(self, error: StoreError, before: Model, after: Model, *, opens: bool) -> None:
        if error.code in REFUSALS:
            assert before == after
        elif self.nothing_to_go_on():
            self.model = self.now(before, after)
        else:
            # A medium that fails in the middle of being opened is found lost at the next try, as long as it fails.
            assert opens, error
            self.store.read()
            self.model = self.found()
            assert self.model in {before, after}

    def nothing_to_go_on(self) -> bool:
        """Whether every medium that could lead fails, or is away."""
        return all(self.breaking[medium].at is not None or medium in self.media.away for medium in self.media.up_to_date)

    def note_losses(self) -> None:
        """A medium that has failed beside one that went on is behind, as long as it is not opened anew."""
        if self.store._open is not None:
            self.media.up_to_date = {medium.folder.parent.name for medium in self.store._open.media}

    def now(self, *possible: Model) -> Model:
        """What is there after something that did not end: one of these."""
        for breaking in self.breaking.values():
            breaking.heal()
        for medium in tuple(self.media.away):
            self._bring(medium)
        self.store.close()
        self.store.read()
        self.note_losses()
        found = self.found()
        assert found in possible
        return found

    def found(self) -> Model:
        evidence = self.store.opened()
        state = evidence.state
        pending = None
        if state.pending is not None:
            leader = evidence.media[0]
            assert leader.pending is not None
            packed = leader.open_box().sheet(leader.pending)
            pending = (self._text(packed), state.pending)
        return Model(tuple(texts(self.store)), tuple(texts(self.store, SheetKind.RETURNED)), pending, state.polls)

    @staticmethod
    def _text(packed: bytes) -> str:
        from edge.evidence.sheet_files import RECORD, unpack_files  # noqa: PLC0415  only here

        return unpack_files(packed)[RECORD].decode()

    def hold(self) -> None:
        state = self.store.opened().state
        assert (state.cast, state.returned) == (len(self.model.cast), len(self.model.returned))
        assert state.pending == (None if self.model.pending is None else self.model.pending[1])
        assert state.polls is self.model.polls

    @rule()
    def open_polls(self) -> None:
        self.ask(self.store.open_polls, replace(self.model, polls=Polls.OPEN))

    @rule()
    def pause_polls(self) -> None:
        polls = Polls.PAUSED if self.model.polls is Polls.OPEN else self.model.polls
        self.ask(self.store.pause_polls, replace(self.model, polls=polls))

    @precondition(lambda self: self.model.pending is None)
    @rule()
    def write_pending(self) -> None:
        text = f"sheet {next(self._names)}"
        self.ask(lambda: self.store.write_pending(reading(text)), self.model.with_pending(text))

    @rule(stage=st.sampled_from(PendingStage))
    def mark_pending(self, stage: PendingStage) -> None:
        self.ask(lambda: self.store.mark_pending(stage), self.model.with_stage(stage))

    @precondition(lambda self: self.model.pending is not None)
    @rule()
    def commit(self) -> None:
        assert self.model.pending is not None
        cast = tuple(sorted((*self.model.cast, self.model.pending[0])))
        self.ask(self.store.commit, replace(self.model, cast=cast, pending=None))

    @rule(times=st.integers(1, 4), ends=st.sampled_from(["commit", "commit", "commit", "erase", "pending"]))
    def sheets(self, times: int, ends: str) -> None:
        """Some sheets one after the other; what was pending goes into the box before."""
        self.open_polls()
        for _ in range(times):
            if self.model.pending is not None:
                self.commit()
            # A cut may have left it pending.
            if self.model.pending is None:
                self.write_pending()
            if self.model.pending is not None and ends != "pending":
                (self.commit if ends == "commit" else self.erase)()

    @rule()
    def erase(self) -> None:
        self.ask(self.store.erase, replace(self.model, pending=None))

    @rule()
    def keep_returned(self) -> None:
        text = f"rejected {next(self._names)}"
        self.ask(lambda: self.store.keep_returned(reading(text, "return")), self.model.with_rejected(text))

    @rule(events=st.integers(0, 60))
    def note(self, events: int) -> None:
        self.ask(lambda: self.store.note([LogEvent("coverOpened")] * events), self.model)

    @rule(minutes=st.integers(0, 6))
    def tend(self, minutes: int) -> None:
        self.clock.pass_time(minutes * 60_000)
        self.ask(self.store.tend, self.model)

    @rule()
    def read(self) -> None:
        self.ask(self.store.read, self.model)

    # Accidents.

    @rule(medium=st.sampled_from(MEDIA), after=st.integers(0, 8), done=st.booleans())
    def cut_soon(self, medium: str, after: int, done: bool) -> None:
        self.breaking[medium].fail(after, done=done, cut=True)

    @rule(medium=st.sampled_from(MEDIA), after=st.integers(0, 8), done=st.booleans())
    def medium_fails_soon(self, medium: str, after: int, done: bool) -> None:
        self.breaking[medium].fail(after, done=done)

    @rule(medium=st.sampled_from(MEDIA))
    def medium_works_again(self, medium: str) -> None:
        self.breaking[medium].heal()

    @rule()
    def power_cut(self) -> None:
        self.restart(self.model)

    def restart(self, *possible: Model) -> None:
        """The files are left as they are at this moment; whoever comes after finds them so."""
        copy = self._root / str(next(self._folders) + 1)
        shutil.copytree(self._folder, copy, ignore=shutil.ignore_patterns("*-shm"))
        self.store.close()
        shutil.rmtree(self._folder)
        self._folder = copy
        for medium, breaking in self.breaking.items():
            breaking.folder = copy / medium
        self.store = store(copy, 2, clock=self.clock)
        self.model = self.now(*possible)
        self.hold()

    @precondition(lambda self: not self.media.away)
    @rule(medium=st.sampled_from(MEDIA))
    def medium_is_taken(self, medium: str) -> None:
        """And the station is started anew: it goes on if the other one is up to date."""
        self.store.close()
        (self._folder / medium).rename(self._folder / f"{medium}.away")
        (self._folder / medium).write_bytes(b"")
        self.media.away.add(medium)
        for breaking in self.breaking.values():
            breaking.heal()
        if self.media.up_to_date <= self.media.away:
            with pytest.raises(StoreError) as caught:
                self.store.read()
            assert caught.value.code == "mediumBehind"
            self.medium_comes_back(medium)
        else:
            self.ask(self.store.read, self.model)

    def _bring(self, medium: str) -> None:
        (self._folder / medium).unlink()
        (self._folder / f"{medium}.away").rename(self._folder / medium)
        self.media.away.discard(medium)

    @precondition(lambda self: bool(self.media.away))
    @rule(medium=st.just(""))
    def medium_comes_back(self, medium: str) -> None:
        self.store.close()
        self._bring(medium or next(iter(self.media.away)))
        self.ask(self.store.read, self.model)

    @precondition(lambda self: not self.media.away)
    @rule(medium=st.sampled_from(MEDIA))
    def medium_is_emptied(self, medium: str) -> None:
        for breaking in self.breaking.values():
            breaking.heal()
        if self.media.up_to_date == {medium}:
            return
        self.store.close()
        shutil.rmtree(self._folder / medium / LABEL)
        self.ask(self.store.read, self.model)
        assert self.media.up_to_date == set(MEDIA)

    def teardown(self) -> None:
        with self._holding:
            for breaking in self.breaking.values():
                breaking.heal()
            self.model = self.now(self.model)
            assert self.store.opened().lost == []
            same_media(self.store)
            assert ids(self.store).count("sheetAccepted") == len(self.model.cast)
            self.consistent()
            self.store.close()

    def consistent(self) -> None:
        evidence = self.store.opened()
        leaves = evidence.media[0].log.leaves()
        signed = [open_checkpoint(note, [evidence.signer.verifier]) for note in evidence.media[0].log.checkpoints().values()]
        assert all(root_of(leaves[: each.size]) == each.root for each in signed)
        for old, new in combinations(signed, 2):
            proof = consistency_proof(leaves, old.size, new.size)
            assert check_consistency(old.size, new.size, proof, old.root, new.root)


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnyOrder = AnyOrder.TestCase
