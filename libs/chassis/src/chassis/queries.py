"""Expressions that Django has not."""

from django.db.models import BooleanField, Func


class AnyOf(Func):
    """`id = ANY (ARRAY(...))`: the array is read once, and from its own index, whatever is around it."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    output_field = BooleanField()
