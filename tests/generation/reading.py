"""What the tests of pages read: orders and pictures as rows, a page as text."""

from __future__ import annotations

from django.urls import reverse

from accounts.scoping import unscoped
from generation.models import Picture, Shoot


def orders():
    with unscoped("test"):
        return list(Shoot.objects.order_by("id"))


def only(shoot):
    with unscoped("test"):
        return Picture.objects.filter(shoot=shoot).order_by("index")[0]


def page(client, name, *args, **query):
    """A page's text; it must be there."""
    answer = client.get(reverse(f"generation:{name}", args=args), query)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()
