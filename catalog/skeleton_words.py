"""The words of the skeleton editor: its scripts have none of their own."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """By the key that the island uses; ``joint-<n>`` are the 33 landmarks."""
    return {**_tools(), **_states(), **_happenings(), **{f"joint-{n}": name for n, name in enumerate(joint_names())}}


def crop_words() -> list[tuple[str, str]]:
    """The frames that a shoot can have, for the preview."""
    return [("head-to-toe", _("Head to toe")), ("knee-up", _("Knees up")), ("waist-up", _("Waist up"))]


def _tools() -> dict[str, str]:
    return {
        "tools": _("Tools"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "mirror": _("Mirror"),
        "reset": _("As it was seen"),
        "zoom-in": _("Closer"),
        "zoom-out": _("Farther"),
        "fit": _("Show all of it"),
        "limb": _("The limb follows"),
        "all": _("All 33 points"),
        "stage": _("Skeleton over the photo. Tab goes from joint to joint, the arrow keys move it."),
        "joint": _("Joint"),
        "choose-joint": _("Choose a joint"),
        "up": _("Up"),
        "down": _("Down"),
        "left": _("Left"),
        "right": _("Right"),
        "leave-out": _("Leave out"),
        "put-back": _("Put back in"),
        "back": _("Back to where it was seen"),
        "save": _("Save this pose"),
        "library": _("Take a pose"),
        "library-hint": _("It is put on the figure in the photo, in its own proportions."),
        "mirrored": _("Mirrored"),
        "keep-trunk": _("Keep shoulders and hips"),
        "own": _("Your own"),
        "preview": _("What the engine is given"),
        "crop": _("Frame"),
        "keep": _("Keep as a pose of mine"),
        "keep-name": _("Name of the pose"),
        "keep-do": _("Keep it"),
        "keys": _("Arrow keys move a joint, with Shift farther. Delete leaves it out. M mirrors. Ctrl+Z undoes."),
    }


def _states() -> dict[str, str]:
    return {
        "seen": _("seen"),
        "weak": _("badly seen"),
        "invented": _("guessed"),
        "placed": _("set by hand"),
        "out": _("left out"),
        "label": _("%(joint)s, %(state)s"),
        "label-sure": _("%(joint)s, %(state)s, %(percent)s sure"),
    }


def _happenings() -> dict[str, str]:
    return {
        "saved": _("Saved. Shoots of this photo stand like this from now on."),
        "kept": _("Kept among your poses."),
        "was-reset": _("The pose is again as it was seen."),
        "unsaved": _("Not saved yet"),
        "is-saved": _("Saved"),
        "as-seen": _("Nothing changed"),
        "not-loaded": _("The pose could not be loaded. Load the page again."),
        "restored": _("Your unsaved changes are back."),
        "conflict": _("Somebody has saved another pose for this photo since you began. Yours is kept on this device."),
        "keep-mine": _("Go on with mine"),
        "take-theirs": _("Take theirs"),
        "offline": _("No connection. Nothing is lost: try again when you are online."),
        "failed": _("That did not work. Try again."),
        "no-picture": _("No drawing right now."),
    }


def joint_names() -> list[str]:
    """In the order of ``studio.pose.types.J``; left and right are the subject's own."""
    return [
        _("Nose"), _("Left eye, inside"), _("Left eye"), _("Left eye, outside"), _("Right eye, inside"), _("Right eye"),
        _("Right eye, outside"), _("Left ear"), _("Right ear"), _("Mouth, left"), _("Mouth, right"),
        _("Left shoulder"), _("Right shoulder"), _("Left elbow"), _("Right elbow"), _("Left wrist"), _("Right wrist"),
        _("Left little finger"), _("Right little finger"), _("Left forefinger"), _("Right forefinger"),
        _("Left thumb"), _("Right thumb"), _("Left hip"), _("Right hip"), _("Left knee"), _("Right knee"),
        _("Left ankle"), _("Right ankle"), _("Left heel"), _("Right heel"), _("Left toes"), _("Right toes"),
    ]  # fmt: skip
