"""The shop's pages."""

urlpatterns: list = []
