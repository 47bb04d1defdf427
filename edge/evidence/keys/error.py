"""The errors of this room."""

from __future__ import annotations


class _CodedError(Exception):
    """A reason code and one sentence; the text joins them."""

    def __init__(self, code: str, detail: str) -> None:
        # Both go to the base class, so that the error survives pickling.
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


class KeyFileError(_CodedError):
    """A folder or file of private keys that is refused. `detail` says what to do, and never what is in the file.

    Codes:
        keyMissing: there is no such folder or file.
        keyExists: there is such a file already, and it is not replaced.
        keyTooOpen: others may read or change it.
        keyForeign: it belongs to another user, or is a link, a pipe or whatever else we did not make.
        keyMalformed: its content is not a whole key.
        keyUnavailable: the system does not let us.
    """


class EnrolmentError(_CodedError):
    """An enrolment that is refused: enrolmentMalformed, or enrolmentSignature when its own key has not signed it."""


class TrustError(_CodedError):
    """A trust list that is refused or cannot be made.

    Codes:
        trustMalformed: it is not a trust list as we write it.
        trustSignature: the signature of a given authority does not fit the list.
        trustUnsigned: none of the given authorities has signed it.
        trustForeign: the log that was asked for is not in it.
        trustMismatch: enrolments do not belong into one list, or not into this one.
        trustSigned: the key has signed the list already.
    """
