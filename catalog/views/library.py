"""The libraries: shared personas, scenes and poses, and the merchant's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import member_required, writer_required
from accounts.views.forms import attempt
from catalog.access import access_library, access_persona, access_pose
from catalog.forms import CopyPoseForm, PersonaForm, PoseForm, SceneForm
from catalog.models import Look, Persona, Pose, Scene
from catalog.services import libraries as service
from imodel_site.lib.errors import NotHere
from imodel_site.lib.jobs.model import ENDED

SHELVES: dict[str, type[Any]] = {"personas": Persona, "scenes": Scene, "poses": Pose}


@member_required
@require_GET
def library(request: Any, shelf: str = "personas") -> HttpResponse:
    """One shelf: the merchant's own first, then everybody's."""
    if shelf not in SHELVES:
        raise NotHere()
    rows = SHELVES[shelf].objects.select_related("asset")
    items = list(rows.order_by(F("merchant").asc(nulls_last=True), "position", "id"))
    own = [item for item in items if item.merchant_id]
    context: dict[str, Any] = {"shelf": shelf, "own": own, "shared": [item for item in items if not item.merchant_id]}
    if shelf == "poses":
        context["failed"] = _failed(own)
    return render(request, "catalog/library.html", context)


def _failed(own: list[Pose]) -> set[Any]:
    """Poses whose photo was looked at in vain; the other unready ones only wait."""
    unready = [pose for pose in own if not service.is_ready(pose)]
    ended = Look.objects.filter(asset__in=[pose.asset_id for pose in unready], status__in=ENDED)
    assets = set(ended.values_list("asset_id", flat=True))
    return {pose.pk for pose in unready if pose.asset_id in assets}


def _form_page(request: Any, form: forms.Form, shelf: str, title: str, item: Any = None) -> HttpResponse:
    context = {"form": form, "shelf": shelf, "title": title, "item": item}
    return render(request, "catalog/library_form.html", context, status=422 if form.errors else 200)


@writer_required
@require_http_methods(["GET", "POST"])
def new_persona(request: Any) -> HttpResponse:
    """A persona from choices."""
    form = PersonaForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        made = attempt(
            form,
            lambda: service.make_persona(
                merchant=request.merchant, title=form.cleaned_data["title"], traits=form.traits, **form.outfit
            ),
        )
        if made is not None:
            return redirect("catalog:shelf", "personas")
    return _form_page(request, form, "personas", _("New model"))


@writer_required
@require_http_methods(["GET", "POST"])
def edit_persona(request: Any, persona_id: str) -> HttpResponse:
    """Other choices for an own persona."""
    persona = access_persona(request.actor, persona_id, write=True)
    if request.method == "GET":
        given = {"title": persona.title, **persona.traits, "below": persona.below, "above": persona.above}
        return _form_page(request, PersonaForm(initial=given), "personas", persona.title, persona)
    form = PersonaForm(request.POST)
    done = attempt(
        form,
        lambda: service.change_persona(
            persona=persona, title=form.cleaned_data["title"], traits=form.traits, **form.outfit
        ),
    )
    return (
        redirect("catalog:shelf", "personas") if done else _form_page(request, form, "personas", persona.title, persona)
    )


@writer_required
@require_http_methods(["GET", "POST"])
def new_scene(request: Any) -> HttpResponse:
    """A scene from choices."""
    posted = request.method == "POST"
    form = SceneForm(request.POST if posted else None, request.FILES if posted else None)
    if posted and attempt(form, lambda: _make_scene(request, form)) is not None:
        return redirect("catalog:shelf", "scenes")
    return _form_page(request, form, "scenes", _("New scene"))


def _make_scene(request: Any, form: SceneForm) -> Scene:
    given = form.cleaned_data
    return service.make_scene(
        merchant=request.merchant,
        title=given["title"],
        place=given["place"],
        light=given["light"],
        tone=given["tone"],
        file=given["photos"],
    )


@writer_required
@require_http_methods(["GET", "POST"])
def new_pose(request: Any) -> HttpResponse:
    """A pose from a photo."""
    posted = request.method == "POST"
    form = PoseForm(request.POST if posted else None, request.FILES if posted else None)
    if posted:
        made = attempt(
            form,
            lambda: service.make_pose(
                merchant=request.merchant, title=form.cleaned_data["title"], file=form.cleaned_data["photos"]
            ),
        )
        if made is not None:
            return redirect("catalog:shelf", "poses")
    return _form_page(request, form, "poses", _("New pose"))


@writer_required
@require_http_methods(["GET", "POST"])
def copy_pose(request: Any, pose_id: str) -> HttpResponse:
    """One's own copy, mirrored if asked."""
    pose = access_pose(request.actor, pose_id, write=False)
    form = CopyPoseForm(request.POST if request.method == "POST" else None, initial={"title": pose.label})
    if request.method == "POST":
        made = attempt(
            form,
            lambda: service.copy_pose(
                merchant=request.merchant,
                pose=pose,
                title=form.cleaned_data["title"],
                mirrored=form.cleaned_data["mirrored"],
            ),
        )
        if made is not None:
            return redirect("catalog:shelf", "poses")
    return _form_page(request, form, "poses", _("Copy of %(pose)s") % {"pose": pose.label}, pose)


@writer_required
@require_POST
def delete(request: Any, shelf: str, item_id: str) -> HttpResponse:
    """Delete an own one."""
    if shelf not in SHELVES:
        raise NotHere()
    row = access_library(request.actor, SHELVES[shelf], item_id, write=True)
    service.delete_own(row=row)
    messages.success(request, _("%(name)s is deleted. Pictures made with it are kept.") % {"name": row.title})
    return redirect("catalog:shelf", shelf)
