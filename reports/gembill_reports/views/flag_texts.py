"""What the names of flags and anomalies mean, in plain words.

Owns: one sentence for each name a record can carry. Owns no rule that gives a record its flags (metering, rating).
Invariant: a name this version does not know is still shown, and said to be unknown.
"""

_FLAGS = {
    "incomplete": "The answer was cut or its usage is not whole: tokens may be missing, and so may part of the cost.",
    "long_context_policy": (
        "Whether this call has the higher price for long prompts depends on whether intermediate tokens count as "
        "prompt, which Google does not say; the unit prices show what was decided (by default they do not count)."
    ),
    "tool_tokens_with_grounding": (
        "The call also searched, and it is not known whether search results fed back as input are charged; the unit "
        "price of the intermediate tokens shows what was decided (by default the price of input)."
    ),
    "results_as_output": (
        "An estimate of the tokens of execution results was charged as output, as the documentation reads literally; "
        "the API does not count them, so they are in no token count of this call."
    ),
    "free_tier": "The key is set to be on the free tier, so the call costs nothing; its charges name the list prices.",
    "provisioned_throughput": "The call ran on capacity that is paid in advance, so its tokens cost nothing more.",
}

_ANOMALIES = {
    "total_mismatch": "Input, intermediate and output do not add up to the total that the API reported; all are kept.",
    "usage_incomplete": "The API's usage lacks the prompt count, so there is no cost.",
    "invalid_usage": "The API's usage is no set of whole numbers from 0 to 2^53; nothing was counted.",
    "cached_exceeds_input": "The API reported more cached tokens than input tokens.",
    "details_mismatch": "The prompt tokens by kind of content do not add up to the prompt tokens; the total counts.",
    "intermediate_unexplained": (
        "A round of the tool loop re-read more or less than prompt, code, thoughts and results so far; see its rounds."
    ),
    "labels_cut": "The call had more or longer labels than are kept; some were dropped or shortened.",
    "recorder_stopped": "The recorder ended before the answer did, so what the call used was not learned.",
    "answer_unread_malformed": "Part of the answer was no proper JSON and was passed on unread.",
    "answer_unread_encoding": "The answer came in an encoding that cannot be read and was passed on as it was.",
    "answer_unread_recorder_error": "gembill made a mistake while it read the answer; its log says which.",
    "answer_unread_too_large": "The answer was larger than what is read; it was passed on whole, the rest unread.",
}


def flag(name: str) -> str:
    """What a flag says about a call."""
    return _FLAGS.get(name, f"'{name}' is a flag this version has no words for.")


def anomaly(name: str) -> str:
    """What an anomaly says about a call."""
    return _ANOMALIES.get(name, f"'{name}' is an anomaly this version has no words for.")
