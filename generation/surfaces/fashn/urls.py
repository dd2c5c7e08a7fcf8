"""Addresses of FASHN's API, at the root of the host: its clients know no other place."""

from __future__ import annotations

from django.urls import path

from generation.surfaces.fashn import views

app_name = "fashn"
urlpatterns = [
    path("run", views.run, name="run"),
    path("status/<str:run_id>", views.status, name="status"),
    path("credits", views.balance, name="credits"),
]
