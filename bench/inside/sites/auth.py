"""The lists of auth: as many accounts, changes of one account, applications, and changes of those."""

from collections.abc import Iterator

from django.contrib.auth.hashers import make_password
from django.test import Client

from bench.inside.sites import Page, after_middle
from bench.inside.tools import Connection, empty, set_letters_aside, settle

TABLES = (
    "accounts_account",
    "accounts_accountchange",
    "accounts_relyingparty",
    "accounts_applicationchange",
    "eventbus_dead_letter",
)
FOUND = 5  # accounts whose words no other has
PASSWORD = "only for the benchmark"


def sign_in(role: str) -> Client:
    """Through the page, as everybody does."""
    browser = Client()
    answer = browser.post("/login", {"email": f"{role}@popug.example", "password": PASSWORD})
    if answer.status_code != 302:
        raise RuntimeError(f"Nobody signed in as {role}: {answer.status_code}")
    return browser


def lists(database: Connection, size: int) -> Iterator[list[Page]]:
    """One account in twenty is invited, one deactivated, one a manager's: at least a page full of each."""
    empty(database, *TABLES)
    _fill(database, size)
    settle(database, *TABLES)
    (admin,) = database.execute("SELECT id FROM accounts_account WHERE role = 'admin'").fetchall()[0]
    middle = _middle()
    yield [
        Page("accounts", "admin", "/"),
        Page("accounts, from the middle", "admin", f"/?after={middle}"),
        Page("accounts, by last sign-in", "admin", "/?sort=-seen"),
        Page("accounts, deactivated", "admin", "/?status=deactivated"),
        Page("accounts, managers", "admin", "/?role=manager"),
        Page("accounts, a search that finds few", "admin", "/?q=polish", FOUND),
        Page("accounts, a search that finds most", "admin", "/?q=popug"),
        Page("accounts, changes of one", "admin", f"/accounts/{admin}", 0),
        Page("applications", "admin", "/oauth/applications"),
        Page("applications, changes", "admin", "/oauth/applications/changes", 0),
    ]
    set_letters_aside(database, size)
    yield [Page("auth, dead letters", "admin", "/dead-letters/")]


def _middle() -> str:
    from accounts import selectors  # noqa: PLC0415 - only auth has it

    return after_middle(selectors.accounts_search(), ("sorted_name", "id"))


def _fill(database: Connection, size: int) -> None:
    database.execute(
        "INSERT INTO accounts_account (id, password, email, full_name, position, role, is_active, version,"
        " session_epoch, email_confirmed_at, created_at, updated_at, last_login)"
        " SELECT uuidv7(), %(password)s, CASE n WHEN 0 THEN 'admin' ELSE 'number' || n END || '@popug.example',"
        " CASE WHEN n BETWEEN 1 AND %(found)s THEN 'Polish ' ELSE 'Popug ' END || n, 'Feeder',"
        " CASE WHEN n = 0 THEN 'admin' WHEN n %% 20 = 7 THEN 'manager' ELSE 'worker' END,"
        " n %% 20 <> 5, 1, 1, CASE WHEN n %% 20 <> 3 THEN now() END, now(), now(), now() - n * interval '1 second'"
        " FROM generate_series(0, %(size)s) AS n",
        {"password": make_password(PASSWORD), "size": size, "found": FOUND},
    )
    database.execute(
        "INSERT INTO accounts_accountchange (account_id, actor_id, action, before, after, at)"
        ' SELECT id, id::text, \'updated\', \'{"position": "Feeder"}\', \'{"position": "Cleaner"}\', now()'
        " FROM accounts_account, generate_series(1, %s) WHERE role = 'admin'",
        [size],
    )
    database.execute(
        "INSERT INTO accounts_relyingparty (client_id, name, home_url, backchannel_logout_uri, is_own)"
        " SELECT 'client-' || n, 'Roster ' || n, 'https://roster.example/', '', false FROM generate_series(1, %s) AS n",
        [size],
    )
    database.execute(
        "INSERT INTO accounts_applicationchange (party_id, name, actor_id, action, before, after, at)"
        " SELECT n, 'Roster ' || n, 'system', 'updated', '{\"name\": \"Rota\"}', '{\"name\": \"Roster\"}', now()"
        " FROM generate_series(1, %s) AS n",
        [size],
    )
