"""`ingest` over TLS: only from servers whose certificate is trusted for their name, and never down to plain HTTP."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.tools.conftest import Ingest, errors, picture
from tests.tools.loopback import File, Server, cut, raw, redirect, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(pem))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Server]:
    with serving() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        yield server


def https(address: str, host: str = "127.0.0.1") -> str:
    return address.replace("http://127.0.0.1", f"https://{host}")


def test_a_trusted_server_is_read_and_gone_on_with(
    secure: Server, certificate: Path, ingest: Ingest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ingest(https(secure.serve("/a.png", cut(File(picture()), 10_000), File(picture())))) == 0
    assert secure.ranges("/a.png") == [None, "bytes=10000-"]
    assert (out / "images" / "a.png").read_bytes() == picture()


def test_an_unknown_server_is_refused_at_once(secure: Server, ingest: Ingest, out: Path) -> None:
    assert ingest(https(secure.serve("/a.png", File(picture())))) == 1
    assert errors(out) == {"a.png": "certificateRefused"}
    assert not secure.asked


def test_a_certificate_for_another_name_is_refused(
    secure: Server, certificate: Path, ingest: Ingest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ingest(https(secure.serve("/a.png", File(picture())), "localhost")) == 1
    assert errors(out) == {"a.png": "certificateRefused"}


def test_tls_is_not_given_up_on_the_way(
    secure: Server, server: Server, certificate: Path, ingest: Ingest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server.serve("/b.png", File(picture()))
    assert ingest(https(secure.serve("/a.png", redirect(server.address("/b.png"))))) == 1
    assert errors(out) == {"a.png": "redirectRefused"}
    assert not server.asked
    secure.serve("/c.png", File(picture(1)))
    assert ingest(server.serve("/up.png", redirect(https(secure.address("/c.png"))))) == 0


def test_a_drip_over_tls_ends(
    secure: Server, certificate: Path, ingest: Ingest, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    drip = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n", *[b"X"] * 40, pause=0.1)
    begun = time.monotonic()
    assert ingest("--try-timeout", "0.6", "--tries", "1", https(secure.serve("/a.png", drip))) == 1
    assert time.monotonic() - begun < 2.5
    assert errors(out) == {"a.png": "timedOut"}
