"""`gembill audit`: whether the ledger's books balance.

Owns: the command. Not here: the checks (`gembill.ledger.audit`).
"""

import click

from gembill.cli.options import database_url_option, opened


@click.command()
@database_url_option
@click.pass_context
def audit(ctx: click.Context, database_url: str | None) -> None:
    """Check that the ledger's books balance: charges, costs, corrections, rollups, and that no call is left out.

    Prints what does not, one finding a line, and exits 1 if there is any.
    """
    from gembill.ledger import audit_ledger, count_unreplayed
    from gembill_reports.layout import screen
    from gembill_reports.layout.tables import clean

    with opened(database_url) as (ledger, _):
        findings = [clean(str(finding)) for finding in audit_ledger(ledger)]
        if dead := count_unreplayed(ledger):
            findings.append(
                f"dead letters: {dead} calls are not records; `gembill replay --dead-letters` tries them again"
            )
    screen.write(f"{finding}\n" for finding in findings)
    click.echo(f"findings: {len(findings)}" if findings else "The books balance.", err=True)
    ctx.exit(1 if findings else 0)
