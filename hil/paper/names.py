"""Invented towns, people, offices and questions for made-up elections. None of them exists."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    import numpy as np


class TextLength(StrEnum):
    """How wordy the ballot's language is."""

    SHORT = "short"
    NORMAL = "normal"
    LONG = "long"


TOWNS = (
    "Aldermere",
    "Brackwater",
    "Corvane",
    "Dunlowick",
    "Elmshaven",
    "Fennimoor",
    "Gristle Hill",
    "Harrowpond",
    "Ivelbrook",
    "Jorvale",
)
_COUNTIES = ("Tansy", "Quillon", "Marrow", "Sedgeland")
_QUARTERS = ("North", "South", "East", "West", "Harbor", "Mill", "Meadow", "Orchard")
_FIRST = (
    "Ada", "Bram", "Cleo", "Dorrit", "Ewan", "Fern", "Gus", "Hazel", "Ivo", "Juno", "Kit", "Lark", "Milo", "Nell", "Otis", "Pia",
    "Quill", "Rue", "Silas", "Tamsin", "Ugo", "Vesper", "Wren", "Xan", "Yara", "Zeb",
)  # fmt: skip
_LAST = (
    "Alder", "Brindle", "Cobb", "Dapple", "Eddish", "Fallow", "Gorse", "Hobnail", "Inkle", "Jasper", "Kettle", "Lumley", "Mallow",
    "Nettle", "Oakum", "Pumice", "Quarrel", "Rushlight", "Sorrel", "Thistle", "Umber", "Vetch", "Willow", "Yarrow", "Zinnia",
)  # fmt: skip
_SHORT_OFFICES = ("Mayor", "Clerk", "Treasurer", "Council", "Auditor", "Moderator", "Sexton", "Assessor", "Warden", "Librarian")
_OFFICES = (
    "Town Council Member", "County Commissioner", "Register of Deeds", "School Board Director", "Trustee of the Trust Funds",
    "Overseer of the Lighthouse", "Water District Commissioner", "Supervisor of the Checklist", "Library Trustee", "Fence Viewer",
    "Surveyor of Wood and Bark", "Measurer of Snow", "Cemetery Trustee", "Keeper of the Town Clock",
)  # fmt: skip
_LONG_OFFICES = (
    "Commissioner of the Joint Regional Water and Sewer District / Comisionado del Distrito Regional Conjunto de Agua y Drenaje",
    "Trustee of the Consolidated Public Library and Reading Rooms / Fideicomisario de la Biblioteca y de las Salas de Lectura",
    "Supervisor of the Voter Checklist and of the Polling Places / Supervisor de la Lista de Votantes y de los Centros de Votar",
    "Director of the Cooperative Elementary and Secondary School District / Director del Distrito Escolar Cooperativo Primario",
    "Overseer of Lighthouses, Buoys and Harbor Signals / Encargado de los Faros, de las Boyas y de las Luces del Puerto",
)
_THINGS = ("duck pond", "town clock", "bandstand", "footbridge", "snow plough", "apple orchard", "ferry landing", "skating rink")
_SHORT_THINGS = ("Pond", "Clock", "Bandstand", "Bridge", "Plough", "Orchard", "Ferry", "Rink")


def person(random: Random, length: TextLength) -> str:
    """A candidate's name."""
    first, last = random.choice(_FIRST), random.choice(_LAST)
    if length is TextLength.SHORT:
        return f"{first[0]}. {last}"
    if length is TextLength.NORMAL:
        return f"{first} {random.choice('ABCDEFGHJKLM')}. {last}" if random.random() < 0.3 else f"{first} {last}"
    street = f"{random.choice(_QUARTERS)} {random.choice(_LAST)} Street"
    return f"{first} {random.choice(_FIRST)} {last}-{random.choice(_LAST)}, resident of {street}"


def invented_write_in(rng: np.random.Generator) -> str:
    """A write-in name in the letters that summary ballots can carry."""
    first, last = (str(rng.choice(names)).upper() for names in (_FIRST, _LAST))
    return f"{first} {last}-{rng.choice(_LAST)}".upper() if rng.random() < 0.2 else f"{first} {last}"


def office(random: Random, length: TextLength, place: str) -> str:
    """The title of an office, with the place that elects it."""
    if length is TextLength.SHORT:
        return f"{random.choice(_SHORT_OFFICES)}, {place}"
    return f"{random.choice(_OFFICES if length is TextLength.NORMAL else _LONG_OFFICES)}, {place}"


def question(random: Random, length: TextLength, place: str, number: int) -> str:
    """The question of a measure."""
    index = random.randrange(len(_THINGS))
    if length is TextLength.SHORT:
        return f"Question {number}: {_SHORT_THINGS[index]}"
    amount = random.randrange(2, 90) * 500
    text = f"Question {number}: Shall {place} raise and appropriate the sum of {amount} crowns to repair the {_THINGS[index]}?"
    if length is TextLength.NORMAL:
        return text
    return (
        f"{text} This question is put by petition; the select board recommends it by four to one, and the money shall not lapse "
        f"until the work is done. / Pregunta {number}: Se autoriza a {place} a recaudar y asignar la suma de {amount} coronas?"
    )


def yes_and_no(length: TextLength) -> tuple[str, str]:
    """The two answers to a measure."""
    return ("Yes / Si, a favor de la propuesta", "No / En contra de la propuesta") if length is TextLength.LONG else ("Yes", "No")


def county(random: Random) -> str:
    """A county's name."""
    return f"{random.choice(_COUNTIES)} County"


def quarters(random: Random, count: int) -> list[str]:
    """`count` different parts of a town."""
    names = [f"{name} Ward" for name in _QUARTERS] + [f"{name} Side" for name in _QUARTERS]
    return random.sample(names, count)
