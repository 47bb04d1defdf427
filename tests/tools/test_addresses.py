"""Addresses and lists of them: whatever stands in a list, it is used, or told in its place."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ingest.addresses import AddressError, Request, parse_list, parse_table, read_sources, redirected, request_of

SHA256 = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("address", "request_"),
    [
        ("http://example.org", Request("http", "example.org", 80, "/")),
        ("https://EXAMPLE.org:8443/a/b.png?c=d&e#f", Request("https", "example.org", 8443, "/a/b.png?c=d&e")),
        ("HTTP://example.org/ñ%20.png", Request("http", "example.org", 80, "/%C3%B1%20.png")),
        ("http://[::1]:8000/a", Request("http", "::1", 8000, "/a")),
        ("http://bücher.example/a", Request("http", "xn--bcher-kva.example", 80, "/a")),
    ],
)
def test_an_address_is_taken_apart(address: str, request_: Request) -> None:
    assert request_of(address) == request_


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a.png",
        "//example.org/a",
        "ftp://example.org/a",
        "file:///a",
        "http:///a",
        "http://a:b@example.org/",
        "http://@example.org/",
        "http://example.org:99999/",
        "http://example.org:x/",
        "http://exa mple.org/",
        "http://example.org/a\r\nHost: other",
        "http://example.org/\0",
        "http://[::1/",
        "http://a\N{REPLACEMENT CHARACTER}.org/",
        "http://%65xample.org/",
        "http://example.org/" + "a" * 5000,
        "http://" + "ü" * 80 + ".org/",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(AddressError) as caught:
        request_of(address)
    assert caught.value.code == "addressBad"
    assert caught.value.detail


@given(st.text() | st.text().map(lambda text: f"http://{text}") | st.text().map(lambda text: f"http://example.org/{text}"))
def test_no_address_injects_anything(address: str) -> None:
    try:
        request = request_of(address)
    except AddressError:
        return
    assert request.scheme in {"http", "https"}
    assert 0 < request.port < 65536
    for part in (request.host, request.target):
        assert part.isascii()
        assert part.isprintable()
        assert " " not in part
    assert request.target.startswith("/")


@pytest.mark.parametrize(
    ("start", "location", "target"),
    [
        ("http://a.org/x/y", "z", "http://a.org/x/z"),
        ("http://a.org/x/y", "//b.org/z", "http://b.org/z"),
        ("http://a.org/x", "https://a.org/x", "https://a.org/x"),
        ("https://a.org/x", "/y", "https://a.org/y"),
    ],
)
def test_sent_on(start: str, location: str, target: str) -> None:
    assert redirected(start, location) == target


@pytest.mark.parametrize(
    "location", [None, "", "http://a.org/x", "file:///x", "javascript:0", "https://b:c@a.org", "https://[", "x y"]
)
def test_not_sent_on(location: str | None) -> None:
    with pytest.raises(AddressError) as caught:
        redirected("https://a.org/x", location)
    assert caught.value.code == "redirectRefused"


def test_a_text_list() -> None:
    text = (
        f"# one\n\n  http://a.org/%41.png?x=/y.png \nhttp://a.org/b.jpg\t{SHA256.upper()}\r\nhttp://a.org/c {SHA256}0\nnonsense\n"
    )
    found = list(parse_list(text))
    assert [(one.address, one.sha256, one.name, one.problem is None) for one in found] == [
        ("http://a.org/%41.png?x=/y.png", None, "A.png", True),
        ("http://a.org/b.jpg", SHA256, "b.jpg", True),
        ("http://a.org/c", None, "c", False),
        ("nonsense", None, "nonsense", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"http://a.org/b,{SHA256}\nhttp://a.org/c\n",
        f"url,name,sha256\nhttp://a.org/b,B,{SHA256}\nhttp://a.org/c,C,\n",
        f'Name, Address ,SHA256\n"B, b","http://a.org/b",{SHA256}\n\nC,http://a.org/c\n',
    ],
)
def test_a_table(text: str) -> None:
    found = list(parse_table(text))
    assert [(one.address, one.sha256, one.problem) for one in found] == [
        ("http://a.org/b", SHA256, None),
        ("http://a.org/c", None, None),
    ]


def test_a_table_without_checksums() -> None:
    assert [one.sha256 for one in parse_table("address,other\nhttp://a.org/b,c\n")] == [None]


@given(st.text())
def test_any_text_is_a_list(text: str) -> None:
    for source in parse_list(text):
        if source.problem is None:
            assert request_of(source.address).host


@given(st.lists(st.tuples(st.from_regex(r"http://[a-z]{1,9}\.org/[a-z/]{0,9}", fullmatch=True), st.sampled_from([None, SHA256]))))
def test_a_list_gives_what_was_written(lines: list[tuple[str, str | None]]) -> None:
    text = "".join(f"{address}{' ' + sha256 if sha256 else ''}\n" for address, sha256 in lines)
    assert [(one.address, one.sha256) for one in parse_list(text)] == lines
    table = "".join(f"{address},{sha256 or ''}\n" for address, sha256 in lines)
    assert [(one.address, one.sha256) for one in parse_table(table)] == lines


def test_bytes_that_are_no_text_are_told() -> None:
    found = read_sources(["-"], io.BytesIO(b"\xef\xbb\xbfhttp://a.org/b\nhttp://a.org/\xff\n"))
    assert [one.problem is None for one in found] == [True, False]
