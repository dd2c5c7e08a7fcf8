"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from training.views import adapters, archives, deleting, grids, sets, trainings

app_name = "training"
urlpatterns = [
    path("", trainings.index, name="trainings"),
    path("new", sets.new, name="new"),
    path("sets/import", archives.bring, name="archive_import"),
    path("sets/archives/<uuid:pk>/", archives.state, name="archive"),
    path("sets/archives/<uuid:pk>/progress", archives.archive_progress, name="archive_progress"),
    path("sets/<uuid:pk>/export", archives.export, name="archive_export"),
    path("sets/<uuid:pk>/", sets.training_set, name="set"),
    path("sets/<uuid:pk>/change", sets.change, name="set_change"),
    path("sets/<uuid:pk>/add", sets.add, name="set_add"),
    path("sets/<uuid:pk>/start", sets.start, name="set_start"),
    path("sets/<uuid:pk>/delete", sets.delete, name="set_delete"),
    path("sets/<uuid:pk>/progress", sets.set_progress, name="set_progress"),
    path("sets/<uuid:pk>/stream", sets.set_stream, name="set_stream"),
    path("grids/<uuid:pk>/", grids.comparison, name="comparison"),
    path("grids/<uuid:pk>/progress", grids.comparison_progress, name="comparison_progress"),
    path("grids/<uuid:pk>/stream", grids.comparison_stream, name="comparison_stream"),
    path("grids/<uuid:pk>/act", grids.act, name="comparison_act"),
    path("grids/<uuid:pk>/pick", grids.pick, name="comparison_pick"),
    path("adapters/upload", adapters.upload, name="upload"),
    path("adapters/uploads/<uuid:pk>/", adapters.upload_state, name="upload_state"),
    path("adapters/uploads/<uuid:pk>/progress", adapters.upload_progress, name="upload_progress"),
    path("adapters/uploads/<uuid:pk>/delete", deleting.upload, name="upload_delete"),
    path("adapters/versions/<uuid:pk>/delete", deleting.version, name="version_delete"),
    path("adapters/<uuid:pk>/", adapters.adapter, name="adapter"),
    path("adapters/<uuid:pk>/act", adapters.act, name="adapter_act"),
    path("adapters/<uuid:pk>/delete", deleting.adapter, name="adapter_delete"),
    path("<uuid:pk>/", trainings.training, name="training"),
    path("<uuid:pk>/live", trainings.live, name="live"),
    path("<uuid:pk>/progress", trainings.training_progress, name="training_progress"),
    path("<uuid:pk>/stream", trainings.training_stream, name="training_stream"),
    path("<uuid:pk>/act", trainings.act, name="act"),
    path("<uuid:pk>/choose", trainings.choose, name="choose"),
    path("<uuid:pk>/grid", trainings.grid, name="grid"),
    path("<uuid:pk>/delete", deleting.training, name="delete"),
]
