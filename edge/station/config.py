"""The station's configuration: one TOML file, checked as a whole before anything is opened.

Unknown keys are refused: a misspelt limit must not silently leave the default in force. Relative paths are relative to the file's
folder, so that the answer does not depend on where the station was started. `effective` lists what is in force and where each
value came from; the keys themselves stand in `edge.station.config_sections`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, PrivateAttr, ValidationError, model_validator

from edge.station.config_sections import (
    RUNTIME_DIRECTORY,
    Definition,
    EvidenceConfig,
    PanelConfig,
    ScannerConfig,
    Section,
    StationSettings,
    StatusConfig,
    is_path,
)

MAX_CONFIG_BYTES = 64 << 10

_SLOT_KIB = 512
"""Both bilevel sides of real letter sheets take 60 to 100 KiB; noise and 22-inch paper take more."""
_GREY_SLOT_KIB = 6144
"""Both grey sides of a letter sheet at 200 dpi have 7 MiB of pixels, of which PNG leaves about half."""
_FORM_SLOT_KIB = 12_288
"""Both grey sides of a letter sheet at 300 dpi have 16 MiB of pixels, of which PNG leaves a half, in a clean scan a third."""
_DEFINITIONS = "definitions"
_SECTIONS = ("scanner", "panel", "evidence", "station", "status")


class ConfigError(Exception):
    """A configuration that cannot be used: a reason code, and the place with one sentence.

    Codes: `configNotFound`, `configUnreadable` (the file cannot be read or is too large), `configInvalid`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


def _listed(value: object) -> object:
    """A TOML array of tables as a tuple."""
    return tuple(value) if isinstance(value, list) else value


class StationConfig(Section):
    """The whole file, with every default filled in; made by `load_station_config` or `station_config`."""

    definitions: Annotated[tuple[Definition, ...], BeforeValidator(_listed)]
    scanner: ScannerConfig
    panel: PanelConfig
    evidence: EvidenceConfig
    station: StationSettings
    status: StatusConfig
    _given: frozenset[str] = PrivateAttr(default=frozenset())

    @model_validator(mode="after")
    def _switch_is_wired(self) -> Self:
        if self.station.polls == "switch" and self.panel.inputs.polls is None:
            raise ValueError('[station] polls = "switch" needs a number for polls under [panel.inputs]')
        return self

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if not self.definitions:
            raise ValueError("[[definitions]] names what is read: an election, forms of tally sheets, or both")
        if sum(definition.election is not None for definition in self.definitions) > 1:
            raise ValueError("[[definitions]] names more than one election")
        forms = [definition.form for definition in self.definitions if definition.form is not None]
        if len(set(forms)) < len(forms):
            raise ValueError("[[definitions]] names a form twice")
        return self


def load_station_config(path: Path) -> StationConfig:
    """Read a configuration file.

    Args:
        path: UTF-8 TOML, at most 64 KiB.

    Raises:
        ConfigError: see there.
    """
    try:
        if path.exists() and not path.is_file():
            raise ConfigError("configUnreadable", f"{str(path)!r} is not a regular file")
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError("configNotFound", f"there is no file {str(path)!r}") from error
    except (OSError, ValueError) as error:
        raise ConfigError("configUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError("configUnreadable", f"{str(path)!r} is larger than {MAX_CONFIG_BYTES} bytes")
    try:
        document = tomllib.loads(raw.decode(), parse_float=_exact)
    except RecursionError as error:
        raise ConfigError("configInvalid", f"{str(path)!r}: nested too deeply") from error
    except ValueError as error:
        raise ConfigError("configInvalid", f"{str(path)!r}: {error}") from error
    return station_config(document, path.parent)


def station_config(document: Mapping[str, Any], folder: Path) -> StationConfig:
    """Check a parsed configuration and fill in what it leaves to the defaults.

    Args:
        document: section -> key -> value, as TOML gives them, decimals as `Decimal`.
        folder: where relative paths start.

    Raises:
        ConfigError: `configInvalid`; the detail begins with the place, `[section] key`.
    """
    _refuse_unknown_keys(document, StationConfig, ())
    given = frozenset(_given_keys(document, ""))
    try:
        config = StationConfig.model_validate(_with_defaults(document), context=Path(os.path.abspath(folder)))  # noqa: PTH100 - keeps links
    except ValidationError as error:
        raise ConfigError("configInvalid", _first_problem(error)) from error
    config._given = given  # noqa: SLF001 - our own; a field of the model would be a key of the file
    return config


def effective(config: StationConfig) -> list[tuple[str, str | int | bool, Literal["file", "default"]]]:
    """Every value in force with its place (`scanner.timing.write_limit`) and whether the file or a default gave it.

    Paths, decimals and lists are given as text, what is absent as "none".
    """
    return [(place, value, "file" if place in config._given else "default") for place, value in _values(config, "")]  # noqa: SLF001 - as above


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError("a number is out of range") from error


def _with_defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every section, and the defaults that depend on other keys."""
    filled: dict[str, Any] = {name: document.get(name, {}) for name in _SECTIONS}
    definitions = filled[_DEFINITIONS] = document.get(_DEFINITIONS, [])
    forms = isinstance(definitions, list) and any(isinstance(one, dict) and "form" in one for one in definitions)
    tables = {name: dict(table) for name, table in filled.items() if isinstance(table, dict)}
    filled |= tables
    station, panel = tables.get("station", {}), tables.get("panel", {})
    runtime = str(station.get("runtime_directory", RUNTIME_DIRECTORY))
    # A wrong value is complained about at its own place, so here the default stands in for it.
    folder = Path(runtime) if is_path(runtime) else RUNTIME_DIRECTORY
    tables.get("scanner", {}).setdefault("lock_file", str(folder / "scanner.lock"))
    tables.get("status", {}).setdefault("socket", str(folder / "status.sock"))
    evidence = tables.get("evidence", {})
    if is_path(evidence.get("folder")):
        evidence.setdefault("keys", str(Path(evidence["folder"]).parent / "keys"))
    usual = _GREY_SLOT_KIB if evidence.get("grey_pages") is True else _SLOT_KIB
    evidence.setdefault("slot_kib", _FORM_SLOT_KIB if forms else usual)
    inputs = panel.get("inputs")
    station.setdefault("polls", "switch" if isinstance(inputs, dict) and "polls" in inputs else "always_open")
    return filled


def _refuse_unknown_keys(document: Mapping[str, Any], model: type[BaseModel], path: tuple[str, ...]) -> None:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, value in document.items():
        if key not in fields:
            nearest = difflib.get_close_matches(key[:80], fields, n=1, cutoff=0.0)[0]
            kind = "section" if not path else "key"
            raise ConfigError(
                "configInvalid", f"{_place((*path, ascii(key[:80])))}: unknown {kind}; the nearest known one is {nearest}"
            )
        if key == _DEFINITIONS and not path and isinstance(value, list):
            for definition in value:
                if isinstance(definition, dict):
                    _refuse_unknown_keys(definition, Definition, (key,))
        inner = fields[key].annotation
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, BaseModel):
            _refuse_unknown_keys(value, inner, (*path, key))


def _given_keys(document: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _given_keys(value, f"{prefix}{key}.")
        elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
            for number, one in enumerate(value, 1):
                yield from _given_keys(one, f"{prefix}{key}.{number}.")
        else:
            yield prefix + key


def _values(section: BaseModel, prefix: str) -> Iterator[tuple[str, str | int | bool]]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        place = prefix + (field.alias or name)
        if isinstance(value, BaseModel):
            yield from _values(value, f"{place}.")
        elif isinstance(value, (bool, int)):
            yield place, value
        elif isinstance(value, tuple) and all(isinstance(one, BaseModel) for one in value) and value:
            # Of an election and a form each has keys that the other cannot have.
            for number, one in enumerate(value, 1):
                yield from (given for given in _values(one, f"{place}.{number}.") if given[1] != "none")
        elif isinstance(value, tuple):
            yield place, ", ".join(value) or "none"
        else:
            yield place, "none" if value is None else str(value)


def _first_problem(error: ValidationError) -> str:
    """The first complaint of a validation with its place, without quoting the input."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "model_type":
        message = "a section with keys is expected"
    steps = tuple(step for step in problem["loc"] if isinstance(step, str))
    return f"{_place(steps)}: {message}" if steps else message


def _place(path: tuple[str, ...]) -> str:
    """`[section] key`; the section alone where the complaint is about all of it."""
    *sections, last = path
    if path[0] == _DEFINITIONS:
        return " ".join(("[[definitions]]", *path[1:]))
    if not sections or last in {"timing", "outputs", "inputs"}:
        return f"[{'.'.join(path)}]"
    return f"[{'.'.join(sections)}] {last}"
