from django.urls import include, path

from accounts.selectors import account_names
from chassis.permissions import requires
from chassis.validators import visible
from eventbus.urls import Around, dead_letters

AROUND = Around(
    name_of=lambda account_id: account_names({account_id}).get(account_id, account_id), check_reason=visible
)

urlpatterns = [
    path("", include("accounts.web.urls")),
    path("dead-letters/", include(dead_letters(read=requires("admin"), act=requires("admin"), around=AROUND))),
]
