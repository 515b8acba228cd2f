"""What is wrong with an installation, each in a sentence with the command that mends it.

Owns: which things are looked at, and the words. Not here: mending. Invariant: no secret is shown; one thing that cannot
be looked at keeps back no other.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from gembill import sqlite
from gembill.address import masked
from gembill.capture.fingerprint import SECRET_FILE
from gembill.config import Settings
from gembill.errors import GembillError, SchemaError
from gembill.ledger import (
    Ledger,
    LedgerUnavailable,
    count_gaps,
    count_unreplayed,
    ledger_file,
    open_ledger,
    read_gaps,
    read_places,
    read_time_range,
)
from gembill.spool import SpoolSurvey, survey_spools
from gembill.spool.reader import read_cursor
from gembill.spool_rescue import count_displaced, is_salvaged

_OTHERS = 0o077
_AHEAD_S = 300.0  # more than this is no delay of a clock's setting
_ROOMY = 4  # times the floor
_LOCKED_S = 3.0  # longer than a transaction of ours takes
_ABOUT_LEDGERS = re.compile(r"`(gembill (?:replay|proxy|report|db|spool renew|spool salvage)\b[^`]*)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """One thing that is wrong, or with `note` only worth knowing; `remedy` is what to do, mostly a command."""

    about: str
    sentence: str
    remedy: str
    note: bool = False


def examine(
    settings: Settings, now_s: Callable[[], float] = time.time, *, database_url: str | None = None
) -> list[Ailment]:
    """All that is found, in the order in which it is best mended. ConfigurationError where there is no data folder.

    `database_url` is the flag of the command, if it was given: the commands that are proposed need it too.
    """
    found = list(dict.fromkeys(_all(settings, now_s)))
    if database_url is None:
        return found
    flag = f"--database-url {quote(masked(database_url))}"
    return [replace(one, remedy=_ABOUT_LEDGERS.sub(rf"`\g<1> {flag}`", one.remedy)) for one in found]


def _all(settings: Settings, now_s: Callable[[], float]) -> Iterator[Ailment]:
    spools: list[SpoolSurvey] = []
    for look in (_folder, _secret, _modes, _disk):
        yield from _looked(look(settings))
    try:
        spools = survey_spools(settings.spool_dir)
    except OSError as error:
        yield _closed_to_us(error)
    yield from _spools(spools)
    yield from _engine(settings)
    yield from _lock(settings)
    yield from _ledger(settings, spools, now_s)


def _looked(ailments: Iterable[Ailment]) -> Iterator[Ailment]:
    """Those that are found; what cannot be looked at is one more."""
    try:
        yield from ailments
    except OSError as error:
        yield _closed_to_us(error)


def _closed_to_us(error: OSError) -> Ailment:
    path = Path(str(error.filename))
    sentence = f"{path} cannot be looked at: {error.strerror}"
    return Ailment(about="file modes", sentence=sentence, remedy=_granting(path))


def _granting(path: Path) -> str:
    """The command that lets us read and write what is at a path: it, or the first folder on the way that is closed."""
    closed = next((each for each in reversed(path.parents) if not os.access(each, os.X_OK)), path)
    ours = closed.stat().st_uid == os.geteuid()
    if closed != path:
        return f"`{'chmod u+x' if ours else 'chmod a+x'} {quote(str(closed))}`, as its owner"
    return f"`{'chmod -R u+rwX' if ours else 'chown -R $(id -u)'} {quote(str(path))}`"


def _ledger(settings: Settings, spools: list[SpoolSurvey], now_s: Callable[[], float]) -> list[Ailment]:
    found: list[Ailment] = []
    ledger = None
    try:
        ledger = open_ledger(settings.ledger_url, read_only=True)
        for ailments in (
            _damage(ledger, spools),
            _books(ledger, spools),
            _clock(ledger, now_s()),
            _young_secret(ledger, settings),
        ):
            found += _looked(ailments)
    except OSError as error:
        found += [*_damage(None, spools), _closed_to_us(error)]
    except GembillError as error:
        found += [*_damage(None, spools), _unopened(settings, error)]
    finally:
        if ledger is not None:
            ledger.close()
    return found


def _folder(settings: Settings) -> Iterator[Ailment]:
    folder = settings.data_folder
    if not folder.exists():
        yield Ailment(
            about="data folder",
            sentence=f"there is no data folder {folder} yet",
            remedy="`gembill proxy` makes it, or name another with GEMBILL_DATA_DIR",
            note=True,
        )
    elif not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            mount = next(each for each in (folder, *folder.parents) if os.path.ismount(each))
            sentence = f"the disk of the data folder {folder} is mounted read-only"
            remedy = f"`mount -o remount,rw {quote(str(mount))}`, once the log of the system says why it is"
        else:
            sentence, remedy = f"we may not write to the data folder {folder}", _granting(folder)
        remedy += "; or name another with GEMBILL_DATA_DIR"
        yield Ailment(about="data folder", sentence=sentence, remedy=remedy)


def _secret(settings: Settings) -> Iterator[Ailment]:
    """The secret of fingerprints: without it the same key is another one in reports."""
    file = settings.data_folder / SECRET_FILE
    if settings.fingerprint_secret is not None or not settings.spool_dir.exists():
        return
    try:
        size = len(file.read_bytes().strip())
    except FileNotFoundError:
        size = 0
    except OSError as error:
        remedy = _granting(file)
        yield Ailment(about="secret", sentence=f"{file} cannot be read: {error.strerror}", remedy=remedy)
        return
    if size == 0:
        yield Ailment(
            about="secret",
            sentence=f"the secret of fingerprints {file} is lost: known keys get new names in reports",
            remedy="put the file back from a backup of the data folder before the next start, or set "
            "GEMBILL_FINGERPRINT_SECRET; else let the next start make one and join the histories in the settings: "
            "[keys] k_NEW = 'k_OLD'",
        )


def _young_secret(ledger: Ledger, settings: Settings) -> Iterator[Ailment]:
    """A secret that was made after the first call cannot be the one of that call."""
    file = settings.data_folder / SECRET_FILE
    if settings.fingerprint_secret is not None or not file.exists():
        return
    with ledger.reading() as snapshot:
        ((first_us,),) = snapshot.rows("SELECT min(first_seen_us) FROM source WHERE kind = 'spool'")
        named = snapshot.rows("SELECT key FROM rollup_wide_day WHERE substr(key, 1, 2) = 'k_' LIMIT 1")
    if first_us is not None and named and file.stat().st_mtime > first_us / 1e6 + _AHEAD_S:
        yield Ailment(
            about="secret",
            sentence="the secret of fingerprints is younger than the ledger's first call; if it was lost and made "
            "again, keys have two names in reports",
            remedy="join them in the settings: [keys] k_NEW = 'k_OLD' (`gembill report monthly --by key` names them)",
            note=True,
        )


def _modes(settings: Settings) -> Iterator[Ailment]:
    """Files of ours that others may read."""
    file = ledger_file(settings.ledger_url)
    places = [settings.spool_dir, settings.data_folder / SECRET_FILE, *([file] if file else [])]
    if os.name != "posix":
        return
    for place in places:
        if place.exists() and place.stat().st_mode & _OTHERS:
            command = "chmod 700" if place.is_dir() else "chmod 600"
            sentence = f"others on this machine can read {place}"
            yield Ailment(about="file modes", sentence=sentence, remedy=f"`{command} {quote(str(place))}`")


def _disk(settings: Settings) -> Iterator[Ailment]:
    folder = _there(settings.spool_dir)
    free, floor = shutil.disk_usage(folder).free, settings.spool_min_free_bytes
    if free < floor * _ROOMY:
        yield Ailment(
            about="disk",
            sentence=f"the disk of {folder} has {free:,} bytes free; calls are refused below {floor:,}",
            remedy="make room, or keep posted events for a shorter time (spool_keep_hours)",
            note=free >= floor,
        )
    file = ledger_file(settings.ledger_url)
    if file is None or _there(file).stat().st_dev == folder.stat().st_dev:
        return
    if (free := shutil.disk_usage(_there(file)).free) < floor * _ROOMY:
        yield Ailment(
            about="disk",
            sentence=f"the disk of the ledger {file} has {free:,} bytes free; while it is full, calls stay in spools",
            remedy="make room; what waits is posted then",
            note=free >= floor,
        )


def _there(path: Path) -> Path:
    """A path, or the nearest of its folders that there is."""
    return next(each for each in (path, *path.parents) if each.exists())


def _engine(settings: Settings) -> Iterator[Ailment]:
    if ledger_file(settings.ledger_url) is not None and not sqlite.wal_is_safe(sqlite.version):
        version = ".".join(map(str, sqlite.version))
        sentence = f"SQLite {version} can corrupt a write-ahead log, so the slower journal is used"
        yield Ailment(about="sqlite", sentence=sentence, remedy="`pip install pysqlite3`", note=True)


def _lock(settings: Settings) -> Iterator[Ailment]:
    """A program that holds the ledger's file, so that nothing can be posted; reading it is still possible."""
    file = ledger_file(settings.ledger_url)
    if file is None or not os.access(file, os.R_OK | os.W_OK):
        return
    connection = sqlite.driver.connect(file, isolation_level=None, timeout=_LOCKED_S)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite.driver.OperationalError as error:
        if "locked" in str(error):  # of anything else opening it says more
            sentence = (
                f"a program has held the lock of the ledger {file} for {_LOCKED_S:.0f} s; calls stay in the spools"
            )
            yield Ailment(
                about="ledger", sentence=sentence, remedy=f"`fuser {quote(str(file))}` names those that have it open"
            )
    except sqlite.driver.Error:
        pass
    finally:
        connection.close()


def _spools(spools: list[SpoolSurvey]) -> Iterator[Ailment]:
    for each in spools:
        name = each.path.name
        if each.state == "left alone":
            sentence = f"the spool {name} is left alone: {each.reason}"
            remedy = f"`gembill spool renew {name}`, or `gembill spool adopt {name}` if its original is gone"
            yield Ailment(about="spool", sentence=sentence, remedy=remedy)
        elif each.state == "set aside":
            sentence = f"the spool {name} could not be used ({each.reason or 'it was damaged'})"
            closed = not os.access(each.path, os.R_OK | os.W_OK | os.X_OK)
            remedy = _granting(each.path) if closed else f"`gembill spool salvage {name}`"
            yield Ailment(about="spool", sentence=sentence, remedy=remedy)
        elif each.state == "copy":
            sentence = f"the spool {name} was copied or restored from elsewhere; no new call goes into it"
            remedy = f"`gembill spool adopt {name}` if its original is gone, else `gembill spool renew {name}`"
            yield Ailment(about="spool", sentence=sentence, remedy=remedy, note=not each.open_calls)
        elif each.state == "idle" and (each.unposted or each.open_calls):
            sentence = f"the spool {name} has {each.unposted} unposted and {each.open_calls} open calls, and no process"
            yield Ailment(about="spool", sentence=sentence, remedy="start `gembill proxy`, which posts them", note=True)


def _damage(ledger: Ledger | None, spools: list[SpoolSurvey]) -> Iterator[Ailment]:
    """Damaged segments, and whether anything in them is not in the ledger; without one there is all to salvage."""
    for each in spools:
        if not each.damaged or each.state == "set aside":
            continue
        name = each.path.name
        sentence = f"{each.damaged} segments of the spool {name} are damaged"
        if ledger is not None and is_salvaged(ledger, each.path, each.source_id):
            sentence += ", and the ledger has all that can be read of them"
            remedy = "nothing has to be done: they are kept in case a later version reads more"
            yield Ailment(about="damage", sentence=sentence, remedy=remedy, note=True)
        else:
            yield Ailment(about="damage", sentence=sentence, remedy=f"`gembill spool salvage {name}`")


def _books(ledger: Ledger, spools: list[SpoolSurvey]) -> Iterator[Ailment]:
    dead = count_unreplayed(ledger)
    if dead:
        sentence = f"{dead} calls could not become records (dead letters)"
        yield Ailment(
            about="dead letters", sentence=sentence, remedy="`gembill replay --dead-letters`, after an upgrade"
        )
    for each in spools:
        posted = read_cursor(each.path) if each.state in ("idle", "in use") else 0
        if 0 < posted <= each.last and not read_places(ledger, each.source_id, [posted]):
            sentence = f"the ledger lacks calls of the spool {each.path.name} that were posted: it is new, or fell back"
            yield Ailment(about="ledger", sentence=sentence, remedy="`gembill replay`")
    yield from _gaps(ledger, spools)


def _gaps(ledger: Ledger, spools: list[SpoolSurvey]) -> Iterator[Ailment]:
    """Places of spools that are empty in the ledger, and whether their calls are there after all."""
    explained: list[str] = []
    for each in spools:
        empty = count_gaps(ledger, each.source_id)
        elsewhere, lacking = count_displaced(ledger, each.path, each.source_id) if empty else (0, 0)
        if empty and elsewhere == empty:
            explained.append(f"source {each.source_id}: ")
            sentence = f"{empty} places of the spool {each.path.name} are empty in the ledger, and their calls are at "
            sentence += "other places: they were closed again after what had been posted of them was damaged"
            remedy = "`gembill replay` notes that in the ledger, so that `gembill audit` does not name the places"
            yield Ailment(about="gap", sentence=sentence, remedy=remedy, note=True)
        elif empty and not elsewhere and not lacking and is_salvaged(ledger, each.path, each.source_id):
            explained.append(f"source {each.source_id}: ")
            yield _unfilled(each, empty)
    for sentence in read_gaps(ledger):
        if not sentence.startswith(tuple(explained)):
            yield Ailment(about="gap", sentence=sentence, remedy="`gembill replay`, then `gembill spool salvage`")


def _unfilled(spool: SpoolSurvey, empty: int) -> Ailment:
    """Places that neither `replay` nor `salvage` can fill: both would say the same again, whoever runs them."""
    sentence = (
        f"{empty} places of the spool {spool.path.name} are empty in the ledger, and nothing that can be read of "
    )
    sentence += (
        "the spool fills them: a call whose beginning was read is recorded as unknown, of others nothing is known"
    )
    remedy = "if a backup of the ledger has them, `gembill db restore BACKUP --replace`, then `gembill replay`; "
    remedy += "otherwise they stay empty, and `gembill audit` goes on naming them"
    return Ailment(about="gap", sentence=sentence, remedy=remedy)


def _clock(ledger: Ledger, now_s: float) -> Iterator[Ailment]:
    times = read_time_range(ledger)
    if times is not None and times[1] / 1e6 > now_s + _AHEAD_S:
        sentence = f"the newest call is of {_instant(times[1] / 1e6)}, and the clock says {_instant(now_s)}"
        yield Ailment(about="clock", sentence=sentence, remedy="`timedatectl set-ntp true`; records keep their time")


def _unopened(settings: Settings, error: GembillError) -> Ailment:
    """Why the ledger could not be read, and what helps."""
    file = ledger_file(settings.ledger_url)
    address = masked(settings.ledger_url)
    if file is not None and not file.exists():
        return Ailment(about="ledger", sentence=str(error), remedy="`gembill proxy` begins one", note=True)
    if isinstance(error, SchemaError):
        remedy = (
            "`gembill db upgrade`"
            if "db upgrade" in str(error)
            else "`pip install --upgrade .` in a checkout of a newer gembill"
        )
        return Ailment(about="ledger", sentence=str(error), remedy=remedy)
    if isinstance(error, LedgerUnavailable):
        if file is None:
            remedy = "start the database, or correct GEMBILL_DATABASE_URL (its password may have changed)"
        else:
            readable = os.access(file, os.R_OK | os.W_OK)
            remedy = f"`fuser {quote(str(file))}` names the program that holds it" if readable else _granting(file)
        return Ailment(about="ledger", sentence=f"the ledger {address} cannot be reached: {error}", remedy=remedy)
    remedy = "`gembill db restore BACKUP --replace`, then `gembill replay`"
    return Ailment(about="ledger", sentence=f"the ledger {address} cannot be read: {error}", remedy=remedy)


def _instant(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
