"""Which software this is."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from edge.evidence import software
from edge.evidence.software import SoftwareError, folders_sha256, software_name, software_sha256


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package whose sorting is not that of its folders."""
    for name, content in {
        "edge/__init__.py": b"",
        "edge/a.py": b"a\n",
        "edge/a/b.py": b"b\n",
        "edge/a-c/d.py": b"d\n",
        "edge/Z.py": b"Z\n",
        "edge/inference/digits.py": b"digits\n",
        "models/digit.tflite": b"model",
        "edge/__pycache__/a.pyc": b"old",
        "edge/a/__pycache__/b.pyc": b"old",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "edge/inference/released_files").symlink_to("../../models")
    return tmp_path / "edge"


def test_the_name_is_the_distributions() -> None:
    assert software_name() == f"scrutineer-edge {metadata.version('scrutineer-edge')}"


def test_software_that_is_not_installed_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_DISTRIBUTION", "not-a-distribution-of-ours")
    with pytest.raises(SoftwareError) as refused:
        software_name()
    assert refused.value.code == "softwareUnreadable"


def test_the_hash_is_that_of_the_installed_packages() -> None:
    import edge  # noqa: PLC0415  only to find it
    import firmware_bridge  # noqa: PLC0415  as above

    folders = [Path(package.__file__ or "").parent for package in (edge, firmware_bridge)]
    assert software_sha256() == folders_sha256(folders)
    assert len(software_sha256()) == 32


def test_the_hash_is_worked_out_with_other_tools(tree: Path) -> None:
    command = "find -L edge -name __pycache__ -prune -o -type f -print | LC_ALL=C sort | xargs sha256sum | sha256sum"
    shell = shutil.which("sh")
    if shell is None or shutil.which("sha256sum") is None:
        pytest.skip("there is no sha256sum command")
    shown = subprocess.run([shell, "-c", command], cwd=tree.parent, check=True, capture_output=True, text=True).stdout
    assert shown.split()[0] == folders_sha256([tree]).hex()
    assert command.replace("edge", "edge firmware_bridge", 1) in (software.__doc__ or "")


def test_the_hash_is_that_of_the_lines_described(tree: Path) -> None:
    names = (
        *("edge/Z.py", "edge/__init__.py", "edge/a-c/d.py", "edge/a.py", "edge/a/b.py"),
        *("edge/inference/digits.py", "edge/inference/released_files/digit.tflite"),
    )
    lines = [f"{hashlib.sha256((tree.parent / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    assert folders_sha256([tree]) == hashlib.sha256("".join(lines).encode()).digest()


def test_any_change_of_a_file_changes_the_hash_and_the_cache_does_not(tree: Path) -> None:
    before = folders_sha256([tree])
    (tree / "__pycache__" / "new.pyc").write_bytes(b"new")
    shutil.rmtree(tree / "a" / "__pycache__")
    assert folders_sha256([tree]) == before
    seen = {before}
    (tree / "a.py").write_bytes(b"b\n")
    seen.add(folders_sha256([tree]))
    (tree / "a.py").rename(tree / "e.py")
    seen.add(folders_sha256([tree]))
    (tree / "data.bin").write_bytes(b"")
    seen.add(folders_sha256([tree]))
    (tree.parent / "models" / "digit.tflite").write_bytes(b"another")
    seen.add(folders_sha256([tree]))
    tree.rename(tree.parent / "other")
    seen.add(folders_sha256([tree.parent / "other"]))
    assert len(seen) == 6


def test_the_order_of_the_packages_does_not_matter(tree: Path) -> None:
    other = tree.parent / "bridge"
    other.mkdir()
    (other / "x.py").write_bytes(b"x")
    assert folders_sha256([tree, other]) == folders_sha256([other, tree])


@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "pipe", "line break"])
def test_what_is_no_plain_file_is_refused(tree: Path, kind: str) -> None:
    odd = tree / "a" / ("odd\nname" if kind == "line break" else "odd")
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "line break":
        odd.write_bytes(b"")
    else:
        odd.symlink_to(tree / "a.py" if kind == "link to a file" else tree / "a-c")
    with pytest.raises(SoftwareError) as refused:
        folders_sha256([tree])
    assert refused.value.code == "softwareUnreadable"
    assert str(refused.value) == f"softwareUnreadable: {refused.value.detail}"


def test_a_missing_package_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tree / "none", tree / "a.py"):
        with pytest.raises(SoftwareError) as refused:
            folders_sha256([folder])
        assert refused.value.code == "softwareUnreadable"
    for packages in (("edge", "not_a_package_of_ours"), ("edge", "json.decoder")):
        monkeypatch.setattr(software, "PACKAGES", packages)
        with pytest.raises(SoftwareError, match="in 0 places"):
            software_sha256()
