"""Two sweeps over every form of a service: sent twice, and given what people and machines put into forms."""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from bs4.filter import SoupStrainer
from django.db import connection, transaction

from dev.forms import Clients, Form, Page, forms, like, taking_posts

Filled = Mapping[str, Mapping[str, str]]
SCRIPT = "<script>alert(1)</script>"
ODD = (
    "", "   ", f"=cmd() 🦜 اغسل {SCRIPT}", SCRIPT, "a [b] c", "-3", "1.5", "9" * 40, "a\0b", "two\nlines",
    "x" * 300_000,
)  # fmt: skip
INVISIBLE = "\u200b\u2060" * 20
HIDDEN_ODD = ("", "-1.5", SCRIPT, "9" * 40)
TEN_MEGABYTES = b"x=" + b"x" * 10_000_000
# Where a page says what became of a form.
SAID = "#messages .message, .field-error, [role=alert], h1"
# A session says who looks; it holds messages, too, which are shown once.
NOT_AN_EFFECT = ("django_session", "django_migrations")


def everything(
    subtests: Any,
    clients: Clients,
    table: Mapping[str, list[str]],
    pages: Collection[Page],
    *,
    elsewhere: Collection[str] = (),
    filled: Filled,
    other: Filled,
    formless: Collection[str] = (),
    unsent: Collection[str] = (),
    no_effect: Collection[str] = (),
    anew: Collection[str] = (),
    addresses: int,
) -> None:
    """All that is asked of a service's forms and pages, of one set of them: finding them takes longer than most of it.

    `elsewhere` names addresses whose forms are tried by other tests, `formless` those that programs send to, `unsent`
    forms that are not sent twice; pages have more than so many `addresses`. The others are those of the sweeps below.
    """
    found = [form for form in forms(pages) if form.name not in elsewhere]
    posts = [form for form in found if form.post]
    with subtests.test("every address that takes something has its form on a page"):
        shown = {form.name for form in posts}
        assert taking_posts(clients, table, undone) - {*elsewhere, *formless} == shown
        assert set(filled) <= shown
    with subtests.test("no list and no export takes a filter that there is none of for everything"):
        assert taking_any_filter(clients, table, pages) == []
    with subtests.test("every form sent twice has one effect and the same answer"):
        sent = [form for form in posts if form.called not in unsent]
        assert sent_twice(sent, filled=filled, no_effect=no_effect, anew=anew) == []
    with subtests.test("every form sent again with something else in it does nothing and says so"):
        assert sent_changed([form for form in posts if form.called not in no_effect], filled=filled, other=other) == []
    with subtests.test("odd input in any field is refused and kept, or shown as it is"):
        assert given_odd_input(found, filled=filled) == []
    with subtests.test("every page loads one style sheet and one script of this service"):
        assert len({page.address for page in pages}) > addresses
        assert foreign_or_many_files(pages) == []


def taking_any_filter(clients: Clients, table: Mapping[str, list[str]], pages: Collection[Page]) -> list[str]:
    """Pages with a list and exports that do not refuse a filter that there is none of, nor one that is given twice."""
    lists = {page.address: page.client for page in pages if page.soup.select_one("main table.list, main .empty")}
    places = itertools.chain.from_iterable(table.values())
    exports = [place for place in places if place.endswith("/export")]
    asked = [*lists.items(), *itertools.product(exports, clients.values())]
    found = []
    for address, client in asked:
        query = urlsplit(address).query
        again = query if address in lists else "format=csv&format=xlsx"
        for added in ("colour=red", again) if again else ("colour=red",):
            answer = client.get(f"{address}{'&' if query else '?'}{added}")
            if answer.status_code == 200 or (address in lists and answer.status_code != 400):
                found.append(f"{address} and {added}: {answer.status_code}")
    return found


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is taken back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def state() -> dict[str, Any]:
    """A digest of every table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall() if name not in NOT_AN_EFFECT]
        digest = "SELECT '{0}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{0}\" t"
        cursor.execute(" UNION ALL ".join(digest.format(name) for name in tables))
        return dict(cursor.fetchall())


def sent_twice(
    forms: Iterable[Form], *, filled: Filled, no_effect: Collection[str] = (), anew: Collection[str] = ()
) -> list[str]:
    """What is wrong with sending each form twice: there is one effect, and the same answer.

    `no_effect` names forms that change nothing; `anew` those that do the same anew each time, as signing in does.
    """
    found = []
    for form in forms:
        for htmx in (False, True) if form.htmx else (False,):
            with undone():
                wrong = _repeated(
                    form, filled.get(form.called, {}), htmx, form.called in no_effect, form.called in anew
                )
            found += [f"{form}{', htmx' if htmx else ''}: {what}" for what in wrong]
    return found


def _repeated(form: Form, values: Mapping[str, str], htmx: bool, no_effect: bool, anew: bool) -> list[str]:
    before, browser = state(), like(form.page.client)
    first = form.send(values, htmx=htmx, browser=browser)
    between = state()
    second = form.send(values, htmx=htmx, browser=browser)
    after = state()
    wrong = []
    if first.status_code not in (200, 204, 302):
        wrong.append(f"answered {first.status_code}: {_text(first)[:300]}")
    if (before == between) != no_effect:
        wrong.append("has an effect" if no_effect else f"has no effect: {_text(first)[:300]}")
    if between != after and not anew:
        wrong.append(f"twice sent changes {sorted(name for name in after if after[name] != between[name])}")
    if _answer(first) != _answer(second):
        wrong.append(f"answers {_answer(first)}, then {_answer(second)}")
    return wrong


def sent_changed(forms: Iterable[Form], *, filled: Filled, other: Filled) -> list[str]:
    """What is wrong with sending a form once, and then with `other` content under the same key, as after Back: nothing
    more is done, that is said, and what was typed is kept."""
    found = []
    for form in forms:
        if not (form.post and form.typed and "form_key" in form.fields):
            continue
        if form.called not in other:
            found.append(f"{form}: say what else could be typed into it")
            continue
        values, changed = filled.get(form.called, {}), other[form.called]
        with undone():
            browser = like(form.page.client)
            form.send(values, browser=browser)
            before = state()
            answer = form.send({**values, **changed}, browser=browser)
            if answer.status_code == 302:
                answer = browser.get(answer["Location"])
            wrong = [] if state() == before else ["does more"]
            said = [tag.get_text() for tag in _soup(answer).select(SAID)]
            wrong += [] if any("before" in text or "already" in text for text in said) else [f"says {said}"]
            kept = _kept(_soup(answer), form.action)
            wrong += [
                f"{name} is not kept"
                for name in changed
                if answer.status_code == 422 and not _same(kept, name, changed)
            ]
            found += [f"{form}: {what}" for what in wrong]
    return found


def _soup(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def _same(kept: Mapping[str, str | None], name: str, typed: Mapping[str, str]) -> bool:
    return name not in kept or kept[name] in (None, typed[name])


def _answer(response: Any) -> Any:
    """What a person sees of it: where it leads, or what it says."""
    headers = [response.headers.get(name) for name in ("Location", "HX-Redirect", "HX-Refresh")]
    return (response.status_code, headers, "" if response.status_code == 302 else _text(response))


def _text(response: Any) -> str:
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


def given_odd_input(forms: Iterable[Form], *, filled: Filled) -> list[str]:
    """What is wrong with the answers to odd input in each field: an error that keeps it, or a safe page."""
    found = []
    for form in forms:
        values = filled.get(form.called, {})
        for name in form.fields:
            for odd in ODD if form.post and name in form.typed else HIDDEN_ODD:
                with undone():
                    wrong = _odd(form, dict(values), name, odd)
                found += [f"{form}, {name}={odd[:40]!r}: {what}" for what in wrong]
                if form.post and name in form.typed and odd == "":
                    found += _invisible(form, values, name)
        if form.post and form.typed:
            answer = form.page.client.post(form.action, TEN_MEGABYTES, content_type="application/x-www-form-urlencoded")
            if answer.status_code != 413:
                found.append(f"{form}: ten megabytes are answered {answer.status_code}")
    return found


def _invisible(form: Form, values: Mapping[str, str], name: str) -> list[str]:
    """What may not be empty may not look empty either; a password is looked at by nobody."""
    with undone():
        needed = form.send({**values, name: ""}).status_code == 422
    with undone():
        answer = form.send({**values, name: INVISIBLE})
    taken = answer.status_code != 422 and name not in ("password", "current")
    return [f"{form}, {name}: a text of nothing visible is answered {answer.status_code}"] if needed and taken else []


def _odd(form: Form, values: dict[str, str], name: str, odd: str) -> list[str]:
    response = form.send(values | {name: odd})
    if response.status_code == 302 and not urlsplit(response["Location"]).netloc:
        response = form.page.client.get(response["Location"])
    wrong = []
    if response.status_code >= 500:
        return [f"answers {response.status_code}"]
    content = b"".join(response) if response.streaming else response.content
    if SCRIPT.encode() in content:
        wrong.append("what was typed runs")
    if response.status_code == 422:
        kept = _kept(BeautifulSoup(content, "html.parser", parse_only=SoupStrainer("form")), form.action)
        expected = form.fields | values | {name: odd}
        wrong += [
            f"{typed} is not kept: {kept.get(typed, 'no such field')!r:.60}"
            for typed in form.typed
            if kept.get(typed, "") is not None and kept.get(typed) != _plain(expected[typed])
        ]
    return wrong


def _kept(soup: BeautifulSoup, action: str) -> dict[str, str | None]:
    """What the form's fields say in an answer; None for a password, which is never given back."""
    fields: dict[str, str | None] = {}
    same = [form for form in soup.find_all("form") if str(form.get("action", "")) == action] or soup.find_all("form")
    for one in itertools.chain.from_iterable(form.find_all(["input", "textarea"]) for form in same):
        text = one.get_text() if one.name == "textarea" else str(one.get("value", ""))
        fields.setdefault(str(one.get("name", "")), None if one.get("type") == "password" else _plain(text))
    return fields


def _plain(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text).replace("\0", "\ufffd").strip()


def foreign_or_many_files(pages: Iterable[Page]) -> list[str]:
    """Pages that load more than one style sheet and one script besides the chart, or anything from elsewhere."""
    found = []
    for page in pages:
        scripts = [str(tag.get("src")) for tag in page.soup.find_all("script") if "/chart" not in str(tag.get("src"))]
        styles = [str(tag.get("href")) for tag in page.soup.select("link[rel=stylesheet]")]
        inline = page.soup.find_all("style") or page.soup.find_all(style=True)
        if len(scripts) != 1 or len(styles) != 1 or inline:
            found.append(f"{page.address}: {scripts} {styles} {inline}")
        found += [f"{page.address}: {place}" for place in (*scripts, *styles) if not place.startswith("/static/")]
    return found
