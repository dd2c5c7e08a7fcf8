"""Members and invitations."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import access, middleware
from accounts.decorators import member_required, owner_required, person_required
from accounts.forms import INVITED, InviteForm, RoleForm
from accounts.models import Invitation, Membership, Role
from accounts.services import invitations, members
from accounts.views.forms import attempt
from imodel_site.lib.errors import NotHere, Refused


@member_required
@require_GET
def people(request: Any) -> HttpResponse:
    """Who belongs to the shop; owners see the invitations, too."""
    return _page(request, InviteForm())


def _page(request: Any, form: InviteForm, refused: tuple[Membership, Refused] | None = None) -> HttpResponse:
    """``refused``: whose row on the page was to be changed, and why it was not."""
    rows = Membership.objects.select_related("user").order_by("created_at", "id")
    waiting = Invitation.objects.filter(accepted_at=None).order_by("-created_at") if request.actor.is_owner else []
    context = {"members": rows, "invitations": waiting, "form": form, "roles": Role.choices, "tab": "people"}
    status = 422 if form.errors else 200
    if refused is not None:
        context |= {"refused_row": refused[0].pk, "refused": refused[1].message}
        status = refused[1].status
    return render(request, "accounts/people.html", context, status=status)


@owner_required
@require_POST
def invite(request: Any) -> HttpResponse:
    """Send an invitation, or send it again."""
    access.allow_write(request.actor)
    form = InviteForm(request.POST)
    sent = attempt(form, lambda: invitations.invite(merchant=request.merchant, by=request.user, **form.cleaned_data))
    if sent is None:
        return _page(request, form)
    messages.success(request, _("Invitation sent to %(email)s.") % {"email": sent.email})
    return redirect("accounts:people")


@owner_required
@require_POST
def withdraw(request: Any, invitation_id: str) -> HttpResponse:
    """Take an invitation back."""
    invitations.withdraw(invitation=access.access_invitation(request.actor, invitation_id, write=True))
    messages.success(request, _("Invitation withdrawn."))
    return redirect("accounts:people")


@owner_required
@require_POST
@reauthentication_required
def change_role(request: Any, member_id: str) -> HttpResponse:
    """Give a member another role."""
    membership = access.access_member(request.actor, member_id, write=True)
    form = RoleForm(request.POST)
    role = form.cleaned_data["role"] if form.is_valid() else ""
    try:
        members.change_role(membership=membership, role=role)
    except Refused as refused:
        return _page(request, InviteForm(), (membership, refused))
    messages.success(request, _("Role changed."))
    return redirect("accounts:people")


@owner_required
@require_POST
@reauthentication_required
def remove(request: Any, member_id: str) -> HttpResponse:
    """Remove a member."""
    membership = access.access_member(request.actor, member_id, write=True)
    try:
        members.remove_member(membership=membership)
    except Refused as refused:
        return _page(request, InviteForm(), (membership, refused))
    messages.success(request, _("Removed."))
    return redirect("accounts:people")


@member_required
@require_POST
def leave(request: Any) -> HttpResponse:
    """Leave the shop oneself."""
    name = request.merchant.name
    try:
        members.remove_member(membership=request.membership)
    except Refused as refused:
        return _page(request, InviteForm(), (request.membership, refused))
    request.session.pop(middleware.SESSION_KEY, None)
    messages.success(request, _("You left %(shop)s.") % {"shop": name})
    return redirect("front:home")


@require_GET
def invited(request: Any, secret: str) -> HttpResponse:
    """The mail's link. The secret leaves the address at once: it would stay in histories and logs."""
    request.session[INVITED] = str(invitations.find(secret).pk)
    return redirect("accounts:join")


@require_GET
def join(request: Any) -> HttpResponse:
    """Who invites, and what to do about it."""
    invitation = _remembered(request)
    context = {"invitation": invitation, "shop": invitation.merchant, "role": invitation.get_role_display()}
    return render(request, "accounts/join.html", context)


@person_required
@require_POST
def accept(request: Any) -> HttpResponse:
    """Join."""
    membership = invitations.accept(invitation=_remembered(request), user=request.user)
    request.session.pop(INVITED, None)
    request.session[middleware.SESSION_KEY] = str(membership.merchant_id)
    return redirect("front:home")


def _remembered(request: Any) -> Invitation:
    if not request.session.get(INVITED):
        raise NotHere(_("Open the link of your invitation again."))
    return invitations.find_again(request.session[INVITED])


__all__ = ["accept", "change_role", "invite", "invited", "join", "leave", "people", "remove", "withdraw"]
