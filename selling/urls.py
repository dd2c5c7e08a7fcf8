"""Addresses of the room; those under ``p/`` and ``feeds/`` are for everybody, and stay."""

from __future__ import annotations

from django.urls import path

from selling.views import feeds, pages, public

app_name = "selling"
urlpatterns = [
    path("shop/", pages.shop, name="shop"),
    path("shop/publish", pages.publish, name="publish"),
    path("shop/feeds", feeds.feeds, name="feeds"),
    path("shop/feeds/language", feeds.language, name="language"),
    path("shop/feeds/renew", feeds.renew, name="renew"),
    path("shop/feeds/<str:feed_name>", feeds.download, name="download"),
    path("shop/batches/<uuid:batch_id>/publish", pages.publish_batch, name="publish_batch"),
    path("shop/garments/<uuid:garment_id>/", pages.garment, name="garment"),
    path("shop/publications/<uuid:publication_id>/withdraw", pages.withdraw, name="withdraw"),
    path("shop/publications/<uuid:publication_id>/roll-back", pages.roll_back, name="roll_back"),
    path("p/<uuid:shop_id>/pictures.json", public.pictures_json, name="pictures_json"),
    path("p/<uuid:shop_id>/<uuid:garment_id>/<int:position>/<str:size>.<str:suffix>", public.picture, name="picture"),
    path("feeds/<uuid:shop_id>/<str:token>/<str:feed_name>", public.feed, name="feed"),
]
