"""What a charge names where a policy decides, by itself or over a price row.

Owns: the ids that begin with `policy/`: how they are made and how they are read again, also in SQL. Not here: when a
policy applies (`rating`). Invariant: where a policy decides over a price row, the id ends with that of the row, as in
`policy/free_tier/ID`, so that the list price of every charge can be shown.
"""

_PREFIX = "policy/"
PREPAID = "policy/provisioned_throughput"
FREE_TOOL_TOKENS = "policy/tool_tokens_with_grounding=free"
FREE_TIER = "policy/free_tier"
ESTIMATED = "policy/results_as_output=estimate"
SQL_ESTIMATED = f"%{ESTIMATED}%"  # a LIKE pattern; the free tier may come before it


def over(policy: str, row_id: str) -> str:
    """The id of a charge that a policy decides over a price row."""
    return f"{policy}/{row_id}"


def row_of(price_id: str) -> str:
    """The price row that a charge names, itself or behind the policies that were applied to it."""
    return price_id.removeprefix(f"{FREE_TIER}/").removeprefix(f"{ESTIMATED}/")


def is_policy(price_id: str | None) -> bool:
    """Whether a policy decided the charge."""
    return price_id is not None and price_id.startswith(_PREFIX)


def is_free_tier(price_id: str | None) -> bool:
    """Whether the charge is 0 because its key is on the free tier."""
    return price_id is not None and price_id.startswith(FREE_TIER)


def is_estimate(price_id: str | None) -> bool:
    """Whether the charge is for estimated tokens of results, which are in no count of the record."""
    return price_id is not None and ESTIMATED in price_id


def policy_of(price_id: str) -> str:
    """The name of the outermost policy: `free_tier`, `provisioned_throughput`."""
    return price_id.removeprefix(_PREFIX).split("/", 1)[0]
