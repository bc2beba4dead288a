"""What every page of every service has."""


def test_a_list_page_shows_its_rows(browser, samples):
    response = browser("worker").get("/samples")
    assert response.status_code == 200
    assert response.content.count(b"<tr data-row") == 50
