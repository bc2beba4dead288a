"""Reading billing's pages in tests."""

from bs4 import BeautifulSoup


def page(client, address, **given):
    response = client.get(address, **given)
    assert response.status_code == 200, response.status_code
    return BeautifulSoup(response.content, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


def facts(soup):
    return {text(fact.select_one(".fact-label")): text(fact.select_one(".fact-value")) for fact in soup.select(".fact")}


def rows(soup):
    """The cells of the first table, or of the one given."""
    table = soup if soup.name == "table" else soup.select_one("table.list")
    return [[text(cell) for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")] if table else []


def dollars(cents):
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def soup_of(response):
    return BeautifulSoup(response.content, "html.parser")
