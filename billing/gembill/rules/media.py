"""What is billed by the piece, by the second or by the hour: pictures, films and tokens that are kept.

Owns: how many pictures an answer made, how many seconds of film at which resolution, and the API's defaults where a
request does not say them (wire.md 5.9). Not here: tokens (`metering`) and prices. Invariant: a film is counted by its
request until its operation is done, which is an estimate and says so; what nobody reported is never counted as nothing.
"""

import re
from dataclasses import dataclass

from gembill.event import Ending, Event, FilmRequest, Stored
from gembill.model import Flag, Meter, Modality, Operation, Reading, Status

_PICTURES = (Operation.GENERATE_IMAGES, Operation.PREDICT)
_SECONDS = 8  # of a film, of one sample: Veo's defaults
_HOUR_US = 3_600_000_000
_SILENT = re.compile(r"veo-[12]\b")  # sound came with Veo 3
_METERS = {
    True: (Meter.VIDEO_SECONDS, Meter.VIDEO_SECONDS_1080P, Meter.VIDEO_SECONDS_4K),
    False: (Meter.SILENT_VIDEO_SECONDS, Meter.SILENT_VIDEO_SECONDS_1080P, Meter.SILENT_VIDEO_SECONDS_4K),
}
_SIZES = {"1080p": 1, "4k": 2, "2160p": 2}  # every other one costs what 720p costs


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a call is billed by in place of tokens, and the state that this gives its record."""

    status: Status
    readings: tuple[Reading, ...]
    flags: tuple[str, ...] = ()


def pieces(event: Event, model: str | None) -> Pieces | None:
    """The pictures, seconds or token-hours of a call whose usage is not in tokens; None where they are not known.

    To be asked of calls that the API answered without an error.
    """
    if event.ending is not Ending.FINISHED or event.seen.unread is not None:
        return None
    if event.seen.stored is not None:
        return Pieces(Status.COMPLETE, _kept(event.seen.stored), (Flag.ESTIMATED,))
    made = event.seen.made
    if event.operation in _PICTURES and made is not None:
        return Pieces(Status.COMPLETE, _reading(Meter.IMAGES, Modality.IMAGE, made))
    return _begun_or_done(event, model) if event.operation == Operation.GENERATE_VIDEOS else None


def _begun_or_done(event: Event, model: str | None) -> Pieces | None:
    film, made = event.asked.film, event.seen.made
    if film is None:
        return None
    if made is not None:
        return Pieces(Status.COMPLETE, _film(film, model, made))
    if event.seen.response_id is not None:
        return Pieces(Status.PARTIAL, _film(film, model, film.samples or 1), (Flag.ESTIMATED,))
    return None


def _kept(stored: Stored) -> tuple[Reading, ...]:
    """Token-hours, rounded up: what is not kept at all is not billed, whatever its times say."""
    length_us = max(0, stored.until_us - stored.from_us)
    return _reading(Meter.STORAGE, Modality.TEXT, -(-stored.tokens * length_us // _HOUR_US))


def _film(film: FilmRequest, model: str | None, films: int) -> tuple[Reading, ...]:
    sound = film.sound if film.sound is not None else _SILENT.match(model or "") is None
    size = _SIZES.get((film.resolution or "").lower(), 0)
    return _reading(_METERS[sound][size], Modality.VIDEO, films * (film.seconds or _SECONDS))


def _reading(meter: Meter, modality: Modality, quantity: int) -> tuple[Reading, ...]:
    """One reading, also of nothing: a call that made nothing is counted all the same."""
    return (Reading(meter, modality, quantity),)
