"""Addresses of the sample service."""

from django.urls import path

from sample import views

urlpatterns = [
    path("logout", views.logout, name="logout"),
    path("samples", views.sample_list, name="sample_list"),
    path("samples/new", views.sample_new, name="sample_new"),
    path("samples/<int:pk>", views.sample_detail),
    path("samples/<int:pk>/parts/done", views.sample_done),
    path("things/add/", views.sample_done, {"pk": 1}),
    path("samples/export", views.sample_export),
    path("notes", views.note_page),
    path("notes/save", views.note_save),
    path("notes/refused", views.note_refused),
    path("cages", views.cage_list, name="cage_list"),
    path("own", views.own_only, name="own_only"),
    path("open", views.open_page),
    path("undecided", views.undecided),
    path("database-away", views.database_away),
    path("database-demoted", views.database_demoted),
    path("frozen", views.frozen),
    path("handled-wrongly", views.handled_wrongly),
    path("broken", views.broken),
    path("ended-meanwhile", views.ended_meanwhile),
    path("said", views.said),
    path("not-understood", views.not_understood),
]
