"""The words of the mask editor: its scripts have none of their own."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """By the key that frontend/src/mask uses."""
    return {**_tools(), **_parts(), **_edge(), **_states(), **_said(), **_keys(), **_openings()}


def _tools() -> dict[str, str]:
    return {
        "canvas": _("Photo. Click the garment to mark it."),
        "bar": _("Steps and view"),
        "tools": _("Tools"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "look": _("View"),
        "look_marked": _("Marked"),
        "look_alone": _("Cut out"),
        "look_photo": _("Photo"),
        "zoom_in": _("Closer"),
        "zoom_out": _("Farther"),
        "whole": _("Show all of it"),
        "tool_add": _("Add: click the garment, or drag a box around it"),
        "tool_add_short": _("Add"),
        "tool_remove": _("Remove: click what is not the garment"),
        "tool_remove_short": _("Remove"),
        "tool_brush": _("Brush: paint what was missed"),
        "tool_brush_short": _("Brush"),
        "tool_eraser": _("Eraser: rub out what is too much"),
        "tool_eraser_short": _("Eraser"),
        "tool_hand": _("Hand: move the photo"),
        "tool_hand_short": _("Move"),
        "brush_size": _("Size of the brush"),
        "help": _("Keyboard shortcuts"),
        "close": _("Close"),
    }


def _parts() -> dict[str, str]:
    return {
        "side": _("Parts and edge"),
        "parts": _("Parts"),
        "new_part": _("New part"),
        "next_part": _("The next click begins a part"),
        "proposals": _("Found by itself:"),
        "part_upper": _("Top"),
        "part_lower": _("Bottom"),
        "part_full": _("Whole outfit"),
        "part_person": _("Person"),
        "kind_found": _("Found by itself"),
        "kind_corrected": _("Found, then corrected"),
        "kind_saved": _("As it was saved"),
        "kind_clicked": _("Clicked"),
        "kind_box": _("From a box"),
        "kind_painted": _("Painted"),
        "takes_away": _("taken away"),
        "hide_part": _("Hide this part"),
        "show_part": _("Show this part"),
        "delete_part": _("Delete this part"),
        "clear": _("Start empty"),
        "candidates": _("How much was meant"),
        "candidate_0": _("Less"),
        "candidate_1": _("Medium"),
        "candidate_2": _("More"),
    }


def _edge() -> dict[str, str]:
    return {
        "edge": _("Edge"),
        "grow": _("Wider or narrower"),
        "feather": _("Soft edge"),
        "pixels": _("%(count)s px"),
        "fill_holes": _("Fill small holes"),
        "drop_specks": _("Drop specks"),
    }


def _states() -> dict[str, str]:
    return {
        "save": _("Save"),
        "saving": _("Saving"),
        "saved": _("Saved"),
        "saved_long": _("The mask is saved. Shoots of this photo keep exactly these pixels."),
        "waits": _("Kept here"),
        "waits_long": _("No connection. The mask is kept on this device and goes to your shop by itself."),
        "restored": _("Your unsaved changes are back."),
        "drop_mine": _("Drop them"),
        "conflict": _("Somebody has saved another mask for this photo meanwhile."),
        "keep_mine": _("Save mine instead"),
        "take_theirs": _("Take theirs"),
        "by_hand": _("Clicking does not work on this device at the moment. Brush and eraser do."),
        "getting_ready": _("Getting ready for clicks"),
        "begin": _("Click the garment, or drag a box around it."),
        "went_wrong": _("That did not work. What you have marked is kept; try again."),
        "on_device": _("Runs on this device, threads: %(threads)s"),
        "on_server": _("Runs on our server"),
        "pace": _("%(ms)s ms a click"),
        "source_server": _("The photo was prepared on our server."),
        "source_device": _("The photo was prepared on this device."),
        "source_wait": _("The photo was prepared on our server."),
    }


def _said() -> dict[str, str]:
    """For screen readers, after each thing that was done."""
    return {
        "said_marked": _("Garment marked, %(percent)s percent of the photo."),
        "said_removed": _("Taken away. The garment is %(percent)s percent of the photo."),
        "said_painted": _("Painted. The garment is %(percent)s percent of the photo."),
        "said_undone": _("Undone. The garment is %(percent)s percent of the photo."),
        "said_redone": _("Done again. The garment is %(percent)s percent of the photo."),
        "said_finished": _("Edge changed. The garment is %(percent)s percent of the photo."),
        "said_candidate": _("Another choice. The garment is %(percent)s percent of the photo."),
        "said_deleted": _("Deleted. The garment is %(percent)s percent of the photo."),
        "said_hidden": _("Part switched. The garment is %(percent)s percent of the photo."),
        "said_nothing": _("Nothing is marked there."),
    }


def _keys() -> dict[str, str]:
    return {
        "keys_hint": _(
            "Arrow keys move a cursor, Enter adds what is under it, Alt and Enter removes it. Shift and arrow keys "
            "move the photo, plus and minus zoom. Question mark shows all shortcuts."
        ),
        "smaller_brush": _("Smaller brush"),
        "larger_brush": _("Larger brush"),
        "opposite": _("While held: remove instead of add"),
        "zoom_keys": _("Closer, farther, all of it"),
        "move_cursor": _("Move the cursor"),
        "click_cursor": _("Add at the cursor"),
        "pan_keys": _("Move the photo"),
        "escape": _("Let go of a box or a stroke"),
    }


def _openings() -> dict[str, str]:
    return {
        "no_photo": _("The photo could not be opened"),
        "no_photo_long": _("Check your connection. What you have marked is kept on this device."),
        "again": _("Try again"),
        "drop": _("Drop a photo here, or choose one"),
        "go_on": _("Go on with %(name)s"),
        "photo_big": _("This file is larger than 25 MB. Make it smaller, then add it again."),
        "photo_type": _("This is not a JPEG, PNG or WebP picture."),
        "drop_long": _("You can mark the garment at once. The photo is uploaded when you save."),
    }
