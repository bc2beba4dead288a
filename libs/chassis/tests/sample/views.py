"""Pages of the sample service: one of each kind."""

import contextlib
import select
from datetime import UTC, datetime, timedelta

from django import forms
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.db import DataError, OperationalError, connection, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.html import escape
from django.views.decorators.http import require_POST, require_safe

from chassis.errors import NotUnderstood
from chassis.exports import Column, export_response
from chassis.form_keys import OneTimeForm, once
from chassis.money import CentsField
from chassis.permissions import public, refuse, requires, signed_in
from chassis.tables import table_page, understood
from sample.models import Sample

MEANWHILE = []  # what a test does while a page is being answered
SORTS = {"made": ("made_at", "id"), "amount": ("cents", "id"), "title": ("title", "id")}


class Filters(forms.Form):
    status = forms.ChoiceField(choices=[("", "All"), ("open", "Open"), ("done", "Done")], required=False)
    q = forms.CharField(
        required=False, label="Search", widget=forms.TextInput(attrs={"data-key": "/", "data-key-label": "search"})
    )


class Export(Filters):
    format = forms.CharField(required=False)


class NewSample(OneTimeForm):
    title = forms.CharField(max_length=100, help_text="One line.")
    amount = CentsField(max_cents=100_000, required=False)
    kind = forms.ChoiceField(choices=[("a", "Cage"), ("b", "Feather")], required=False)
    urgent = forms.BooleanField(required=False)


@signed_in
def sample_list(request):
    filters = Filters(request.GET)
    wanted = understood(filters)
    page = table_page(request, Sample.objects.filter(title__icontains=wanted["q"]), sorts=SORTS, default="-made")
    return render(request, "sample/list.html", {"page": page, "filters": filters, "form": NewSample()})


@signed_in
def sample_new(request):
    form = NewSample(request.POST or None)
    if form.is_valid():
        url = once(
            key=form.cleaned_data["form_key"], kind="sample", actor_id=request.user.id, effect=lambda: make(form)
        )
        messages.success(request, "Made.")
        return HttpResponseRedirect(url)
    return render(request, "sample/new.html", {"form": form}, status=422 if form.is_bound else 200)


@signed_in
def ended_meanwhile(request):
    """The session ends while the request is answered, as by a log-out from elsewhere."""
    Session.objects.all().delete()
    messages.success(request, "Done.")
    return HttpResponse("done")


@signed_in
def said(request):
    """Says what it was asked to, while another page may be answered."""
    messages.success(request, request.GET["text"])
    MEANWHILE.pop()() if MEANWHILE else None
    return HttpResponse("done")


def make(form):
    Sample.objects.create(
        title=form.cleaned_data["title"],
        cents=form.cleaned_data["amount"] or 0,
        made_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    return f"/samples?q={form.cleaned_data['title']}"


@requires("admin", "manager")
def cage_list(request):
    return render(
        request,
        "sample/cages.html",
        {
            "days": [
                (
                    datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day),
                    4000 + day * 731 % 5000,
                    2500 + day * 1337 % 3000,
                )
                for day in range(30)
            ]
        },
    )


@signed_in
def note_page(request):
    """A form of htmx: its answer replaces it."""
    return render(request, "sample/note.html", {"form_action": "/notes/save"})


@signed_in
def note_save(request):
    return HttpResponse(f"<p>Saved: {escape(request.POST['text'])}</p>")


@signed_in
@require_POST
def sample_done(request, pk):
    return HttpResponse("done")


@signed_in
@require_safe
def sample_detail(request, pk):
    return HttpResponse(f"sample {pk}")


@requires("finance")
def note_refused(request):
    return HttpResponse("never shown")


@signed_in
def sample_export(request):
    columns = [Column("Title", lambda row: row.title), Column("Amount", lambda row: row.cents, cents=True)]
    found = Sample.objects.filter(title__icontains=understood(Export(request.GET))["q"])
    rows = found.order_by("id").iterator(chunk_size=100)
    return export_response(
        request, name="Samples", columns=columns, rows=rows, totals=lambda: [("Rows", Sample.objects.count())]
    )


@signed_in
def own_only(request):
    refuse(request, "finance")


@public
def logout(request):
    return HttpResponse("out")


@public
def open_page(request):
    return HttpResponse("open")


def undecided(request):
    return HttpResponse("never shown")


@public
def database_away(request):
    raise OperationalError("the connection was lost")


@public
@transaction.atomic
def database_demoted(request):
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute("DELETE FROM django_session")


@public
@transaction.atomic
def frozen(request):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 20")
        select.select([cursor.connection.fileno()], [], [], 30)  # until Postgres says that it is over


@public
@transaction.atomic
def handled_wrongly(request):
    with connection.cursor() as cursor:
        with contextlib.suppress(DataError):
            cursor.execute("SELECT 1 / 0")
        cursor.execute("SELECT 1")


@public
def broken(request):
    raise RuntimeError("broken")


@public
def not_understood(request):
    raise NotUnderstood("There is no status “statsu”.")
