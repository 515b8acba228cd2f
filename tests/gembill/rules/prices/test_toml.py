"""The written form of a price list: what it expands to, and what it refuses."""

import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.rules.prices import PriceBook, parse

HEAD = 'source = "page"\nchecked_on = 2026-11-21\n'
PLAIN = HEAD + 'input = "0.30"\noutput = "2.50"\n'
LONG = 'above_prompt_tokens = 1000\nlong = { input = "0.60", output = "5.00" }\n'


def _book(*blocks: str, more: str = "") -> PriceBook:
    return parse("[models.m]\n" + more + "".join(f"[[models.m.prices]]\n{block}" for block in blocks))


def _units(book: PriceBook, tier: str = "standard") -> dict[tuple[str, str, int], int]:
    return {
        (r.meter.value, r.modality.value, r.above_prompt_tokens): r.unit_pico
        for r in book.rows
        if r.service_tier == tier
    }


def _row(book: PriceBook, name: str) -> Price:
    return next(row for row in book.rows if row.id == name)


def test_one_input_price_holds_for_every_kind_of_content_and_for_intermediate_tokens() -> None:
    kinds = ("text", "image", "video", "audio", "document")
    expected = {(meter, kind, 0): 300_000 for meter in ("input", "intermediate") for kind in kinds}
    assert _units(_book(PLAIN)) == expected | {("output", "text", 0): 2_500_000, ("thinking", "text", 0): 2_500_000}


def test_a_kind_with_a_figure_of_its_own_has_that_one() -> None:
    units = _units(_book(PLAIN + 'input_audio = "1.00"\ncached = "0.03"\ncached_audio = "0.10"\noutput_image = "30"\n'))
    assert units["input", "audio", 0] == units["intermediate", "audio", 0] == 1_000_000
    assert units["input", "image", 0] == 300_000
    assert units["cached_input", "audio", 0] == 100_000
    assert units["cached_input", "text", 0] == 30_000
    assert units["output", "image", 0] == 30_000_000
    assert ("thinking", "image", 0) not in units


def test_an_unknown_kind_has_no_row_on_any_tier() -> None:
    book = _book(PLAIN + 'input_audio = "unknown"\nbatch = { input = "x0.5", output = "x0.5" }\n')
    assert not [row for row in book.rows if row.modality is Modality.AUDIO]
    assert _units(book, "batch")["input", "text", 0] == 300_000 // 2


def test_a_tier_is_a_multiple_or_a_price_of_its_own_and_what_it_does_not_name_is_absent() -> None:
    tiers = 'batch = { input = "x0.5", cached = "0.02", output = "x0.5" }\nflex = { input = "x1.8" }\n'
    book = _book(PLAIN + 'cached = "0.03"\n' + tiers)
    assert _units(book, "batch")["input", "text", 0] == 300_000 * 5 // 10
    assert _units(book, "batch")["cached_input", "video", 0] == 20_000
    assert _units(book, "batch")["thinking", "text", 0] == 2_500_000 // 2
    assert {meter for meter, _, _ in _units(book, "flex")} == {"input", "intermediate"}
    assert _units(book, "flex")["input", "text", 0] == 300_000 * 18 // 10


def test_audio_follows_the_multiple_of_its_meter() -> None:
    book = _book(PLAIN + 'input_audio = "1.00"\nbatch = { input = "x0.5", output = "x0.5" }\n')
    assert _units(book, "batch")["input", "audio", 0] == 1_000_000 // 2


def test_long_prices_stand_beside_the_plain_ones_on_each_tier() -> None:
    book = _book(PLAIN + LONG + 'batch = { input = "x0.5", output = "x0.5" }\n')
    assert _units(book)["input", "text", 0] == 300_000
    assert _units(book)["input", "text", 1000] == 600_000
    assert _units(book, "batch")["output", "text", 1000] == 5_000_000 // 2


@pytest.mark.parametrize("unit", ["queries", "prompts"])
def test_grounding_is_priced_for_one_and_alike_on_every_tier(unit: str) -> None:
    book = _book(PLAIN + f'grounding_per_1000_{unit} = "14"\nbatch = {{ input = "x0.5" }}\n')
    rows = [row for row in book.rows if row.meter is Meter.GROUNDING]
    assert [(row.service_tier, row.unit_pico) for row in rows] == [
        ("standard", 14 * 10**12 // 1000),
        ("batch", 14 * 10**12 // 1000),
    ]


def test_maps_are_priced_for_one_and_alike_on_every_tier_beside_searches() -> None:
    book = _book(PLAIN + 'grounding_per_1000_queries = "14"\nmaps_per_1000 = "25"\nbatch = { input = "x0.5" }\n')
    rows = [row for row in book.rows if row.meter is Meter.MAPS]
    assert [(row.id, row.unit_pico) for row in rows] == [
        ("m/maps/text/standard/0@launch", 25 * 10**9),
        ("m/maps/text/batch/0@launch", 25 * 10**9),
    ]


def test_pictures_seconds_and_storage_are_priced_by_the_piece_and_need_no_tokens() -> None:
    text = 'image = "0.04"\nvideo_second = "0.40"\nsilent_video_second_4k = "0.2"\nstorage = "4.50"\n'
    assert _units(_book(HEAD + text)) == {
        ("images", "image", 0): 4 * 10**10,
        ("video_seconds", "video", 0): 4 * 10**11,
        ("silent_video_seconds_4k", "video", 0): 2 * 10**11,
        ("storage", "text", 0): 4_500_000,
    }


def test_a_model_with_input_only_needs_no_output() -> None:
    book = _book(HEAD + 'input = "0.15"\nbatch = { input = "x0.5" }\n')
    assert {meter for meter, _, _ in _units(book, "batch")} == {"input", "intermediate"}


def test_a_figure_may_have_another_source_than_its_block() -> None:
    text = 'flex = { input = "0.1" }\nmaps_per_1000 = "25"\nother_sources = { sku = ["flex.input", "maps_per_1000"] }\n'
    book = parse(f'[sources]\nsku = "the catalogue"\n[models.m]\n[[models.m.prices]]\n{PLAIN}{text}')
    others = {row.id.split("/")[1] + " " + row.service_tier for row in book.rows if row.source == "the catalogue"}
    assert others == {"input flex", "intermediate=input flex", "maps flex", "maps standard"}


def test_a_regional_uplift_is_dated_with_its_block() -> None:
    book = _book("from = 2026-07-01\n" + PLAIN, "from = 2026-12-01\n" + PLAIN + 'regional = "x1.1"\n')
    december = _row(book, "m/input/text/standard/0@2026-12-01").effective_from_us
    assert [(one.model, str(one.times), one.effective_from_us) for one in book.remarks.uplifts] == [
        ("m", "1.1", december)
    ]


def test_days_begin_at_midnight_us_pacific_in_winter_and_in_summer() -> None:
    book = _book("from = 2026-07-01\n" + PLAIN, "from = 2026-12-01\n" + PLAIN)
    summer = _row(book, "m/input/text/standard/0@2026-07-01")
    assert summer.effective_from_us == int(datetime(2026, 7, 1, 7, tzinfo=UTC).timestamp()) * 10**6
    assert summer.effective_to_us == int(datetime(2026, 12, 1, 8, tzinfo=UTC).timestamp()) * 10**6


def test_a_block_ends_at_its_until_or_where_the_next_begins() -> None:
    book = _book("until = 2026-02-01\n" + PLAIN, "from = 2026-03-01\n" + PLAIN)
    first = _row(book, "m/input/text/standard/0@launch")
    second = _row(book, "m/input/text/standard/0@2026-03-01")
    assert first.effective_from_us is None
    assert first.effective_to_us == int(datetime(2026, 2, 1, 8, tzinfo=UTC).timestamp()) * 10**6
    assert second.effective_to_us is None


def test_ids_say_what_is_borrowed_and_do_not_change_when_a_block_is_appended() -> None:
    before = _book("from = 2026-07-01\n" + PLAIN)
    after = _book("from = 2026-07-01\n" + PLAIN, "from = 2026-12-01\n" + PLAIN)
    ids = [row.id for row in before.rows]
    assert ids == [row.id for row in after.rows][: len(ids)]
    assert {"m/intermediate=input/audio/standard/0@2026-07-01", "m/thinking=output/text/standard/0@2026-07-01"} <= set(
        ids
    )
    assert max(Counter(row.id for row in after.rows).values()) == 1


def test_a_prefix_begins_every_id_and_a_named_source_is_spelled_out() -> None:
    book = parse(f'[sources]\npage = "the page"\n[models.m]\n[[models.m.prices]]\n{PLAIN}', prefix="own/")
    assert all(row.id.startswith("own/m/") and row.source == "the page" for row in book.rows)
    assert {row.checked_on for row in book.rows} == {"2026-11-21"}


REFUSED = {
    "is not TOML": "models = [",
    "line 1: $.modles is not a table of a price list; is 'models' meant?": "[modles]",
    "line 2: $.models.m.price is not a key of a model; is 'prices' meant?": "[models.m]\nprice = 1",
    "line 1: $.models.m has no [[prices]] block": "[models.m]",
    "it must be tables, each of a model": "[models]\nm = 1",
    "$.models.m.prices is [1]; it must be a list of tables": "[models.m]\nprices = [1]",
    "$.sources is {page = 1}; it must be a table of name = source": "[sources]\npage = 1",
    "$.models.m.aliases is ['']; it must be a list of names": "[models.m]\naliases = ['']",
    "alias_since is {n = '2026-12-01'}; it must be a table of name = day": '[models.m.alias_since]\nn = "2026-12-01"',
}


@pytest.mark.parametrize(("words", "text"), REFUSED.items())
def test_a_list_of_the_wrong_shape_is_refused(words: str, text: str) -> None:
    with pytest.raises(PriceError, match=re.escape(words)):
        parse(text)


REFUSED_BLOCKS = {
    "regional is 'x0.9'; it must be a multiple of the global price, 1 or more": PLAIN + 'regional = "x0.9"\n',
    "image is '-1'; it must be US dollars for one": PLAIN + 'image = "-1"\n',
    "line 7: $.models.m.prices[0].inputs is not a key of a block of prices; is 'input' meant?": PLAIN
    + 'inputs = "1"\n',
    "batch.cached is not a key that the standard tier has; known are input, output": PLAIN
    + 'batch = { cached = "x1" }\n',
    "lacks input; write it": HEAD + 'output = "1"\n',
    "lacks output; write it": HEAD + 'input = "1"\ncached = "0.1"\n',
    "lacks its source": 'checked_on = 2026-11-21\ninput = "1"\noutput = "1"\n',
    "or the day it was checked": 'source = "page"\ninput = "1"\noutput = "1"\n',
    "checked_on is '2026-11-21'; it must be a day": 'source = "page"\nchecked_on = "2026-11-21"\ninput = "1"\noutput = "1"\n',
    "from is 2026-12-01 00:00:00; it must be a day": "from = 2026-12-01T00:00:00\n" + PLAIN,
    "line 5: $.models.m.prices[0].input is 0.3; it must be US dollars per million": HEAD
    + 'input = 0.3\noutput = "1"\n',
    "input is '-1'; it must be US dollars per million tokens in quotes, such as '0.30': not negative": HEAD
    + 'input = "-1"\noutput = "1"\n',
    "output is 'cheap'; it must be US dollars per million": HEAD + 'input = "1"\noutput = "cheap"\n',
    "prices audio input apart": PLAIN + 'input_audio = "1"\ncached = "0.03"\n',
    "above_prompt_tokens and long belong together": PLAIN + "above_prompt_tokens = 200\n",
    "long prices input, output": PLAIN + 'above_prompt_tokens = 200\nlong = { input = "1" }\n',
    "batch.input is 'x', which is not a multiple": PLAIN + 'batch = { input = "x" }\n',
    "batch.input is not an exact price: x0.0000001 of 0.30": PLAIN + 'batch = { input = "x0.0000001" }\n',
    "a price of its own, so input_audio needs one": (
        PLAIN + 'input_audio = "unknown"\nbatch = { input = "0.1", output = "x0.5" }\n'
    ),
    "batch.input is 'cheap'; it must be US dollars": PLAIN + 'batch = { input = "cheap" }\n',
    "batch.input is 0.5; it must be a multiple": PLAIN + "batch = { input = 0.5 }\n",
    "above_prompt_tokens is 0; it must be a whole number": PLAIN + "above_prompt_tokens = 0\nlong = {}\n",
    "above_prompt_tokens is true; it must be a whole number": PLAIN + "above_prompt_tokens = true\nlong = {}\n",
    "x-1 of 0.30": PLAIN + 'batch = { input = "x-1" }\n',
    "batch.input is '0.15', which cannot serve short and long prompts": PLAIN + LONG + 'batch = { input = "0.15" }\n',
    "batch is 'x0.5'; it must be a table": PLAIN + 'batch = "x0.5"\n',
    "so cached_audio needs one too": (
        PLAIN + 'input_audio = "1"\ncached = "0.1"\ncached_audio = "0.2"\nbatch = { cached = "0.05" }\n'
    ),
    "a model has one or the other": PLAIN + 'grounding_per_1000_queries = "14"\ngrounding_per_1000_prompts = "35"\n',
    "grounding_per_1000_queries is 14; it must be US dollars for a thousand in quotes": PLAIN
    + "grounding_per_1000_queries = 14\n",
    "in at most 9 decimals": PLAIN + 'grounding_per_1000_queries = "0.0000000001"\n',
}


@pytest.mark.parametrize(("words", "block"), REFUSED_BLOCKS.items())
def test_a_block_that_cannot_be_meant_is_refused_by_name(words: str, block: str) -> None:
    with pytest.raises(PriceError, match=re.escape(words)) as caught:
        _book(block)
    assert re.match(r"line [1-9]\d*: \$\.models\.m\.prices\[0\]", str(caught.value))


@pytest.mark.parametrize(
    ("words", "blocks"),
    [
        ("put the older first", ("from = 2026-12-01\n" + PLAIN, "from = 2026-07-01\n" + PLAIN)),
        ("put the older first", ("from = 2026-12-01\n" + PLAIN, "from = 2026-12-01\n" + PLAIN)),
        ("put the older first", ("from = 2026-12-01\n" + PLAIN, PLAIN)),
        ("past the next block", ("until = 2027-01-01\n" + PLAIN, "from = 2026-12-01\n" + PLAIN)),
        ("before it begins", ("from = 2026-12-01\nuntil = 2026-12-01\n" + PLAIN,)),
    ],
)
def test_blocks_out_of_order_or_overlapping_are_refused(words: str, blocks: tuple[str, ...]) -> None:
    with pytest.raises(PriceError, match=words):
        _book(*blocks)


@pytest.mark.parametrize(
    "more",
    [
        'aliases = "n"\n',
        'aliases = [""]\n',
        'aliases = ["n", "n"]\n',
        'aliases = ["m"]\n',
        'alias_since = { n = "x" }\n',
    ],
)
def test_an_alias_that_says_nothing_new_is_refused(more: str) -> None:
    with pytest.raises(PriceError, match="alias"):
        _book(PLAIN, more=more)
