"""The worker's side of a run: its pictures are fetched and looked at in the light lane, then it becomes an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image

from accounts.actors import READ, WRITE, Actor
from accounts.services import credits
from catalog.models import Asset
from catalog.services.assets import add_asset, drop_files, lock_asset
from generation import services
from generation.models import FashnRun
from generation.orders import Frozen
from generation.surfaces.fashn import orders, pictures
from generation.surfaces.fashn.inputs import OF_A_PHOTO, PICTURES, BadInput, How, Wish, read
from generation.surfaces.fashn.orders import Ready
from imodel_site.lib import images, storage, workplace
from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import PUBLIC, Fetcher
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.work import Work
from studio.images import open_photo

# Of a light table's parts, which one the person is; without anybody, what is worn.
SUBJECTS = ("person", "full", "upper", "lower")


@dataclass(frozen=True)
class Seen:
    """What was found on a picture: its parts as masks by name, somebody's landmarks, and their skeleton as a PNG."""

    parts: Mapping[str, Image.Image]
    landmarks: list[list[float]]
    skeleton: bytes


def carry_out(work: Work, *, fetcher: Fetcher = PUBLIC) -> None:
    """Make an order of a run, in its merchant's scope; whatever it raises ends the run with its code."""
    run: FashnRun = work.job
    if run.refusal:
        raise Refused(run.refusal["code"], run.refusal["message"])
    wish = read(run.model_name, run.inputs)
    if wish.how is How.CUTOUT:
        _cut_out(work, wish, fetcher)
    else:
        frozen = orders.freeze(wish, _ready(work, wish, fetcher))
        work.stop_if_asked()
        work.finish(write=lambda: _order(run, frozen))
    drop_files(run.sent)  # taken over


def _order(run: FashnRun, frozen: Frozen) -> None:
    """The shoot in the place of the run: what the run held is given back in the transaction that holds it anew."""
    credits.settle(merchant_id=run.merchant_id, job_id=run.pk, paid=0)
    shoot = services.order_frozen(actor=_actor(run), frozen=frozen)
    FashnRun.objects.filter(pk=run.pk).update(shoot=shoot)


def _actor(run: FashnRun) -> Actor:
    """The key that called has had its say when the run was accepted."""
    return Actor(run.merchant, scopes=frozenset({READ, WRITE}))


# --- its pictures ----------------------------------------------------------------------------------------------------
def _ready(work: Work, wish: Wish, fetcher: Fetcher) -> Ready:
    sent = {name: _fetched(work, wish, name, fetcher) for name in PICTURES if _is_picture(wish, name)}
    if wish.how in OF_A_PHOTO:
        return _of_a_photo(work, wish, sent)
    if wish.how is How.WORDS:
        return _posed(work, sent.get("image_reference"))
    return _painted(work, wish, sent)


def _is_picture(wish: Wish, name: str) -> bool:
    return name in wish.given and not (name == "model_image" and wish.persona)


def _fetched(work: Work, wish: Wish, name: str, fetcher: Fetcher) -> bytes:
    work.stop_if_asked()
    work.progress("fetching", 0.1)
    return pictures.fetch(wish.given[name], fetcher, merchant_id=work.job.merchant_id)


def _of_a_photo(work: Work, wish: Wish, sent: Mapping[str, bytes]) -> Ready:
    """The picture that is kept becomes an upload like any other; of the model's only the pose is taken."""
    source = next(name for name in ("garment_image", "product_image", "image", "model_image") if name in sent)
    pose = sent.get("model_image") if source != "model_image" else None
    landmarks = _seen(work, images.opened(pose, field="model_image")).landmarks if pose is not None else []
    if pose is not None and not landmarks:
        raise _nobody("model_image")
    return Ready(photo=_taken_in(work, sent[source]), landmarks=landmarks)


def _taken_in(work: Work, data: bytes) -> Asset:
    """Named by the run before anybody could take it for a file that nothing needs."""
    run: FashnRun = work.job
    asset, _new = add_asset(merchant=run.merchant, file=data)
    work.keep(lambda: FashnRun.objects.filter(pk=run.pk).update(asset=lock_asset(asset)))
    return asset


def _posed(work: Work, reference: bytes | None) -> Ready:
    if reference is None:
        return Ready()
    seen = _seen(work, images.opened(reference, field="image_reference"))
    if not seen.skeleton:
        raise _nobody("image_reference")
    key, size = services.store_picture(actor=_actor(work.job), data=seen.skeleton, field="control")
    return Ready(skeleton=key, size=size)


def _painted(work: Work, wish: Wish, sent: Mapping[str, bytes]) -> Ready:
    """An expert's picture to start from, with the mask of what is painted: white, as ours."""
    actor, source = _actor(work.job), next(name for name in PICTURES if name in sent and name != "mask")
    data, mask = sent[source], sent.get("mask")
    if wish.how in (How.FACE, How.REFRAME):
        ratio = orders.shape_of(wish)
        canvas, around = pictures.laid_out(images.opened(data, field=source), how=wish.how, ratio=ratio)
        data, mask = images.png(canvas), images.png(around)
    key, size = services.store_picture(actor=actor, data=data, field=source)
    mask_key = services.store_mask(actor=actor, data=mask, size=size) if mask is not None else ""
    return Ready(image=key, mask=mask_key, size=size)


def _nobody(name: str) -> Refused:
    return Refused("pose_not_found", _("Nobody was found on “%(field)s”.") % {"field": name}, field=name)


def _cut_out(work: Work, wish: Wish, fetcher: Fetcher) -> None:
    """A file of the run's own; whoever lost the lease meanwhile leaves it to the collector."""
    image = images.opened(_fetched(work, wish, "image", fetcher), field="image")
    parts = _seen(work, image).parts
    found = next((parts[name] for name in SUBJECTS if name in parts), None)
    if found is None:
        raise BadInput(_("Nobody and no garment was found on this picture."), field="image")
    key = storage.put(storage.new_key(work.job.merchant_id, pictures.KIND, "png"), pictures.cut_out(image, found))
    work.finish(output=[key])
    work.job.output = [key]


def _seen(work: Work, image: Image.Image) -> Seen:
    """Ask the light executor what is on a picture.

    Raises:
        Refused: ``picture_flagged``: the automatic look would have staff see it first.
    """
    merchant_id = work.job.merchant_id
    with workplace.folder(merchant_id) as folder, executors.borrow(work.lane) as executor:
        photo = folder / "photo.png"
        photo.write_bytes(images.png(image))
        done = executor.run(
            {"op": "propose", "id": f"{work.job.pk}/{work.token}", "photo": str(photo), "out": f"{folder}/out"},
            on_event=lambda event: work.progress("look", 0.5),
            should_cancel=work.should_stop,
        )
        if (done.get("finding") or {}).get("flagged"):
            words = _("The automatic look would have our staff see this picture first. Choose another one.")
            raise Refused("picture_flagged", words)
        return _read(done)


def _read(done: Mapping[str, Any]) -> Seen:
    skeleton = (done.get("files") or {}).get("skeleton")
    rows = (done.get("pose") or {}).get("rows") or []
    return Seen(
        {part["part"]: open_photo(Path(part["file"]).read_bytes()).convert("L") for part in done.get("parts", ())},
        [[float(value) for value in row[:4]] for row in rows],
        Path(skeleton).read_bytes() if skeleton else b"",
    )
