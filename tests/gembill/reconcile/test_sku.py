"""What Google's SKUs mean: every trap of their wording, and that no word is swallowed."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.model import Meter, Modality
from gembill.reconcile.sku import MODELS, Band, Product, Sku, UnknownSku, read


def meaning(text: str) -> tuple[object, ...]:
    sku = read(text)
    assert isinstance(sku, Sku), sku
    return sku.model, sku.tier, sku.meter, sku.kind, sku.band


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Generate content output token count gemini 2.5 flash short input text",  # the band, not the meter
            ("gemini-2.5-flash", "standard", Meter.OUTPUT, Modality.TEXT, Band.SHORT),
        ),
        (
            "BatchGenerate content output token count gemini 2.5 flash long output text non-thinking",
            ("gemini-2.5-flash", "batch", Meter.OUTPUT, Modality.TEXT, Band.LONG),
        ),
        (
            "Generate content input token count gemini 3.7 flash image flex caching",  # the tier in the middle
            ("gemini-3.7-flash", "flex", Meter.CACHED_INPUT, Modality.IMAGE, None),
        ),
        (
            "Generate_content_cached_input_token_count_gemini_3_pro_short_image",
            ("gemini-3.1-pro-preview", "standard", Meter.CACHED_INPUT, Modality.IMAGE, Band.SHORT),
        ),
        (
            "Generate_content image output token count for Gemini 3 Pro Image",
            ("gemini-3-pro-image", "standard", Meter.OUTPUT, Modality.IMAGE, None),
        ),
        (
            "Generate_content video batched input token count for Gemini 3.1 Flash Lite Image",
            ("gemini-3.1-flash-lite-image", "batch", Meter.INPUT, Modality.VIDEO, None),
        ),
        (
            "Gemini ER1.6 Image Batch Input - Online Predictions",
            ("gemini-robotics-er-1.6-preview", "batch", Meter.INPUT, Modality.IMAGE, None),
        ),
        (
            "Generate content input token count gemini 3.1 flash lite preview audio flex",
            ("gemini-3.1-flash-lite", "flex", Meter.INPUT, Modality.AUDIO, None),
        ),
        (
            "Generate content input token count gemini 3 flash image flex",
            ("gemini-3-flash-preview", "flex", Meter.INPUT, Modality.IMAGE, None),
        ),
    ],
)
def test_a_token_sku_is_read_to_its_last_word(text, expected):
    assert meaning(text) == expected


@pytest.mark.parametrize(
    ("text", "product", "model", "free"),
    [
        ("Generate content search query gemini 3 paid one", Product.SEARCH, "gemini-3", False),
        ("Generate content search query gemini 3 free", Product.SEARCH, "gemini-3", True),
        ("Generate content maps grounding gemini 2.0 flash free", Product.MAPS, "gemini-2.0-flash", True),
        ("Generate content cached content storage token hours gemini 3.7 flash", Product.STORAGE, "gemini-3.7-flash", False),
        ("Generate_content cached text storage token hours for gemini 3 pro", Product.STORAGE, "gemini-3.1-pro-preview", False),
        (
            "Number of audio tokens of cached content for Gemini 2.0 Flash Lite over a period of time expressed in token hours",
            Product.STORAGE, "gemini-2.0-flash-lite", False,
        ),
        ("Number of tokens of cached content over a period of time expressed in token hours", Product.STORAGE, None, False),
        ("Bidi generate content input token count gemini 3 flash live image", Product.OTHER, "gemini-3-flash-live", False),
        ("Embed content input token count gemini embedding 2 image batch", Product.OTHER, "gemini-embedding-2", False),
        ("Veo Generation 4k with Audio", Product.OTHER, None, False),
        ("Generate video veo 3.0 fast audio seconds", Product.OTHER, None, False),
        ("Generate images imagen 4 fast", Product.OTHER, None, False),
        ("Gemini Embedding 001 Text Input - Batch Predictions", Product.OTHER, "gemini-embedding-001", False),
        ("Grounding with Google Search", Product.SEARCH, None, False),
        ("Grounding with Google Maps for Gemini 3", Product.MAPS, "gemini-3", False),
        ("Generate content search query gemini 4 paid two", Product.SEARCH, "gemini-4", False),
    ],
)  # fmt: skip
def test_fees_storage_and_other_products_are_told_from_tokens(text, product, model, free):
    sku = read(text)
    assert isinstance(sku, Sku)
    assert (sku.product, sku.model, sku.free) == (product, model, free)
    meters = {Product.SEARCH: Meter.GROUNDING, Product.MAPS: Meter.MAPS, Product.STORAGE: Meter.STORAGE}
    assert product not in meters or sku.meter is meters[product]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Gemini Pro Output Tokens", "no rule reads gemini pro"),
        ("Generate content input token count gemini 3.7 flash text offpeak", "no rule reads offpeak"),
        ("Generate content input token count gemini 3.7 flash text batch flex", "it names two tiers, batch and flex"),
        ("Generate content token count gemini 3.7 flash text", "it does not name one of input and output"),
        ("Generate content input output token count gemini 3.7 flash text", "it does not name one of input and output"),
        ("Generate content input token count text", "it names no model we know"),
        ("Generate content input token count gemini 2.5 pro thinking text", "no rule reads thinking"),
        ("Generate content input token count gemini deep research pro preview text", "no rule reads gemini deep research pro preview"),
        ("Generate content input token count gemini 3.7 flash text image", "it names two kinds of content, image and text"),
        ("Generate content input token count gemini 3.7 flash image image", "it names image twice"),
        ("Generate content output token count gemini 3 pro image", "it does not say whether the output is text or images"),
        ("Generate content input token count gemini 3.7 flash text batch (standard)", "it names two tiers, batch and standard"),
        ("", "it names no model we know"),
        ("Generate content output token count gemini 3 text", "it names a generation of models and not one of them"),
        ("Generate content storage token hours gemini 2.5", "it names a generation of models and not one of them"),
        ("Generate content cached output token count gemini 3.7 flash", "it names output that was cached, and only input is"),
        ("Generate content output token storage gemini 3.7 flash", "it names output that was cached, and only input is"),
        ("Generate content input image count gemini 3.7 flash", "it counts something else than tokens"),
        ("Generate content input token count gemini 2.5 flash non-thinking text", "no rule reads non thinking"),
        (
            "Gemini 1.5 Flash Input Image - Predictions",
            "Vertex AI billed this model by characters, pictures and seconds, not by tokens",
        ),
        *(
            (f"Gemini 3.1 Pro Text Input {words}", f"no rule reads {left}")
            for words, left in (
                ("- Predictions for Non-Global regions", "predictions non global regions"),
                ("Non-Global - Predictions", "non global"),
                ("Global - Predictions", "global"),
                ("(Tuned) - Predictions", "tuned"),
                ("Provisioned Throughput - Predictions", "provisioned throughput"),
                ("4K", "4k"),
                ("per 1000", "per 1000"),
                ("characters", "characters"),
                ("uncached", "uncached"),
                ("non cached", "non"),
                ("free tier", "free tier"),
                ("live api", "live api"),
                ("deep think", "deep think"),
                ("tool use", "tool use"),
                ("preview 09 2025", "preview 09 2025"),
            )
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_whole_is_unknown_and_says_why(text, reason):
    assert read(text) == UnknownSku(text, reason)


_TTS = "gemini-2.5-flash-preview-tts"
_MODELS_OF_TOKENS = {*MODELS} - {"gemini 4", "gemini 3", "gemini 2.5"}  # those are generations, which have fees only


@given(st.sampled_from(sorted(_MODELS_OF_TOKENS)), st.from_regex(r"[b-z]{4,9}", fullmatch=True))
def test_no_foreign_word_is_swallowed_anywhere(model, word):
    known = f"Generate content input token count {model} image"
    assert isinstance(read(known), Sku)
    if not isinstance(read(f"x {word}"), Sku) and word not in ("audio", "text", "flex", "batch", "video", "count"):
        assert isinstance(read(f"{known} {word}"), UnknownSku)
        assert isinstance(read(f"Generate content {word} input token count {model} image"), UnknownSku)


def test_vertex_and_speech_have_the_meters_of_other_models():
    for text, expected in (
        ("Gemini 2.5 Pro Thinking Text Output - Predictions", ("gemini-2.5-pro", "standard", Meter.OUTPUT)),
        ("Gemini 2.5 Flash GA Text Input - Batch Predictions", ("gemini-2.5-flash", "batch", Meter.INPUT)),
        ("Generate_content audio output token count for Gemini 2.5 Flash TTS", (_TTS, "standard", Meter.OUTPUT)),
        ("Generate content input token count gemini 2.5 flash preview tts text batch", (_TTS, "batch", Meter.INPUT)),
    ):
        sku = read(text)
        assert isinstance(sku, Sku), sku
        assert (sku.model, sku.tier, sku.meter) == expected


@pytest.mark.parametrize(
    ("text", "model", "kind"),
    [
        ("Generate content input token count gemini 2.5 flash image priority", "gemini-2.5-flash", "image"),
        ("Generate content input token count gemini 3.1 flash lite image", "gemini-3.1-flash-lite", "image"),
        ("Generate content output token count gemini 2.5 flash image image", "gemini-2.5-flash-image", "image"),
        ("Generate_content text input token count for Gemini 2.5 Flash Image", "gemini-2.5-flash-image", "text"),
        ("Generate_content image input token count for Gemini 3 Pro Image", "gemini-3-pro-image", "image"),
        ("Generate_content_image_input_token_count_gemini_3_pro_short_image", "gemini-3.1-pro-preview", "image"),
    ],
)
def test_an_image_behind_a_name_is_its_input_unless_the_sku_names_a_kind_besides(text, model, kind):
    sku = read(text)
    assert isinstance(sku, Sku), sku
    assert (sku.model, sku.kind) == (model, kind)


@pytest.mark.parametrize(
    ("text", "model", "band"),
    [
        ("Gemini 2.0 Flash GA Text Input - Predictions", "gemini-2.0-flash", None),
        ("Gemini 2.5 Pro GA Text Input - Long Context - Predictions", "gemini-2.5-pro", Band.LONG),
        ("Gemini 3.1 Pro Preview Text Input (Short Context) - Predictions", "gemini-3.1-pro-preview", Band.SHORT),
        ("Gemini 3 Flash Preview Text Input (Standard) - Predictions", "gemini-3-flash-preview", None),
    ],
)
def test_vertex_says_in_words_what_others_leave_out(text, model, band):
    sku = read(text)
    assert isinstance(sku, Sku), sku
    assert (sku.model, sku.band, sku.tier) == (model, band, "standard")


def test_a_longer_model_name_wins_over_the_one_it_begins_with():
    for name, model in MODELS.items():
        tokens, fee = f"Generate content output token count {name} text", f"Generate content search query {name}"
        sku = read(tokens if name in _MODELS_OF_TOKENS else fee)
        assert isinstance(sku, Sku)
        assert sku.model == model


CATALOGUE = Path(os.environ.get("GEMBILL_CORPUS", ".")).parent / "facts/bills/sku-sample.tsv"


@pytest.mark.skipif(not CATALOGUE.exists(), reason="Google's catalogue is not beside the corpus")
def test_every_sku_of_googles_catalogue_is_read_or_says_which_words_are_left():
    texts = [line.split("\t")[0] for line in CATALOGUE.read_text(encoding="utf-8").splitlines()[1:]]
    unknown = {text: sku.reason for text in texts if isinstance(sku := read(text), UnknownSku)}
    assert len(texts) > 80
    assert len(unknown) < 4
    assert all(unknown.values())
