"""The dead letters' pages."""

import re
from pathlib import Path

import pytest
from django.test import Client
from sample import consumed
from sample.models import Effect
from sample.published import bank

import eventbus
from dev.language import speaking
from eventbus import dead_letters, views
from eventbus.memory import MemoryBus
from eventbus.models import DeadLetter
from eventbus.reasons import REASONS, reason_of
from eventbus.registry import FixedIds
from eventbus.testing import deliver, wire

pytestmark = pytest.mark.django_db
CHIEF, CLERK = Client(headers={"X-Name": "chief"}), Client(headers={"X-Name": "clerk"})


def letter() -> DeadLetter:
    deliver("payments", [bank("PaymentMade", "<a1>", 1, "poison"), bank("PaymentMade", "<a1>", 2)])
    return DeadLetter.objects.earliest("id")


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_list_says_that_there_is_nothing_to_do():
    assert "There is nothing to do" in text(CHIEF.get("/dead-letters/"))


def test_the_list_shows_event_key_reason_and_how_many_wait():
    found = letter()
    page = text(CLERK.get("/dead-letters/"))
    assert "PaymentMade" in page
    assert "<code>&lt;a1&gt;</code>" in page
    assert "ValueError: cannot take 1" in page
    assert '<td class="num" data-label="Waiting behind">1</td>' in page
    assert f'href="/dead-letters/{found.pk}/"' in page


def test_a_letter_says_in_words_why_it_is_here_and_what_there_is_to_do():
    found = letter()
    assert "Failed when it was applied" in text(CHIEF.get("/dead-letters/"))
    page = text(CHIEF.get(f"/dead-letters/{found.pk}/"))
    assert "<h2>Failed when it was applied</h2>" in page
    assert "Once its cause is mended" in page
    waiting = text(CHIEF.get(f"/dead-letters/{found.pk + 1}/"))
    assert "Waits behind another one" in waiting


def test_every_reason_of_the_code_has_words():
    source = "".join(path.read_text() for path in Path(eventbus.__file__).parent.glob("*.py"))
    codes = set(re.findall(r'(?:Rejected|_set_aside)\((?:item, )?"(\w+)"', source)) | {"waiting"}
    assert codes == set(REASONS)
    assert reason_of("of_tomorrow").title == "of_tomorrow"


def test_the_list_has_pages_of_fifty():
    bus = MemoryBus()
    topic, _, _, headers = wire(bank("PaymentMade"), FixedIds())
    for number in range(51):
        bus.send(topic, f"k{number}".encode(), b"junk", headers)
    bus.consume("payments")
    first = CHIEF.get("/dead-letters/")
    assert len(first.context["letters"]) == 50
    after = first.context["next_after"]
    assert f"?after={after}" in text(first)
    assert "Previous" not in text(first)
    last = CHIEF.get(f"/dead-letters/?after={after}")
    assert len(last.context["letters"]) == 1
    assert 'rel="next"' not in text(last)
    before = last.context["previous_before"]
    assert f"?before={before}" in text(last)
    back = CHIEF.get(f"/dead-letters/?before={before}")
    assert back.context["letters"] == first.context["letters"]
    assert "Previous" not in text(back)
    assert back.context["next_after"] == after
    assert "No more dead letters" in text(CHIEF.get(f"/dead-letters/?after={after + 1000}"))


@pytest.mark.parametrize("question", ["after=soon", "before=soon", "show=all", "colour=red"])
def test_a_page_that_is_not_understood_is_an_error(question):
    assert CHIEF.get(f"/dead-letters/?{question}").status_code == 400


def test_what_was_set_aside_since_is_offered_and_no_more_once_it_is_decided():
    first = letter()
    asked = re.search(r'hx-get="([^"]+)"', text(CHIEF.get("/dead-letters/")))[1]
    assert CHIEF.get(asked).content == b"\n"
    deliver("payments", [bank("PaymentMade", "<a2>", 3, "poison")])
    assert '<a href="/dead-letters/">1 new, show</a>' in text(CHIEF.get(asked))
    CHIEF.post(f"/dead-letters/{DeadLetter.objects.latest('id').pk}/discard/", {"reason": "It was a test."})
    assert CHIEF.get(asked).content == b"\n"
    assert CHIEF.get("/dead-letters/news/?since=soon").status_code == 400
    for later in (f"?after={first.pk}", "?show=decided"):
        assert "data-poll" not in text(CHIEF.get(f"/dead-letters/{later}")), "new ones do not belong there"


def test_what_was_decided_is_found_again_with_its_reason_newest_first():
    found = letter()
    assert "Nothing was decided yet" in text(CHIEF.get("/dead-letters/?show=decided"))
    CHIEF.post(f"/dead-letters/{found.pk}/discard/", {"reason": "It was a test."})
    consumed.healed.set()
    CHIEF.post(f"/dead-letters/{found.pk + 1}/retry/")
    assert "There is nothing to do" in text(CHIEF.get("/dead-letters/"))
    assert 'href="/dead-letters/?show=decided"' in text(CHIEF.get("/dead-letters/"))
    page = CHIEF.get("/dead-letters/?show=decided")
    assert [row.pk for row in page.context["letters"]] == [found.pk + 1, found.pk]
    assert "It was a test." in text(page)
    assert f'href="/dead-letters/{found.pk}/"' in text(page)


def test_what_was_decided_has_pages_both_ways(monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    letter()
    DeadLetter.objects.update(sequence_key="")
    rows = list(DeadLetter.objects.all())
    for number in range(3):
        DeadLetter.objects.create(group=rows[0].group, topic="t", partition=0, offset=number, headers=b"", reason="x",
            received_at=rows[0].received_at, state=DeadLetter.State.DISCARDED)  # fmt: skip
    DeadLetter.objects.update(state=DeadLetter.State.DISCARDED)
    pks = sorted(DeadLetter.objects.values_list("pk", flat=True), reverse=True)
    walked, address = [], "?show=decided"
    while address:
        page = CHIEF.get(f"/dead-letters/{address}")
        walked.append([row.pk for row in page.context["letters"]])
        address = re.search(r'rel="next" href="([^"]+)"', text(page))
        address = address and address[1].replace("&amp;", "&")
    assert walked == [pks[:2], pks[2:4], pks[4:]]
    back = re.search(r'rel="prev" href="([^"]+)"', text(page))[1].replace("&amp;", "&")
    assert [row.pk for row in CHIEF.get(f"/dead-letters/{back}").context["letters"]] == pks[2:4]


def test_what_became_of_a_retry_is_said_in_the_language_of_the_page(tmp_path, settings):
    found = letter()
    texts = {
        "Applied %(applied)s, %(left)s left. It failed again: %(error)s": "%(left)s bleiben: %(error)s",
        "It was decided about before. Nothing was done now.": "Schon entschieden.",
    }
    with speaking(texts, folder=tmp_path, settings=settings):
        again = CHIEF.post(f"/dead-letters/{found.pk}/retry/", follow=True)
        dead_letters.discard(found.pk, by="another", reason="why")
        late = CHIEF.post(f"/dead-letters/{found.pk}/retry/", follow=True)
    assert "2 bleiben: ValueError" in text(again)
    assert "Schon entschieden." in text(late)


def test_the_detail_shows_content_and_what_waits():
    page = text(CHIEF.get(f"/dead-letters/{letter().pk}/"))
    assert "poison" in page
    assert "1 more of its key" in page
    assert "cannot take 1" in page


def test_the_detail_of_an_unreadable_record_shows_its_bytes():
    bus = MemoryBus()
    bus.send("payments", b"\xff", b"junk", [])
    bus.consume("payments")
    page = text(CHIEF.get(f"/dead-letters/{DeadLetter.objects.get().pk}/"))
    assert "Unreadable record" in page
    assert "6a 75 6e 6b" in page
    assert "\\xff" in page


def test_a_letter_that_is_not_there_is_not_found():
    assert CHIEF.get("/dead-letters/4711/").status_code == 404


def test_retry_applies_and_says_so():
    found = letter()
    consumed.healed.set()
    page = text(CHIEF.post(f"/dead-letters/{found.pk}/retry/", follow=True))
    assert "Applied, with all that waited behind it." in page
    assert "chief: retried" in page
    assert Effect.objects.count() == 2


def test_retry_says_why_it_failed_again():
    page = text(CHIEF.post(f"/dead-letters/{letter().pk}/retry/", follow=True))
    assert "Applied 0, 2 left. It failed again: ValueError" in page


def test_retry_while_something_is_away_does_nothing():
    found = letter()
    DeadLetter.objects.filter(pk=found.pk).update(value=bytes(found.value).replace(b"poison", b"away\x00\x00"))
    found.refresh_from_db()
    raw = bytes(found.value).replace(b"\x0caway\x00\x00", b"\x08away")
    DeadLetter.objects.filter(pk=found.pk).update(value=raw)
    page = text(CHIEF.post(f"/dead-letters/{found.pk}/retry/", follow=True))
    assert "nothing was done" in page
    assert DeadLetter.objects.get(pk=found.pk).attempts == 0


def test_what_was_decided_is_not_decided_again_otherwise_or_by_somebody_else():
    found = letter()
    consumed.healed.set()
    dead_letters.retry(found.pk, by="another")
    for action in ("retry", "discard"):
        page = text(CHIEF.post(f"/dead-letters/{found.pk}/{action}/", {"reason": "why"}, follow=True))
        assert "decided about before" in page
    assert Effect.objects.count() == 2


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("retry", ["Applied, with all", "It was applied before"]),
        ("discard", ["Discarded. It stays", "Discarded. It stays"]),
    ],
)
def test_a_form_sent_twice_decides_once_and_both_are_told_what_holds(action, said):
    found = letter()
    consumed.healed.set()
    pages = [CHIEF.post(f"/dead-letters/{found.pk}/{action}/", {"reason": "why"}, follow=True) for _ in range(2)]
    assert [expected in text(page) for expected, page in zip(said, pages, strict=True)] == [True, True]
    assert DeadLetter.objects.get(pk=found.pk).attempts == (1 if action == "retry" else 0)


def test_a_letter_discarded_before_is_not_said_to_be_discarded_for_another_reason():
    found = letter()
    CHIEF.post(f"/dead-letters/{found.pk}/discard/", {"reason": "why"}, follow=True)
    page = text(CHIEF.post(f"/dead-letters/{found.pk}/discard/", {"reason": "why not"}, follow=True))
    assert "decided about before" in page
    assert "with your reason" not in page
    assert "chief: why<" in page


def test_who_may_only_read_is_offered_nothing_to_press():
    found = letter()
    assert "<form" in text(CHIEF.get(f"/dead-letters/{found.pk}/"))
    page = text(CLERK.get(f"/dead-letters/{found.pk}/"))
    assert "<form" not in page
    assert "An admin decides" in page


def test_discard_needs_a_reason_and_keeps_it():
    found = letter()
    refused = CHIEF.post(f"/dead-letters/{found.pk}/discard/", {"reason": " "})
    assert refused.status_code == 422
    assert "A reason is needed." in text(refused)
    page = text(CHIEF.post(f"/dead-letters/{found.pk}/discard/", {"reason": "a test"}, follow=True))
    assert "chief: a test" in page


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("a\0b", "Null characters are not allowed"),
        ("x" * 501, "at most 500 characters"),
        ("NEVER", "Say it quietly."),  # the service's own check
    ],
)
def test_a_reason_that_cannot_be_kept_is_refused_and_shown_again(reason, why):
    found = letter()
    refused = CHIEF.post(f"/dead-letters/{found.pk}/discard/", {"reason": reason})
    assert refused.status_code == 422
    assert why in text(refused)
    assert reason in text(refused)
    assert DeadLetter.objects.get(pk=found.pk).is_open


def test_those_who_may_read_may_not_act():
    found = letter()
    assert CLERK.get(f"/dead-letters/{found.pk}/").status_code == 200
    for action in ("retry", "discard"):
        assert CLERK.post(f"/dead-letters/{found.pk}/{action}/").status_code == 403
    assert Client().get("/dead-letters/").status_code == 403


def test_nobody_without_a_name_decides():
    found = letter()
    assert Client().post(f"/dead-letters/{found.pk}/retry/").status_code == 404
    assert DeadLetter.objects.get(pk=found.pk).is_open


def test_actions_are_not_for_links():
    assert CHIEF.get(f"/dead-letters/{letter().pk}/retry/").status_code == 405


def test_a_letter_leads_to_what_it_is_about_and_names_who_decided():
    found = letter()
    address = f"/dead-letters/{found.pk}/"
    assert 'href="/of/&lt;a1&gt;"' in text(CHIEF.get(address))
    CHIEF.post(f"{address}discard/", {"reason": "It is of another bank."})
    assert ", the chief: It is of another bank." in text(CHIEF.get(address))
