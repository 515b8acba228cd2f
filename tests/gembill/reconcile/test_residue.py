"""Names of residues are words that scripts may keep."""

from fractions import Fraction

from gembill.reconcile.residue import Name, Residue


def test_a_residue_has_its_name_as_text():
    assert Residue(str(Name.DAY_EDGE), 5, Fraction(1)).name == "day_edge"
    assert len({name.value for name in Name}) == len(Name) == 20
