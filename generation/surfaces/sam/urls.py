"""The addresses of the segmentation surface."""

from __future__ import annotations

from django.urls import path

from generation.surfaces.sam import views

app_name = "sam"
urlpatterns = [
    path("heartbeat", views.heartbeat, name="heartbeat"),
    path("sam-model", views.sam_model, name="sam-model"),
    path("sam-predict", views.sam_predict, name="sam-predict"),
    path("dilate-mask", views.dilate_mask, name="dilate-mask"),
    path("upload", views.upload, name="upload"),
    path("embedding/<str:photo_id>", views.embedding, name="embedding"),
    path("dino-predict", views.dino_predict, name="dino-predict"),
    path("controlnet-seg", views.semantic, name="controlnet-seg"),
    path("category-mask", views.semantic, name="category-mask"),
]
