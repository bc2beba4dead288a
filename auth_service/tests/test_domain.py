import pytest

from accounts.domain import (
    ADMIN,
    CLOSED,
    DOMAINS,
    MANAGER,
    OPEN,
    WORKER,
    Refused,
    Standing,
    email_normalized,
    sign_up_allowed,
    standing_changed,
)


def standing(role: str = WORKER, *, is_active: bool = True) -> Standing:
    return Standing(role=role, is_active=is_active)


def refusal(before: Standing, after: Standing, *, other_admins: int = 1) -> str:
    try:
        standing_changed(before, after, other_admins=other_admins)
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize("text", [" W.Weber@Popug.EXAMPLE ", "w.weber@popug.example"])
def test_an_address_is_the_same_in_any_case(text: str) -> None:
    assert email_normalized(text) == "w.weber@popug.example"


def test_a_domain_with_letters_of_any_script_is_taken() -> None:
    assert email_normalized("w@käfig.example") == "w@käfig.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "weber",
        "@popug.example",
        "w@popug",
        "a b@popug.example",
        "a@b@c.example",
        "a\n@b.example",
        f"{'a' * 250}@b.example",
        f"a@{'ü' * 60}.de",
        f"a@{'b' * 64}.example",
        "a@b..example",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        email_normalized(text)
    assert refused.value.code == "email"


@pytest.mark.parametrize(
    ("policy", "email", "allowed"),
    [
        (CLOSED, "a@popug.example", False),
        (OPEN, "a@elsewhere.example", True),
        (DOMAINS, "a@popug.example", True),
        (DOMAINS, "a@sub.popug.example", False),
        (DOMAINS, "a@notpopug.example", False),
    ],
)
def test_sign_up_is_open_to_whom_the_policy_names(policy: str, email: str, *, allowed: bool) -> None:
    assert sign_up_allowed(email, policy=policy, domains=["Popug.example"]) is allowed


def test_the_last_active_admin_can_be_neither_demoted_nor_deactivated() -> None:
    assert refusal(standing(ADMIN), standing(MANAGER), other_admins=0) == "last_admin"
    assert refusal(standing(ADMIN), standing(ADMIN, is_active=False), other_admins=0) == "last_admin"


def test_one_of_two_admins_can_be_demoted() -> None:
    assert refusal(standing(ADMIN), standing(MANAGER), other_admins=1) == ""


def test_a_deactivated_admin_is_no_last_admin() -> None:
    assert refusal(standing(ADMIN, is_active=False), standing(WORKER, is_active=False), other_admins=0) == ""


def test_a_change_to_what_is_already_so_is_refused() -> None:
    assert refusal(standing(), standing()) == "unchanged"


def test_an_unknown_role_is_refused() -> None:
    assert refusal(standing(), standing("owner")) == "role"
