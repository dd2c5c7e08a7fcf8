"""Where no garment is kept, "good" would promise what nobody measured; a warning stays a warning."""

from __future__ import annotations

import pytest

from accounts.scoping import unscoped
from generation.models import Picture
from tests.generation.conftest import made

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("kind", "verdict"), [("model", "good"), ("outfit", "none"), ("text", "none")])
def test_good_is_said_only_where_a_garment_was_kept(house, executor, kind, verdict):
    shoot = made(house, kind=kind, count=1)
    with unscoped("test"):
        assert [p.verdict for p in Picture.objects.filter(shoot=shoot)] == [verdict]
