"""What a text may be made of."""

import html
import re

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.templatetags.chassis import linked
from chassis.texts import seen
from chassis.validators import visible, visible_line


@pytest.mark.parametrize("text", ["Wash", "Ü", "\U0001f469\u200d\U0001f680", "اغسل", "नमस्ते", "a\u200bb", "é", "7", "-"])
def test_what_one_can_see_is_welcome(text):
    visible(text)
    visible_line(text)


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b" * 12, "\u2060\ufeff", "\u2800", "\u3164\u115f", "\u0301", "\ufe0f", "\xad"]
)
def test_what_nobody_can_see_is_refused(text):
    for check in (visible, visible_line):
        with pytest.raises(ValidationError, match="Nothing of this can be seen"):
            check(text)


@pytest.mark.parametrize("text", ["turned \u202e round", "two\nlines", "two\u2028lines", "bell \x07"])
def test_a_line_neither_turns_nor_breaks(text):
    visible(text)
    with pytest.raises(ValidationError, match="invisible control characters"):
        visible_line(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("  two\n words\u2029\u00a0here ", "two words here"),
        ("a\u200bb", "ab"),
        ("e\u0301", "e"),
        ("\u200b \u3164", ""),
        ("because" + "\u200d" * 9, "because"),
    ],
)
def test_what_is_seen_has_no_invisible_signs_and_one_space_between_words(text, found):
    assert seen(text) == found


ADDRESSES = st.sampled_from(["https://a.example/b?c=1&d=2", "(see http://a.example/x(1).", "www.a.example).", "<b>&"])
MARKS = st.text(".,:;!?()[]<>&'\" \nab")


@settings(deadline=None)
@given(st.lists(ADDRESSES | MARKS | st.text(max_size=5), max_size=6).map("".join))
def test_a_text_whose_addresses_are_links_has_every_character_that_it_had(text):
    assert html.unescape(re.sub(r"</?a\b[^>]*>", "", linked(text))) == text


def test_an_address_in_brackets_at_the_end_of_a_sentence_is_a_link():
    told = linked("It is known (see https://a.example/b). <script>")
    link = '<a href="https://a.example/b" rel="nofollow">https://a.example/b</a>'
    assert told == f"It is known (see {link}). &lt;script&gt;"
