"""Files of the pages: ours, and plotly.js from its package."""

import gzip
from concurrent.futures import ThreadPoolExecutor

from gembill_reports.dashboard import assets


def test_plotly_is_the_packages_and_small_enough_on_the_wire() -> None:
    file_asset = assets.asset(assets.PLOTLY)
    assert gzip.decompress(file_asset.packed) == file_asset.plain
    assert b"plotly.js v" in file_asset.plain[:100]
    assert len(file_asset.packed) < 1_480_000
    assert assets.asset(assets.PLOTLY) is file_asset


def test_a_file_is_packed_once_and_not_for_its_name() -> None:
    assets._packed.cache_clear()
    assert assets.asset(assets.PLOTLY).name
    assert assets._packed.cache_info().currsize == 0
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(lambda: assets.asset(assets.PLOTLY).packed) for _ in range(3)]
    assert len({id(one.result()) for one in asked}) == 1
    assert assets._packed.cache_info().misses == 1
    assets.pack()
    assert assets._packed.cache_info().currsize == len(assets.FILES) + 1


def test_names_hold_a_digest_and_lead_back() -> None:
    for file in (*assets.FILES, assets.PLOTLY):
        file_asset = assets.asset(file)
        assert assets.named(file_asset.name) is file_asset
    assert assets.named("style.css") is None
    assert assets.named("../app.py") is None


def test_our_files_name_no_outside_address() -> None:
    for file in ("style.css", "pages.js"):
        assert b"//" not in assets.asset(file).plain.replace(b"// ", b"")
