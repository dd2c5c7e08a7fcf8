"""From a photo of a garment to pictures on your disk, over the generated client (``make clients``).

shop = Shop("https://your-imodel", "imk_live_...")
photo = shop.photograph("dress.jpg", name="Poppy dress", sku="PD-17")
shoot = shop.wait(shop.submit(photo, once="order-4711", count=2))
files = shop.download(shoot, "pictures")
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
from imodel_client import AuthenticatedClient
from imodel_client.api.garments import garments_create
from imodel_client.api.shoots import shoots_create, shoots_retrieve
from imodel_client.models import ErrorAnswer, GarmentRequest, OrderRequest, Photo, WholeShoot

ENDED = ("succeeded", "failed", "cancelled")
Found = TypeVar("Found")


class Refused(Exception):
    """What the server said no to; ``code`` never changes, ``retryable`` says whether to send the same again later."""

    def __init__(self, code: str, message: str, *, retryable: bool) -> None:
        super().__init__(f"{message} [{code}]")
        self.code, self.retryable = code, retryable


class Shop:
    """One shop, by a key that may write."""

    def __init__(self, url: str, key: str) -> None:
        self.client = AuthenticatedClient(base_url=url, token=key, timeout=httpx.Timeout(60))

    def photograph(self, file: str | Path, *, name: str, sku: str) -> Photo:
        """A new garment with one photo."""
        made = garments_create.sync(client=self.client, body=GarmentRequest(name=name, sku=sku))
        garment = _found(made)
        with Path(file).open("rb") as opened:  # a form: what is generated would send JSON as well
            sent = {"data": {"garment": str(garment.id), "view": "front"}, "files": {"file": opened}}
            answer = self.client.get_httpx_client().post("/api/v1/photos", **sent)
        said = answer.json()
        return _found(Photo.from_dict(said) if answer.is_success else ErrorAnswer.from_dict(said))

    def submit(self, photo: Photo, *, once: str, **order: Any) -> WholeShoot:
        """Order pictures; called again with the same ``once`` it orders nothing more.

        Args:
            once: a number of your own for this order, such as the shop's.
            order: count, best_of, persona, scene, ...: the fields of ``OrderRequest``.
        """
        body = OrderRequest(photo=photo.id, **order)
        return _found(shoots_create.sync(client=self.client, body=body, idempotency_key=once), WholeShoot)

    def wait(self, shoot: WholeShoot, *, seconds: float = 600.0) -> WholeShoot:
        """The shoot once it has ended. A webhook (receiver.py) saves asking."""
        until = time.monotonic() + seconds
        while shoot.status not in ENDED:
            if time.monotonic() > until:
                raise TimeoutError(f"shoot {shoot.id} is {shoot.status}")
            time.sleep(1)
            shoot = self.look(shoot.id)
        return shoot

    def look(self, identity: UUID) -> WholeShoot:
        """The shoot as it is, with fresh addresses of its pictures."""
        return _found(shoots_retrieve.sync(identity, client=self.client), WholeShoot)

    def download(self, shoot: WholeShoot, folder: str | Path) -> list[Path]:
        """The finished pictures as PNG; their addresses end within minutes, so they are asked for anew."""
        place, files = Path(folder), []
        place.mkdir(parents=True, exist_ok=True)
        for picture in self.look(shoot.id).pictures:
            urls = picture.urls.to_dict()
            if "full" not in urls:  # moderation has a look first
                continue
            answer = httpx.get(urls["full"], timeout=60)
            answer.raise_for_status()
            files.append(place / f"{picture.id}.png")
            files[-1].write_bytes(answer.content)
        return files


def _found(answer: Any, wanted: type[Found] | None = None) -> Any:
    """What was asked for, or the refusal as an exception."""
    if isinstance(answer, ErrorAnswer):
        raise Refused(answer.error.code, answer.error.message, retryable=answer.error.retryable)
    if answer is None or (wanted is not None and not isinstance(answer, wanted)):
        raise RuntimeError(f"the server answered what its schema does not say: {answer!r}")
    return answer
