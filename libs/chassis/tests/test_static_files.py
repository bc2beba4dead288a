"""What pages load: one style sheet and one script, joined from readable files."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from chassis.static_files import JOINED, STATIC, HashedStaticFiles, joined


def test_style_sheet_and_script_of_all_pages_are_together_below_80_kilobytes():
    sizes = {name: len(gzip.compress(joined(name).encode())) for name in ("chassis/all.css", "chassis/all.js")}
    assert min(sizes.values()) > 10_000
    assert sum(sizes.values()) < 80_000


@pytest.mark.parametrize("name", JOINED)
def test_a_joined_file_holds_its_sources_whole_each_under_its_name(name):
    text = joined(name)
    for source in JOINED[name]:
        assert f"/* {source} */\n{(STATIC / source).read_text()}" in text


def test_every_file_of_others_has_its_licence_beside_it_and_is_named_with_its_version():
    vendor = STATIC / "chassis" / "vendor"
    told = (vendor / "README.md").read_text()
    files = [path.name for path in vendor.iterdir() if path.suffix in (".js", ".css")]
    assert len(files) == 3
    for name in files:
        assert f"| `{name}` |" in told
        assert (vendor / f"{name.split('.')[0]}.LICENSE").read_text()


def test_the_sources_of_a_service_that_runs_from_a_checkout_are_joined_anew_when_they_change(tmp_path, settings):
    settings.STATIC_JOINED_ROOT = tmp_path
    finders.get_finder.cache_clear()
    place = Path(finders.find("chassis/all.css"))
    assert place.is_relative_to(tmp_path)
    place.write_text("as it was before a change")
    assert Path(finders.find("chassis/all.css")).read_text() == joined("chassis/all.css")
    assert [path.name for path in place.parent.iterdir()] == ["all.css"]
    finders.get_finder.cache_clear()


def test_pages_are_served_what_they_name(client, browser):
    page = browser("worker").get("/samples").content.decode()
    for name in ("all.css", "all.js"):
        assert f"/static/chassis/{name}" in page
        assert b"".join(client.get(f"/static/chassis/{name}")).decode() == joined(f"chassis/{name}")


def test_static_files_get_hashed_names_once_they_are_collected(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    assert HashedStaticFiles().url("chassis/all.css") == "/static/chassis/all.css"
    call_command("collectstatic", interactive=False, verbosity=0)
    url = HashedStaticFiles().url("chassis/all.css")
    assert url.startswith("/static/chassis/all.")
    assert (tmp_path / url.removeprefix("/static/")).with_suffix(".css.gz").exists()
    with pytest.raises(ValueError, match="forgotten"):
        HashedStaticFiles().url("chassis/forgotten.css")


def test_a_page_names_collected_files_by_their_hash_and_each_of_them_is_served_for_ever(tmp_path, settings, browser):
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path, False
    call_command("collectstatic", interactive=False, verbosity=0)
    page = browser("worker").get("/samples").content.decode()
    named = set(re.findall(r"/static/[^\"'\s]+", page))
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in named} >= {
        "/static/chassis/all.css", "/static/chassis/all.js",
    }  # fmt: skip
    for name in named:
        assert re.search(r"\.[0-9a-f]{12}\.", name), name
        served = Client().get(name)
        assert served.status_code == 200, name
        assert "immutable" in served["Cache-Control"], name
        assert b"".join(served), name
        served.close()
