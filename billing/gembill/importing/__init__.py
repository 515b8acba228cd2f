"""Traffic that did not pass the proxy: files of recorded exchanges, into the ledger.

Owns: the forms of such files, how they are distinguished, and what becomes of what cannot be read. Not here: what a
call is or costs; each exchange takes the way of live traffic. Invariant: importing twice changes nothing; every line is
imported, known, skipped as not a call, or refused by name.
"""

from gembill.importing.files import ImportItem, items
from gembill.importing.importer import Importer, ImportSummary
from gembill.importing.member import RefusedLine
from gembill.importing.recorded import ImportDefaults

__all__ = ["ImportDefaults", "ImportItem", "ImportSummary", "Importer", "RefusedLine", "items"]
