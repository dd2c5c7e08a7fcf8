"""Addresses of the catalog."""

from __future__ import annotations

from django.urls import path

from catalog.views import cut_new, cutting, garments, imports, library, photos, skeletons

app_name = "catalog"
urlpatterns = [
    path("", garments.garments, name="garments"),
    path("new", garments.create, name="create"),
    path("upload", photos.upload, name="upload"),
    path("bulk", garments.bulk, name="bulk"),
    path("samples", garments.samples, name="samples"),
    path("garments/<str:garment_id>", garments.garment, name="garment"),
    path("garments/<str:garment_id>/edit", garments.edit, name="edit"),
    path("garments/<str:garment_id>/rename", garments.rename, name="rename"),
    path("garments/<str:garment_id>/status", garments.status, name="status"),
    path("garments/<str:garment_id>/delete", garments.delete, name="delete"),
    path("garments/<str:garment_id>/order", photos.reorder, name="reorder"),
    path("photos/<str:photo_id>", photos.status, name="photo_status"),
    path("photos/<str:photo_id>/view", photos.view, name="photo_view"),
    path("photos/<str:photo_id>/replace", photos.replace, name="photo_replace"),
    path("photos/<str:photo_id>/delete", photos.delete, name="photo_delete"),
    path("photos/<str:photo_id>/look", photos.look_again, name="photo_look"),
    path("photos/<str:photo_id>/skeleton", skeletons.skeleton, name="skeleton"),
    path("photos/<str:photo_id>/skeleton/state", skeletons.state, name="skeleton_state"),
    path("photos/<str:photo_id>/skeleton/save", skeletons.save, name="skeleton_save"),
    path("photos/<str:photo_id>/skeleton/reset", skeletons.reset, name="skeleton_reset"),
    path("photos/<str:photo_id>/skeleton/place", skeletons.place, name="skeleton_place"),
    path("photos/<str:photo_id>/skeleton/keep", skeletons.keep, name="skeleton_keep"),
    path("photos/<str:photo_id>/skeleton/control", skeletons.control, name="skeleton_control"),
    path("photos/<str:photo_id>/skeleton/layer", skeletons.layer, name="skeleton_layer"),
    path("cut/new", cut_new.page, name="cut_new"),
    path("photos/<str:photo_id>/cut", cutting.page, name="cut"),
    path("photos/<str:photo_id>/cut/state", cutting.state, name="cut_state"),
    path("photos/<str:photo_id>/cut/embedding", cutting.embedding, name="cut_embedding"),
    path("photos/<str:photo_id>/cut/decode", cutting.decode, name="cut_decode"),
    path("photos/<str:photo_id>/cut/save", cutting.save, name="cut_save"),
    path("photos/<str:photo_id>/cut/reset", cutting.reset, name="cut_reset"),
    path("decoders/<str:sha256>.onnx", cutting.decoder, name="decoder"),
    path("import", imports.upload, name="import"),
    path("import/<str:token>", imports.preview, name="import_preview"),
    path("import/<str:token>/start", imports.start, name="import_start"),
    path("imports/<str:import_id>", imports.result, name="import_result"),
    path("imports/<str:import_id>/status", imports.status, name="import_status"),
    path("imports/<str:import_id>/problems.csv", imports.problems, name="import_problems"),
    path("imports/<str:import_id>/cancel", imports.cancel, name="import_cancel"),
    path("library", library.library, name="library"),
    path("library/personas/new", library.new_persona, name="new_persona"),
    path("library/personas/<str:persona_id>", library.edit_persona, name="edit_persona"),
    path("library/scenes/new", library.new_scene, name="new_scene"),
    path("library/poses/new", library.new_pose, name="new_pose"),
    path("library/poses/<str:pose_id>/copy", library.copy_pose, name="copy_pose"),
    path("library/<str:shelf>", library.library, name="shelf"),
    path("library/<str:shelf>/<str:item_id>/delete", library.delete, name="library_delete"),
]
