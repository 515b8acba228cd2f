"""The columns of the files that the billing console writes, in whatever language.

Owns: the words of headers we have a translation of, and where a column is when its word is not known. Not here: values.
Invariant: a role is found by its word first; by its place only next to the SKU's id, whose values no language changes.

Google translates the header and keeps the order of the columns, so a header in a language without a row here is read by
order: the id of the SKU shows itself, its description is before it, amount and unit come after it, cost is last.
"""

import re
from collections.abc import Mapping, Sequence

_WORDS: Mapping[str, tuple[str, ...]] = {
    "project_name": (
        "project name",
        "projektname",
        "nom du projet",
        "nombre del proyecto",
        "nome progetto",
        "nome do projeto",
    ),
    "project_id": ("project id", "projekt id", "id du projet", "id del proyecto", "id progetto", "id do projeto"),
    "service": ("service description", "dienstbeschreibung", "description du service", "descripcion del servicio"),
    "service_id": ("service id", "dienst id", "id du service", "id del servicio", "id servizio", "id do servico"),
    "sku": ("sku description", "sku beschreibung", "description du code sku", "descripcion del sku", "descrizione sku"),
    "sku_id": ("sku id", "id du code sku", "id de sku", "id sku", "id da sku", "id del sku"),
    "kind": ("cost type", "kostentyp", "kostenart", "type de cout", "tipo de costo", "tipo di costo", "tipo de custo"),
    "first": ("usage start date", "startdatum der nutzung", "date", "day", "datum", "tag", "jour", "fecha", "data"),
    "last": ("usage end date", "enddatum der nutzung", "date de fin d utilisation", "fecha de finalizacion del uso"),
    "month": ("month", "monat", "mois", "mes", "mese"),
    "amount": ("usage amount", "nutzungsmenge", "nutzungsumfang", "quantite utilisee", "cantidad de uso", "使用量"),
    "unit": ("usage unit", "nutzungseinheit", "unite d utilisation", "unidad de uso", "単位"),
    "unrounded": ("unrounded cost", "unrounded subtotal", "nicht gerundete kosten", "nicht gerundete zwischensumme"),
    "cost": ("cost", "subtotal", "kosten", "zwischensumme", "cout", "sous total", "costo", "subtotale", "custo"),
}
_ROLES = {word: role for role, words in _WORDS.items() for word in words}
_ACCENTS = str.maketrans("áàâãäéèêëíìîïóòôõöúùûüçñ", "aaaaaeeeeiiiiooooouuuucn")
_SKU_ID = re.compile(r"[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}")
_DATE = re.compile(r"\d{1,4}(?:[./\-年]\s?\d{1,2}[./\-月]\s?)\d{1,4}[.日]?")
TAX_WORDS = ("tax", "steuer", "ust", "mwst", "impuesto", "iva", "taxe", "tva", "imposta", "imposto", "税")
CREDIT_WORDS = ("credit", "guthaben", "gutschrift", "credito", "discount", "rabatt", "remise", "クレジット")
ROUNDING_WORDS = ("rounding", "rundung", "arrondi", "redondeo", "arredondamento")


def roles(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Which column has which role. `rows` are some of the lines below, for the ids; empty if no SKU shows itself."""
    known: dict[str, int] = {}
    for place, text in enumerate(header):
        role = _ROLES.get(plain(text))
        if role is not None:
            known.setdefault(role, place)
    ids = [place for place in range(len(header)) if _holds_ids(place, rows)]
    if "sku_id" not in known and ids:
        known["sku_id"] = ids[-1]
    if "sku_id" in known:
        _by_dates(known, rows)
        _by_place(known, header, dated=bool(rows) and all(any(map(str.isdigit, row[0])) for row in rows if row))
    return known


def plain(text: str) -> str:
    """A header's word without accents, hyphens and what is in parentheses, which is the currency."""
    bare = re.sub(r"[(\[（].*?[)\]）]", " ", text).lower().translate(_ACCENTS)
    return " ".join(re.sub(r"[-_'’.]+", " ", bare).split())


def has_sku(header: Sequence[str]) -> bool:
    """Whether a line may be the header: several columns, and one of them speaks of SKUs, as in every language."""
    filled = [text for text in header if text.strip()]
    return len(filled) >= 5 and any("sku" in text.lower() for text in filled)


def _holds_ids(place: int, rows: Sequence[Sequence[str]]) -> bool:
    values = [row[place] for row in rows if place < len(row) and row[place].strip()]
    return bool(values) and all(_SKU_ID.fullmatch(value.strip()) for value in values)


def _by_dates(known: dict[str, int], rows: Sequence[Sequence[str]]) -> None:
    """Two columns of dates behind the SKU are the first and the last day, with the type before and amounts after."""
    width = max((len(row) for row in rows), default=0)
    dates = [place for place in range(known["sku_id"] + 1, width) if _holds_dates(place, rows)]
    if len(dates) == 2:
        first, last = dates
        guesses = {"first": first, "last": last, "kind": first - 1, "amount": last + 1, "unit": last + 2}
        taken = set(known.values())
        known |= {role: place for role, place in guesses.items() if role not in known and place not in taken}


def _holds_dates(place: int, rows: Sequence[Sequence[str]]) -> bool:
    values = [row[place] for row in rows if place < len(row) and row[place].strip()]
    return bool(values) and all(_DATE.fullmatch(value.strip()) for value in values)


def _by_place(known: dict[str, int], header: Sequence[str], *, dated: bool) -> None:
    at = known["sku_id"]
    last = len(header) - 1
    taken = set(known.values())
    guesses = {"sku": at - 1, "amount": at + 1, "unit": at + 2, "unrounded": last - 1, "cost": last}
    guesses |= {"first": 0} if dated and "month" not in known else {}
    for role, place in guesses.items():
        if role not in known and 0 <= place <= last and place not in taken:
            known[role] = place
            taken.add(place)
