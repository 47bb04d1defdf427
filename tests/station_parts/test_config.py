"""The configuration: what it takes, what it refuses and where, and that every value in force can be told."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.station.config import MAX_CONFIG_BYTES, ConfigError, StationConfig, effective, load_station_config, station_config

SMALLEST = """
[[definitions]]
election = "election.json"
[panel]
pin_factory = "mock"
[evidence]
folder = "evidence"
"""
FULL = """
[[definitions]]
election = "election.json"
settings = "/etc/settings.json"
ballot_hash = "00112233445566778899"
[scanner]
usb_backend = "usbip"
usbip_server = "[::1]:3241"
usbip_busid = "1-1.2"
paper_inches = 8.5
double_feed_detection = false
serial_numbers = ["A1", "B2"]
lock_file = "lock"
reset_on_connect = false
[scanner.timing]
write_limit = 1
status_limit = 2
connect_limit = 3
image_quiet = 4
[scanner.device]
check_boot_register = false
front_sensors_needed = 3
feed_delay_ms = 16
double_feed_sensitivity = 40
double_feed_overlap = 50
partial_row = "refuse"
image_read_bytes = 65536
[panel]
pin_factory = "emulated"
chip = 4
board_revision = 0xc03114
socket = "panel.sock"
bounce_ms = 20
active_low = ["ready", "buzzer"]
[panel.outputs]
accept = 1
reject = 2
review = 3
ready = 4
fault = 5
buzzer = 6
[panel.inputs]
cast = 7
return = 8
polls = 9
[evidence]
folder = "/var/evidence"
second_folder = "/mnt/evidence"
keys = "/var/keys"
device = "scan.example.org/0001"
sheets = 3000
returned_sheets = 0
slot_kib = 256
grey_pages = true
[station]
runtime_directory = "run"
hold_limit_s = 60
polls = "switch"
rest_ms = 0
scan_limit_ms = 9000
accept_limit_ms = 4000
return_limit_ms = 3000
interpret_limit_ms = 8000
poll_ms = 50
idle_poll_ms = 250
reconnect_first_ms = 100
reconnect_most_ms = 1000
accepted_signal_ms = 1000
[status]
socket = "status.sock"
"""


def loaded(folder: Path, text: str) -> StationConfig:
    path = folder / "station.toml"
    path.write_text(text)
    return load_station_config(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    assert caught.value.code == "configInvalid"
    return caught.value.detail


def test_the_smallest_file_has_every_default(tmp_path: Path) -> None:
    config = loaded(tmp_path, SMALLEST)
    assert config.definitions[0].election == tmp_path / "election.json"
    assert config.evidence.folder == tmp_path / "evidence"
    assert config.evidence.keys == tmp_path / "keys"
    assert (config.evidence.second_folder, config.evidence.device) == (None, None)
    assert (config.evidence.sheets, config.evidence.slot_kib, config.evidence.grey_pages) == (2000, 512, False)
    assert config.scanner.lock_file == Path("/run/scrutineer/scanner.lock")
    assert config.status.socket == Path("/run/scrutineer/status.sock")
    assert config.station.polls == "always_open"
    assert config.scanner.paper_inches == 11
    assert config.panel.outputs.wired() == {}


def test_the_full_file_says_everything(tmp_path: Path) -> None:
    config = loaded(tmp_path, FULL)
    assert config.definitions[0].settings == Path("/etc/settings.json")
    assert config.scanner.usbip_address == ("::1", 3241)
    assert config.scanner.paper_inches == Decimal("8.5")
    assert config.scanner.serial_numbers == ("A1", "B2")
    assert config.scanner.timing.image_quiet == 4
    assert config.panel.socket == tmp_path / "panel.sock"
    assert config.panel.outputs.wired() == {"accept": 1, "reject": 2, "review": 3, "ready": 4, "fault": 5, "buzzer": 6}
    assert config.panel.inputs.wired() == {"cast": 7, "return": 8, "polls": 9}
    assert config.evidence.second_folder == Path("/mnt/evidence")
    assert config.evidence.device == "scan.example.org/0001"
    assert (config.evidence.sheets, config.evidence.returned_sheets, config.evidence.slot_kib) == (3000, 0, 256)
    assert config.station.runtime_directory == tmp_path / "run"
    assert {source for _, _, source in effective(config)} == {"file"}


def test_every_value_in_force_is_told_with_its_source(tmp_path: Path) -> None:
    told = {place: (value, source) for place, value, source in effective(loaded(tmp_path, SMALLEST))}
    assert told["definitions.1.election"] == (str(tmp_path / "election.json"), "file")
    assert told["scanner.lock_file"] == ("/run/scrutineer/scanner.lock", "default")
    assert told["scanner.paper_inches"] == ("11", "default")
    assert told["scanner.serial_numbers"] == ("none", "default")
    assert told["panel.inputs.return"] == ("none", "default")
    assert told["station.polls"] == ("always_open", "default")
    assert told["station.rest_ms"] == (2000, "default")
    assert [place for place, (_, source) in told.items() if source == "file"] == [
        "definitions.1.election",
        "panel.pin_factory",
        "evidence.folder",
    ]


def test_the_polls_follow_the_switch_where_one_is_wired(tmp_path: Path) -> None:
    assert loaded(tmp_path, SMALLEST + "[panel.inputs]\npolls = 5").station.polls == "switch"
    assert loaded(tmp_path, SMALLEST + "[panel.inputs]\ncast = 5").station.polls == "always_open"
    assert (
        loaded(tmp_path, SMALLEST + '[panel.inputs]\npolls = 5\n[station]\npolls = "always_open"').station.polls == "always_open"
    )


def test_what_follows_from_the_runtime_directory_moves_with_it(tmp_path: Path) -> None:
    config = loaded(tmp_path, SMALLEST + '[station]\nruntime_directory = "run"')
    assert config.scanner.lock_file == tmp_path / "run" / "scanner.lock"
    assert config.status.socket == tmp_path / "run" / "status.sock"


def test_relative_paths_do_not_depend_on_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "station.toml").write_text(SMALLEST)
    monkeypatch.chdir(tmp_path)
    config = load_station_config(Path("station.toml"))
    assert config.evidence.folder == tmp_path / "evidence"


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("[scaner]", "['scaner']: unknown section; the nearest known one is scanner"),
        ("[scanner]\npaper_inch = 11", "[scanner] 'paper_inch': unknown key; the nearest known one is paper_inches"),
        ("[scanner.timing]\nwrite = 11", "[scanner.timing] 'write': unknown key; the nearest known one is write_limit"),
        ("[panel.outputs]\naccepted = 11", "[panel.outputs] 'accepted': unknown key; the nearest known one is accept"),
        ("[panel.inputs]\nreturn_ = 11", "[panel.inputs] 'return_': unknown key; the nearest known one is return"),
        ("[station]\nrest_ms = 60001", "[station] rest_ms: Input should be less than or equal to 60000"),
        ("[station]\nrest_ms = 2.0", "[station] rest_ms: Input should be a valid integer"),
        ("[station]\nrest_ms = true", "[station] rest_ms: Input should be a valid integer"),
        ('[station]\npolls = "open"', "[station] polls: Input should be 'switch' or 'always_open'"),
        ('[station]\npolls = "switch"', '[station] polls = "switch" needs a number for polls under [panel.inputs]'),
        ("[station]\nruntime_directory = 5", "[station] runtime_directory: a path in quotes is expected"),
        ('[station]\nruntime_directory = ""', "[station] runtime_directory: a path in quotes is expected"),
        (
            "[station]\nreconnect_first_ms = 5000\nreconnect_most_ms = 4000",
            "[station]: reconnect_first_ms must not exceed reconnect_most_ms",
        ),
        (
            "[scanner.device]\npartial_rows = 'drop'",
            "[scanner.device] 'partial_rows': unknown key; the nearest known one is partial_row",
        ),
        ("[scanner]\npaper_inches = 22.4", "[scanner] paper_inches: must lie between 1 and 22.3"),
        ("[scanner]\npaper_inches = 0", "[scanner] paper_inches: must lie between 1 and 22.3"),
        ("[scanner]\npaper_inches = nan", "[scanner] paper_inches: must lie between 1 and 22.3"),
        ("[scanner]\npaper_inches = 11.0001", "[scanner] paper_inches: has more than three decimals"),
        ('[scanner]\npaper_inches = "11"', "[scanner] paper_inches: a number is expected"),
        ('[scanner]\nusbip_busid = "1-1"', '[scanner]: usbip_busid has a meaning only with usb_backend = "usbip"'),
        ('[scanner]\nserial_numbers = ["A", "A"]', "[scanner] serial_numbers: an entry is listed twice"),
        ('[scanner]\nserial_numbers = "A"', "[scanner] serial_numbers: a list in brackets is expected"),
        ("[scanner]\nserial_numbers = [5]", "[scanner] serial_numbers: Input should be a valid string"),
        ('[scanner]\nserial_numbers = [""]', "[scanner] serial_numbers: a serial number has 1 to 126 printable characters"),
        (f"[scanner]\nserial_numbers = {list(range(65))}", "[scanner] serial_numbers: at most 64 entries are expected"),
        (
            f'[status]\nsocket = "/{"x" * 100}"',
            "[status] socket: the path of a socket, with all its folders, has at most 100 bytes",
        ),
        ("[panel.outputs]\naccept = 54", "[panel.outputs] accept: Input should be less than or equal to 53"),
        ("[panel.outputs]\naccept = 5\nready = 5", "[panel]: accept and ready have the same number 5"),
        ("[panel.outputs]\naccept = 5\n[panel.inputs]\nreturn = 5", "[panel]: accept and return have the same number 5"),
        ("scanner = 5", "[scanner]: a section with keys is expected"),
        ("sheets = 0", "[evidence] sheets: Input should be greater than or equal to 1"),
        ("returned_sheets = 10001", "[evidence] returned_sheets: Input should be less than or equal to 10000"),
        ("slot_kib = 18", "[evidence] slot_kib: Input should be a multiple of 4"),
        ("slot_kib = 12", "[evidence] slot_kib: Input should be greater than or equal to 16"),
        ("slots = 12", "[evidence] 'slots': unknown key; the nearest known one is "),
        ('device = "scan.example.org"', "[evidence] device: String should match pattern"),
        ('device = "Scan.Example.Org/1"', "[evidence] device: String should match pattern"),
        ('device = "scan.example.org/a b"', "[evidence] device: String should match pattern"),
        (f'device = "scan.example.org/{"0" * 80}"', "[evidence] device: String should have at most 80 characters"),
        ('second_folder = "evidence"', "[evidence]: folder, second_folder and keys must not lie in each other"),
        ('second_folder = "evidence/second"', "[evidence]: folder, second_folder and keys must not lie in each other"),
        ('keys = "evidence/keys"', "[evidence]: folder, second_folder and keys must not lie in each other"),
        ('second_folder = "keys/second"', "[evidence]: folder, second_folder and keys must not lie in each other"),
        ('keys = "evidence/../evidence"', "[evidence]: folder, second_folder and keys must not lie in each other"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, line: str, detail: str) -> None:
    text = line + SMALLEST if line.startswith("scanner") else SMALLEST + line
    assert refusal(tmp_path, text).startswith(detail)


@pytest.mark.parametrize(
    ("server", "detail"),
    [
        ("127.0.0.1", "address and port are expected"),
        ("127.0.0.1:65536", "address and port are expected"),
        ("127.0.0.1:+80", "address and port are expected"),
        ("localhost:3240", "the address must be a number"),
        ("192.0.2.1:3240", "the address must be this machine's own"),
    ],
)
def test_usbip_stays_on_this_machine(tmp_path: Path, server: str, detail: str) -> None:
    text = SMALLEST + f'[scanner]\nusb_backend = "usbip"\nusbip_server = "{server}"'
    assert refusal(tmp_path, text).startswith(f"[scanner] usbip_server: {detail}")


@pytest.mark.parametrize(
    ("replaced", "by", "detail"),
    [
        ('pin_factory = "mock"', "", "[panel] pin_factory: Field required"),
        ('pin_factory = "mock"', 'pin_factory = "native"', "[panel] pin_factory: Input should be 'lgpio', 'mock' or 'emulated'"),
        ('pin_factory = "mock"', 'pin_factory = "emulated"', '[panel]: socket belongs to pin_factory = "emulated"'),
        ('pin_factory = "mock"', 'pin_factory = "mock"\nsocket = "s"', '[panel]: socket belongs to pin_factory = "emulated"'),
        ('pin_factory = "mock"', 'pin_factory = "mock"\nactive_low = ["lamp"]', "[panel] active_low: Input should be"),
        (
            'pin_factory = "mock"',
            'pin_factory = "mock"\nactive_low = ["ready"]',
            "[panel]: active_low names ready, which has no number",
        ),
        ('[evidence]\nfolder = "evidence"', "", "[evidence] folder: Field required"),
        ('election = "election.json"', "", "[[definitions]]: each names either an election or a form"),
        ('"election.json"', '"election.json"\nform = "bo-2019-a1"', "[[definitions]]: each names either an election or a form"),
        ('election = "election.json"', 'form = "f"\nsettings = "s"', "[[definitions]]: settings and ballot_hash belong to"),
        ('election = "election.json"', 'form = "f.json"', "[[definitions]] form: the name of a form that comes with"),
        ('election = "election.json"', "form = 1", "[[definitions]] form: the name of a form that comes with"),
        ("[[definitions]]", "[definitions]", "[[definitions]]: Input should be a valid tuple"),
        ('[[definitions]]\nelection = "election.json"', "", "[[definitions]] names what is read"),
        ("[[definitions]]", '[[definitions]]\nelection = "a"\n[[definitions]]', "[[definitions]] names more than one election"),
        (
            "[[definitions]]",
            '[[definitions]]\nform = "a"\n[[definitions]]\nform = "a"\n[[definitions]]',
            "[[definitions]] names a form twice",
        ),
        (
            "[[definitions]]",
            '[[definitions]]\nforms = "a"',
            "[[definitions]] 'forms': unknown key; the nearest known one is form",
        ),
        ('"election.json"', '"election.json"\nballot_hash = "00"', "[[definitions]] ballot_hash: 20 hex digits are expected"),
        ('"election.json"', '"a\\u0000b"', "[[definitions]] election: a path in quotes is expected"),
    ],
)
def test_what_must_be_there_is_asked_for(tmp_path: Path, replaced: str, by: str, detail: str) -> None:
    assert refusal(tmp_path, SMALLEST.replace(replaced, by)).startswith(detail)


def test_forms_are_named_or_found_beside_an_election_or_alone(tmp_path: Path) -> None:
    forms = '[[definitions]]\nform = "bo-2019-a1"\n[[definitions]]\nform = "forms/own.toml"\n'
    both, alone = (
        loaded(tmp_path, SMALLEST + forms),
        loaded(tmp_path, SMALLEST.replace('[[definitions]]\nelection = "election.json"', forms)),
    )
    assert [one.form for one in both.definitions] == [None, "bo-2019-a1", tmp_path / "forms/own.toml"]
    assert [one.form for one in alone.definitions] == ["bo-2019-a1", tmp_path / "forms/own.toml"]
    assert both.evidence.slot_kib == alone.evidence.slot_kib == 12288
    told = {place: (value, source) for place, value, source in effective(both)}
    assert told["definitions.1.election"] == (str(tmp_path / "election.json"), "file")
    assert told["definitions.2.form"] == ("bo-2019-a1", "file")
    assert "definitions.2.election" not in told


def test_a_ballot_hash_is_told_in_lower_case(tmp_path: Path) -> None:
    text = SMALLEST.replace('"election.json"', '"election.json"\nballot_hash = "AABBCCDDEEFF00112233"')
    assert loaded(tmp_path, text).definitions[0].ballot_hash == "aabbccddeeff00112233"


@pytest.mark.parametrize("text", ["[", "a = 1e999999999999999999999", "a = " + "[" * 5000, "a = " + "9" * 5000, "[a]\n[a]"])
def test_what_is_no_toml_is_refused_as_such(tmp_path: Path, text: str) -> None:
    assert "station.toml" in refusal(tmp_path, text)


def test_files_that_cannot_be_read_are_told_apart(tmp_path: Path) -> None:
    def code(path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            load_station_config(path)
        assert str(caught.value).startswith(f"{caught.value.code}: ")
        return caught.value.code

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * (MAX_CONFIG_BYTES + 1))
    (tmp_path / "latin").write_bytes(b'a = "\xe9"')
    assert code(tmp_path / "missing") == "configNotFound"
    assert code(tmp_path / "nul\0") == "configUnreadable"
    assert code(tmp_path / ("x" * 300)) == "configUnreadable"
    assert code(tmp_path) == "configUnreadable"
    assert code(tmp_path / "pipe") == "configUnreadable"
    assert code(tmp_path / "large") == "configUnreadable"
    assert code(tmp_path / "latin") == "configInvalid"


@given(st.binary(max_size=200) | st.text(alphabet='[]="\n.#0123456789abcdefnpstio_ ', max_size=80).map(str.encode))
def test_any_bytes_are_a_configuration_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError):
        load_station_config(path)


keys = st.sampled_from(
    ["election", "scanner", "panel", "outputs", "inputs", "timing", "polls", "definition", "return", "active_low"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_any_table_is_a_configuration_or_a_refusal(document: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        station_config(document, Path("/"))
    assert caught.value.code == "configInvalid"
