"""What the studio refuses, in the reader's language: the studio itself speaks English only.

An English reader gets the studio's own sentence, which has the numbers of this very file in it. Everybody else gets
the sentence below with the same code; where the studio's has no numbers the English here is the studio's, word for
word (a test compares them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

_PICTURES: Mapping[str, Any] = {
    "not_found": lazy("This file is not there any more. Choose it again."),
    "unreadable": lazy("This file can not be read. Choose it again."),
    "empty": lazy("This file has no content. Export or download it again."),
    "file_too_large": lazy("This file is larger than 25 MB. Make it smaller, then add it again."),
    "format_unsupported": lazy("This is not a JPEG, PNG or WebP picture, whatever its name says."),
    "heic_unsupported": lazy("This is a HEIC picture. Convert it to JPEG (or PNG, WebP) and try again."),
    "animated": lazy("This picture is animated. Save one frame of it as JPEG, PNG or WebP and try again."),
    "too_small": lazy("The picture is too small; each side needs at least 64 px."),
    "too_large": lazy(
        "The picture is too large; at most 12,000 px a side and 40 megapixels can be taken. Make it smaller."
    ),
    "damaged": lazy("This file is damaged. Export or download it again."),
    "too_costly": lazy("Reading this picture takes too long or too much memory. Save it smaller."),
}
_EXPERT: Mapping[str, Any] = {
    "prompt_invalid": lazy("A prompt is text of at most 20,000 characters."),
    "seed_out_of_range": lazy("A seed is a whole number from 0 to 4294967295, or -1 to draw one."),
    "batch_out_of_range": lazy("That is too many pictures at once, or none. Lower the batch or the iterations."),
    "steps_out_of_range": lazy("Steps go from 1 to 150."),
    "steps_too_few": lazy("Less than one step is left at this strength. Raise the steps or the strength."),
    "guidance_out_of_range": lazy("The guidance scale goes from 0 to 30."),
    "size_invalid": lazy("The engine can not paint this size. Choose another width or height."),
    "strength_out_of_range": lazy("The denoising strength is above 0 and at most 1."),
    "clip_skip_out_of_range": lazy("CLIP skip goes from 1 to 12."),
    "image_invalid": lazy("This picture can not be used. Choose another one."),
    "image_missing": lazy("This needs a picture to start from. Add one."),
    "mask_option_out_of_range": lazy("An option of the mask is out of range. Check blur and padding."),
    "control_unknown": lazy("These weights have no such control. Choose another one."),
    "control_out_of_range": lazy("A control's weight is 0 to 2, and it starts before it ends."),
    "adapter_out_of_range": lazy("At most 8 adapters, each with a weight from -4 to 4."),
    "not_supported_by_engine": lazy("This engine does not take that. Choose other weights."),
    "unknown_sampler": lazy("There is no such sampler. Choose one of those that are offered."),
    "unknown_scheduler": lazy("There is no such scheduler. Choose one of those that are offered."),
    "sampler_schedule_mismatch": lazy("This sampler brings its own scheduler. Leave the scheduler open."),
}
_TRAINING: Mapping[str, Any] = {
    "adapter_missing": lazy("The adapter is not there any more. Choose another one."),
    "recipe_adapter_missing": lazy("The adapter that this picture was made with is not there any more."),
    "worn_invalid": lazy("The garment's words are too long, or missing."),
    "plan_field_invalid": lazy("A value of the training is out of its range. Choose another one."),
    "plan_field_unknown": lazy("The training has no such field."),
    "grid_axes_invalid": lazy("A grid has one to three axes, each of another setting."),
    "grid_axis_unknown": lazy("There is no such axis. Choose one of those that are offered."),
    "grid_axis_empty": lazy("Each axis needs values, each of them once."),
    "grid_too_large": lazy("That is too many pictures for one grid. Take fewer values."),
    "grid_checkpoint_unknown": lazy("There is no such checkpoint in this training."),
    "pickle_refused": lazy("This file can run code when it is opened, so it is not taken. Convert it to safetensors."),
    "safetensors_invalid": lazy("This file is damaged, or no safetensors file. Get it again from where it came from."),
    "safetensors_limit": lazy("This file is larger, or holds something else, than an adapter may. It is not taken."),
    "safetensors_not_finite": lazy("This file holds numbers that are none. Ask its maker for another one."),
}
_PROMPTS: Mapping[str, Any] = {
    "prompt_missing": lazy("Nothing says what to cut out: give a point, a box or a mask."),
    "points_invalid": lazy("There are too many points, or one lies outside of the photo."),
    "labels_invalid": lazy("Give one label for each point: 1 adds, 0 removes."),
    "boxes_invalid": lazy("A box is x0, y0, x1, y1 with x0 < x1 and y0 < y1."),
    "mask_input_invalid": lazy("A mask to refine is one plane of finite logits, 256x256."),
}
SENTENCES: Mapping[str, Any] = {
    **{f"{noun}_{code}": words for noun in ("photo", "mask") for code, words in _PICTURES.items()},
    "mask_wrong_size": lazy("The mask does not have the photo's size. Draw it over this very photo."),
    "mask_empty": lazy("The mask marks no pixel as garment: paint the garment white and try again."),
    "decoder_failed": lazy("The picture could not be opened on our side. Try again in a minute."),
    "photo_missing": lazy("This kind of shoot starts from a photo of the garment; give one, or use the text kind."),
    "pose_needed": lazy("A pose change needs a pose: choose one of the pose library's names."),
    "garment_unknown": lazy("There is no such part. Choose one of those that are offered."),
    "garment_not_found": lazy("No garment was found in this photo: mark it with a click or a mask."),
    "garment_part_missing": lazy("No such garment was found in this photo. Choose another part, or add a mask."),
    "garment_out_of_frame": lazy("The garment lies outside of the asked crop; choose another crop."),
    "count_out_of_range": lazy("That is too many pictures, or none. Choose another number."),
    "size_out_of_range": lazy("Pictures are 2:3; choose one of the sizes that are offered."),
    "crop_unknown": lazy("There is no such crop. Choose one of those that are offered."),
    "persona_unknown": lazy("There is no such model. Choose one of those that are offered."),
    "scene_unknown": lazy("There is no such scene. Choose one of those that are offered."),
    "pose_unknown": lazy("There is no such pose. Choose one of those that are offered."),
    "order_persona_invalid": lazy("This model can not be used. Check what is written of it, or choose another one."),
    "order_scene_invalid": lazy("This scene can not be used. Check what is written of it, or choose another one."),
    "order_pose_invalid": lazy("This pose can not be used. Choose another one, or another photo for it."),
    "skeleton_not_finite": lazy("The skeleton has a coordinate that is not a finite number."),
    "skeleton_too_small": lazy("Fewer than two joints are known; fit the pose to the garment's mask."),
    "canvas_too_large": lazy("The pose asks for a canvas eight times the picture; check the landmarks."),
    "recipe_unreadable": lazy("A recipe is an object, as a shoot writes it."),
    "recipe_format_unknown": lazy("The recipe has a format that this version can not read."),
    "recipe_incomplete": lazy("The recipe lacks or garbles a field; it can not be replayed."),
    "recipe_photo_differs": lazy("The recipe was made from another photo; give the photo it was made from."),
    "recipe_weights_differ": lazy(
        "The weights are not those the picture was made with, so a replay would not give the same bytes."
    ),
    "recipe_versions_differ": lazy(
        "The versions are not those the picture was made with, so a replay would not give the same bytes."
    ),
    "recipe_table_differs": lazy("The photo is now read differently, so the same bytes can not be made again."),
    **_EXPERT,
    **_TRAINING,
    **_PROMPTS,
    "out_of_memory": lazy("The studio ran out of memory. Order fewer pictures at once, or try again."),
}

# Why a part of the report was not measured; the report keeps the English sentence and no code.
_NOT_MEASURED = (
    lazy("No pose was asked for."),
    lazy("The pose was not looked for in this picture."),
    lazy("No person could be made out in the picture, so the pose was not compared."),
    lazy("Too little of the asked pose lies in the picture to compare it."),
    lazy("No garment was marked, so there is none to compare."),
    lazy("There is no photo to compare with."),
    lazy("The garment is too thin to keep any of its own pixels."),
    lazy("The garment and its surroundings have nearly the same colour, so its outline can't be told."),
    lazy("The garment fills the picture, so its outline can't be told."),
    lazy("The garment was kept up to its very edge; no repainted cloth is left to compare."),
)

# What the report found, by its codes; {limb} is filled in where the studio's sentence names one.
REASONS: Mapping[str, Any] = {
    "garment_changed": lazy("Some of the garment's pixels were changed."),
    "garment_untouched": lazy("The garment's pixels are untouched."),
    "garment_mostly_repainted": lazy(
        "Only a part of the garment could be kept from the photo; the rest was repainted."
    ),
    "seam_glaring": lazy("The garment's edge has plainly another colour than its middle."),
    "seam_visible": lazy("A seam may show along the garment's edge."),
    "seam_clean": lazy("No seam shows along the garment's edge."),
    "pose_different": lazy("The model stands differently from what was asked."),
    "pose_off": lazy("The model's pose is partly off."),
    "pose_followed": lazy("The model's pose is the one that was asked for."),
    "limb_missing": lazy("Looks wrong or is missing: {limb}."),
    "limb_extra": lazy("There may be one too many: {limb}."),
    "limbs_complete": lazy("No limb is missing and none too many, as far as can be told."),
    "extra_limbs_not_looked_for": lazy("Too little skin is in view to look for limbs too many."),
    "sleeve_changed": lazy("The sleeves are not as long as in the photo."),
    "hem_changed": lazy("The hem is not where it is in the photo."),
    "outline_changed": lazy("The garment's outline looks different from the photo's."),
    "outline_kept": lazy("The garment keeps its outline."),
    "nothing_measured": lazy("There was nothing to measure this picture by."),
}


def found_reason(code: str, message: str, limbs: Mapping[str, Any]) -> str:
    """One finding of the report, in the reader's language; ``limbs`` are the words for the limbs it may name."""
    if in_english() or code not in REASONS:
        return not_measured(message)
    named = max((name for name in limbs if f" {name} " in f" {message} "), key=len, default="")
    return str(REASONS[code]).format(limb=limbs.get(named, ""))


def in_english() -> bool:
    """True while the reader's language is English, or there is no reader (a worker)."""
    return (get_language() or "en").startswith("en")


def sentence(code: str, message: str) -> str:
    """What the studio said, in the reader's language; its own words where the table has none."""
    return message if in_english() else str(SENTENCES.get(code) or message)


def not_measured(reason: str) -> str:
    """A report's reason for a missing part, in the reader's language."""
    return _(reason) if reason else ""
