"""The addresses of ``/sdapi/v1`` and ``/internal``; what each field does is in docs/surfaces.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.actors import Actor
from generation.surfaces.a1111 import extras, lists, options, progress, prompts, running
from generation.surfaces.a1111.fields import as_flag
from generation.surfaces.door import door
from imodel_site.lib.errors import Refused


@door("POST", changes=True)
def txt2img(actor: Actor, given: Any) -> Any:
    """Pictures from words."""
    return running.run(actor, given, image=False)


@door("POST", changes=True)
def img2img(actor: Actor, given: Any) -> Any:
    """Pictures from a picture, or into its mask."""
    return running.run(actor, given, image=True)


@door("GET")
def progress_now(actor: Actor, given: dict[str, str]) -> Any:
    """How far the key's own work is."""
    return progress.told(actor, picture=not as_flag(given.get("skip_current_image", "false")))


@door("POST")
def task_progress(actor: Actor, given: dict[str, Any]) -> Any:
    """How far one of the key's requests is."""
    return progress.of_task(actor, given)


@door("GET")
def pending_tasks(actor: Actor, given: Any) -> Any:
    """What of the key's waits."""
    return progress.pending(actor)


@door("POST", changes=True, body=False)
def interrupt(actor: Actor, given: Any) -> Any:
    """Stop the key's own work."""
    progress.interrupt(actor)
    return {}


@door("POST", changes=True, body=False)
def skip(actor: Actor, given: Any) -> Any:
    """Stop what of the key's own work runs."""
    progress.skip(actor)
    return None


@door("GET")
def get_options(actor: Actor, given: Any) -> Any:
    """What the key has set."""
    return options.told(actor)


@door("POST", changes=True)
def set_options(actor: Actor, given: dict[str, Any]) -> Any:
    """Set it."""
    options.keep(actor, given)
    return None


@door("POST")
def png_info(actor: Actor, given: dict[str, Any]) -> Any:
    """What a picture's file says of its making."""
    return extras.png_info(given)


@door("POST", changes=True)
def extra_single_image(actor: Actor, given: dict[str, Any]) -> Any:
    """A picture made larger."""
    return extras.single(given)


@door("POST", changes=True)
def extra_batch_images(actor: Actor, given: dict[str, Any]) -> Any:
    """Several."""
    return extras.batch(given)


@door("POST", changes=True)
def interrogate(actor: Actor, given: dict[str, Any]) -> Any:
    """Nothing here describes a picture in words."""
    words = "No captioning weights are installed: pictures can not be described here."
    raise Refused("interrogate_unavailable", words, field="model", status=422)


@door("POST", changes=True, body=False)
def refresh(actor: Actor, given: Any) -> Any:
    """Lists are read anew with each call; weights come and go with the worker's jobs."""
    return None


@door("GET")
def loras(actor: Actor, given: Any) -> Any:
    """The shop's own trained garments."""
    return prompts.listed()


def _lists(found: Callable[[], Any]) -> Any:
    """A list that is the same for everybody who has a key."""

    @door("GET")
    def listed(actor: Actor, given: Any) -> Any:
        return found()

    return listed


samplers, schedulers, models = _lists(lists.samplers), _lists(lists.schedulers), _lists(lists.models)
upscalers, modes, vaes = _lists(lists.upscalers), _lists(lists.latent_upscale_modes), _lists(lists.vaes)
styles, restorers = _lists(lists.nothing), _lists(lists.nothing)
hypernetworks, realesrgan = _lists(lists.nothing), _lists(lists.nothing)
embeddings, scripts, script_info = _lists(lists.embeddings), _lists(lists.scripts), _lists(lists.script_info)
memory, flags, extensions = _lists(lists.memory), _lists(lists.flags), _lists(lists.extensions)
