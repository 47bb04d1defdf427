"""The folder that `--debug-dir` names: holds the pictures of one sheet, and never touches a file that is not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from edge.commands.error import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from edge.ballot.draw import Step

_SIGN = ("Software", "scrutineer")
"""Written into every picture; a file without it is not ours."""
_NAMES = "[1-5]-*.png"


class PictureFolder:
    """A folder of pictures. Opening it removes the pictures of an earlier sheet, so that two sheets are never taken for one."""

    def __init__(self, path: Path) -> None:
        """Make the folder if there is none.

        Raises:
            CommandError: `debugDirUnusable` when it is no folder, cannot be written, or holds foreign files by our names.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            earlier = sorted(path.glob(_NAMES))
            foreign = [one for one in earlier if not _is_ours(one)]
            if foreign:
                raise CommandError("debugDirUnusable", f"{str(foreign[0])!r} is not a picture of ours, and is left alone")
            for one in earlier:
                one.unlink()
        except FileExistsError as error:
            raise CommandError("debugDirUnusable", f"{str(path)!r} is not a folder") from error
        except (OSError, ValueError) as error:
            raise CommandError("debugDirUnusable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error

    def write(self, step: Step, side: str, image: Image.Image) -> None:
        """Write one picture as `<step>-<side>.png`.

        Raises:
            CommandError: `debugDirUnusable`.
        """
        path = self.path / f"{step}-{side}.png"
        information = PngInfo()
        information.add_text(*_SIGN)
        try:
            with path.open("xb") as file:
                image.save(file, "PNG", pnginfo=information, compress_level=3)
        except OSError as error:
            raise CommandError("debugDirUnusable", f"{str(path)!r}: {error.strerror or error}") from error


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return image.info.get(_SIGN[0]) == _SIGN[1]
    except (OSError, SyntaxError, ValueError):
        return False
