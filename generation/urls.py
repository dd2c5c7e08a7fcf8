"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from generation.views import history, ordering, pictures, shoots

app_name = "generation"
urlpatterns = [
    path("shoot/", ordering.new, name="new"),
    path("shoot/upload", ordering.upload, name="upload"),
    path("shoot/expert/", ordering.expert, name="expert"),
    path("shoots/", shoots.shoots, name="shoots"),
    path("shoots/<uuid:pk>/", shoots.shoot, name="shoot"),
    path("shoots/<uuid:pk>/progress", shoots.progress, name="shoot_progress"),
    path("shoots/<uuid:pk>/preview", shoots.preview, name="preview"),
    path("shoots/<uuid:pk>/cancel", shoots.cancel, name="cancel"),
    path("shoots/<uuid:pk>/retry", shoots.retry, name="retry"),
    path("shoots/<uuid:pk>/again", shoots.again, name="again"),
    path("pictures/", history.pictures, name="pictures"),
    path("pictures/bulk", history.bulk, name="bulk"),
    path("pictures/<uuid:pk>/", pictures.picture, name="picture"),
    path("pictures/<uuid:pk>/recipe.json", pictures.recipe, name="recipe"),
    path("pictures/<uuid:pk>/download/<str:suffix>", pictures.download, name="download"),
    path("pictures/<uuid:pk>/vary", pictures.vary, name="vary"),
    path("pictures/<uuid:pk>/replay", pictures.replay, name="replay"),
    path("pictures/<uuid:pk>/favourite", pictures.favourite, name="favourite"),
    path("pictures/<uuid:pk>/tag", pictures.tag, name="tag"),
    path("pictures/<uuid:pk>/delete", pictures.delete, name="delete"),
    path("pictures/<uuid:pk>/restore", pictures.restore, name="restore"),
]
