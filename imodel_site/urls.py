"""Every address of the site; tests/permissions has a row for each."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import autodiscover_modules

from imodel_site import api, schema
from imodel_site.media import lasting, media

autodiscover_modules("api")  # each app's api.py registers its viewsets
urlpatterns = [
    path("", include("imodel_site.front")),
    path("", include("accounts.urls")),
    path("", include("generation.urls")),
    path("", include("selling.urls")),
    path("catalog/", include("catalog.urls")),
    path("training/", include("training.urls")),
    path("account/", include("allauth.urls")),
    path("staff/", admin.site.urls),
    path("api/v1/", include(api.urls())),
    path("", include("generation.surfaces.a1111.urls")),
    path("sam/", include("generation.surfaces.sam.urls")),
    path("v1/", include("generation.surfaces.fashn.urls")),
    path("api/schema", schema.schema, name="api-schema"),
    path("api/docs", schema.docs, name="api-docs"),
    path("", include("imodel_site.health")),
    path("", include("imodel_site.metrics.views")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("media/<str:token>", media, name="media"),
    path("media/of/<str:kind>/<uuid:row>/<str:variant>", lasting, name="media_of"),
    path("", include("imodel_site.pwa")),
]
handler400 = "imodel_site.refusals.bad_request"
handler403 = "imodel_site.refusals.forbidden"
handler404 = "imodel_site.refusals.not_here"
handler500 = "imodel_site.refusals.failed"
