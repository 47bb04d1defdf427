"""The schedule: bounded connections to a host, pauses between requests, no job lost or given out twice."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from models.ingest.addresses import Source
from models.ingest.schedule import Job, Schedule, backoff_s


def jobs(hosts: str) -> list[Job]:
    return [Job(Source(f"{number}"), f"{number}", host.strip()) for number, host in enumerate(hosts)]


def taken(found: Job | float | None) -> Job:
    assert isinstance(found, Job)
    return found


def test_a_host_has_its_pauses_and_others_do_not_wait_for_it() -> None:
    schedule = Schedule(jobs("aab"), per_host=2, delay_s=1)
    assert taken(schedule.take(10)).stem == "0"
    assert taken(schedule.take(10)).stem == "2"
    assert schedule.take(10.25) == 0.75
    assert taken(schedule.take(11)).stem == "1"


def test_a_host_has_so_many_connections() -> None:
    schedule = Schedule(jobs("aaa"), per_host=2, delay_s=0)
    first = taken(schedule.take(0))
    schedule.take(0)
    wait = schedule.take(0)
    assert isinstance(wait, float)
    assert wait > 100
    schedule.ended(first)
    assert taken(schedule.take(0)).stem == "2"


def test_files_of_this_machine_wait_for_nothing() -> None:
    schedule = Schedule(jobs("   "), per_host=1, delay_s=9)
    assert [taken(schedule.take(0)).stem for _ in range(3)] == ["0", "1", "2"]


def test_another_try_comes_in_its_time() -> None:
    schedule = Schedule(jobs("aa"), per_host=1, delay_s=0)
    job = taken(schedule.take(0))
    schedule.again(job, 5, asked=False)
    schedule.ended(taken(schedule.take(0)))
    assert schedule.take(1) == 4
    assert taken(schedule.take(5)) is job


def test_a_host_that_asks_for_rest_gets_it() -> None:
    schedule = Schedule(jobs("aa"), per_host=1, delay_s=0)
    schedule.again(taken(schedule.take(0)), 5, asked=True)
    assert schedule.take(1) == 4
    assert taken(schedule.take(5)).stem == "1"


def test_the_end_comes_when_nothing_is_left_or_under_way() -> None:
    schedule = Schedule(jobs("a"), per_host=1, delay_s=0)
    job = taken(schedule.take(0))
    assert isinstance(schedule.take(0), float)
    schedule.ended(job)
    assert schedule.take(0) is None
    assert Schedule([], 1, 0).take(0) is None


@given(st.text("ab ", max_size=12), st.integers(1, 3), st.integers(0, 3), st.data())
def test_every_job_is_done_and_no_rule_broken(hosts: str, per_host: int, delay: int, data: st.DataObject) -> None:
    schedule = Schedule(jobs(hosts), per_host, delay)
    now = 0.0
    active: list[Job] = []
    asked_at: dict[str, float] = {}
    done: list[str] = []
    for _ in range(1000):
        found = schedule.take(now)
        if found is None:
            break
        if isinstance(found, Job):
            if found.host:
                assert now - asked_at.get(found.host, -9) >= delay
                assert sum(one.host == found.host for one in active) < per_host
                asked_at[found.host] = now
            active.append(found)
        elif active:
            job = active.pop(data.draw(st.integers(0, len(active) - 1)))
            job.tries += 1
            if job.tries < 3 and data.draw(st.booleans()):
                schedule.again(job, now + data.draw(st.integers(0, 5)), asked=data.draw(st.booleans()))
            else:
                schedule.ended(job)
                done.append(job.stem)
        else:
            assert 0 < found < 100
            now += found
    assert not active
    assert sorted(done) == sorted(str(number) for number in range(len(hosts)))


def test_waits_double_up_to_a_limit_and_are_spread() -> None:
    chance = random.Random(1)
    waits = [[backoff_s(tries, 1, chance) for _ in range(200)] for tries in (1, 2, 3, 50)]
    for found, middle in zip(waits, (1, 2, 4, 60), strict=True):
        assert middle * 0.5 <= min(found) < middle * 0.6
        assert middle * 1.4 < max(found) <= middle * 1.5
