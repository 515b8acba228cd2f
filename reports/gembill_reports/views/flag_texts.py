"""What the names of flags and anomalies mean, in plain words.

Owns: one explanation for each `Flag` and `Anomaly`. Not here: the rules that give them to a record (metering, rating).
Invariant: every member has words; a name of another version is still shown, as unknown.
"""

from gembill.model import Anomaly, Flag

_FLAGS: dict[str, str] = {
    Flag.INCOMPLETE: (
        "The answer was cut or its usage is not whole: tokens may be missing, and so may part of the cost."
    ),
    Flag.THINKING_INFERRED: (
        "The reported total is larger than prompt and answer, and nothing reports what the rest is; it was counted "
        "and priced as thinking."
    ),
    Flag.LONG_CONTEXT_POLICY: (
        "Whether this call has the higher price for long prompts depends on whether intermediate tokens count as "
        "prompt, which Google does not say; the unit prices show what was decided (by default they do not count)."
    ),
    Flag.TOOL_TOKENS_WITH_GROUNDING: (
        "The call also searched, and it is not known whether search results fed back as input are charged; the unit "
        "price of the intermediate tokens shows what was decided (by default the price of input)."
    ),
    Flag.RESULTS_AS_OUTPUT: (
        "An estimate of the tokens of execution results was charged as output, as the documentation reads literally; "
        "the API does not count them, so they are in no token count of this call."
    ),
    Flag.FREE_TIER: (
        "The key is set to be on the free tier, so the call costs nothing; its charges name the list prices."
    ),
    Flag.SENT_TWICE: (
        "The call was sent a second time, because the API closed the connection of the first attempt before it "
        "answered; should the API have worked on that one too, the cost of this call was billed once more."
    ),
    Flag.ESTIMATED: (
        "Counted by what was asked for or agreed: a film that is not finished, or tokens that are kept until a given "
        "time. A later answer about it corrects this."
    ),
    Flag.PROVISIONED_THROUGHPUT: "The call ran on capacity that is paid in advance, so its tokens cost nothing more.",
}

_ANOMALIES: dict[str, str] = {
    Anomaly.TOTAL_MISMATCH: (
        "Input, intermediate and output do not add up to the total that the API reported; all are kept."
    ),
    Anomaly.USAGE_INCOMPLETE: "The API's usage lacks the prompt count, so there is no cost.",
    Anomaly.INVALID_USAGE: "The API's usage is not a set of whole numbers from 0 to 2^53; nothing was counted.",
    Anomaly.CACHED_EXCEEDS_INPUT: "The API reported more cached tokens than input tokens.",
    Anomaly.DETAILS_MISMATCH: (
        "Tokens by kind of content (text, pictures, sound) do not add up to their count, or are missing for what was "
        "cached; the count rules, so a part of it may be priced as another kind."
    ),
    Anomaly.IMAGE_TOKENS_UNKNOWN: (
        "The answer holds a picture, and the API's usage counts no tokens of pictures; unless code drew it, the call "
        "is priced too low."
    ),
    Anomaly.OUTPUT_UNCOUNTED: (
        "The answer says something, and the API's usage counts no tokens of it; if these are billed, the call is "
        "priced too low."
    ),
    Anomaly.GROUNDING_UNKNOWN: (
        "The answer shows a web search whose queries are not told or are counted in two ways, or a tool whose fee "
        "gembill does not know; its fee may not be in the cost."
    ),
    Anomaly.REQUEST_UNREAD: (
        "The request was not JSON that can be read, so its tools, its tier and its conversation are not known."
    ),
    Anomaly.UNMETERED_SURFACE: (
        "A paid call of a kind whose usage gembill cannot read yet: what it cost is not known and in no sum."
    ),
    Anomaly.INTERMEDIATE_UNEXPLAINED: (
        "A round of the tool loop re-read more or less than prompt, code, thoughts and results so far; see its rounds."
    ),
    Anomaly.LABELS_CUT: "The call had more or longer labels than are kept; some were dropped or shortened.",
    Anomaly.MODEL_CUT: "The name of the model was longer than what is kept, and was shortened.",
    Anomaly.RECORDER_STOPPED: "The recorder ended before the answer did, so what the call used was not learned.",
    Anomaly.ANSWER_UNREAD_MALFORMED: "Part of the answer was not proper JSON and was passed on unread.",
    Anomaly.ANSWER_UNREAD_ENCODING: "The answer came in an encoding that cannot be read and was passed on as it was.",
    Anomaly.ANSWER_UNREAD_RECORDER_ERROR: "gembill made a mistake while it read the answer; its log says which.",
    Anomaly.ANSWER_UNREAD_TOO_LARGE: (
        "The answer was larger than what is read; it was passed on whole, the rest unread."
    ),
    Anomaly.ANSWER_UNREAD_USAGE_TOO_LARGE: (
        "A usage in the answer was larger than what is kept; the one before it was kept, if there was one."
    ),
    Anomaly.ANSWER_UNREAD_TOO_MANY_PARTS: "The answer had more parts than are kept; its counts are whole.",
    Anomaly.ANSWER_UNREAD_TOO_MANY_SEARCHES: (
        "The answer made more different searches than are counted; its token counts are whole."
    ),
}


def flag(name: str) -> str:
    """What a flag says about a call."""
    return _FLAGS.get(name, f"'{name}' is a flag this version has no words for.")


def anomaly(name: str) -> str:
    """What an anomaly says about a call."""
    return _ANOMALIES.get(name, f"'{name}' is an anomaly this version has no words for.")
