"""The sample garments, for whoever wants to try before photographing anything."""

from __future__ import annotations

from accounts.models import Merchant
from catalog.models import Garment
from catalog.samples import SAMPLES, Sample
from catalog.services import garments, photos
from catalog.services.garments import Details


def add_sample_garments(*, merchant: Merchant) -> list[Garment]:
    """Add those that are not there yet (their SKUs say which), each with its photo; returns the new ones."""
    there = set(Garment.objects.filter(sku__in=[sample.sku for sample in SAMPLES]).values_list("sku", flat=True))
    return [_add(merchant, sample) for sample in SAMPLES if sample.sku not in there]


def _add(merchant: Merchant, sample: Sample) -> Garment:
    tags = ("sample", *sample.tags)
    details = Details(str(sample.name), sample.sku, sample.category, str(sample.colour), tags=tags)
    garment = garments.create_garment(merchant=merchant, details=details)
    for path, view in sample.photos:
        photos.add_photo(garment=garment, merchant=merchant, file=path.read_bytes(), view=view)
    return garment
