"""What a text of people's own is made of. No Django in here: rules of a service may ask too."""

import unicodedata

# Of the invisible signs only those that turn the direction of what follows, which would let a text pose as another.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Unicode counts them as letters or symbols, and they are drawn as nothing.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Controls, formats, and marks that only change the sign before them.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Me"})


def seen(text: str) -> str:
    """What can be seen of a text: no invisible signs, and one space where words are apart."""
    gaps = "".join(" " if sign.isspace() else sign for sign in text)
    visible = (sign for sign in gaps if unicodedata.category(sign) not in _UNSEEN and sign not in _BLANK)
    return " ".join("".join(visible).split())


def is_visible(text: str) -> bool:
    """Whether there is anything in the text that one can see."""
    return bool(seen(text))


def is_plain_line(text: str) -> bool:
    """Whether it is one line without control characters and without signs that turn its direction.

    Letters of every script and emoji are welcome.
    """
    return not any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} or sign in _TURNING for sign in text)
