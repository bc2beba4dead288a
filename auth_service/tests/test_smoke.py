def test_x(admin, browser, clients):
    b = browser(admin)
    for u in ["/", "/profile", f"/accounts/{admin.pk}", "/accounts/invite", "/login", "/oauth/.well-known/openid-configuration", "/oauth/.well-known/jwks.json"]:
        r = b.get(u)
        print(u, r.status_code, r.content[:300] if "well" in u else "")
