"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from generation.moderation import shop_views
from generation.moderation import views as staff
from generation.views import batch_orders, batches, history, ordering, pictures, second_look, shoots, streams

app_name = "generation"
urlpatterns = [
    path("shoot/", ordering.new, name="new"),
    path("shoot/upload", ordering.upload, name="upload"),
    path("shoot/expert/", ordering.expert, name="expert"),
    path("shoots/", shoots.shoots, name="shoots"),
    path("shoots/running", shoots.running, name="running"),
    path("shoots/<uuid:pk>/", shoots.shoot, name="shoot"),
    path("shoots/<uuid:pk>/progress", shoots.progress, name="shoot_progress"),
    path("shoots/<uuid:pk>/stream", streams.shoot, name="shoot_stream"),
    path("shoots/<uuid:pk>/preview", shoots.preview, name="preview"),
    path("shoots/<uuid:pk>/cancel", shoots.cancel, name="cancel"),
    path("shoots/<uuid:pk>/retry", shoots.retry, name="retry"),
    path("shoots/<uuid:pk>/again", shoots.again, name="again"),
    path("pictures/", history.pictures, name="pictures"),
    path("pictures/feed", history.feed, name="feed"),
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
    path("batches/", batches.batches, name="batches"),
    path("batches/new", batch_orders.new, name="batch_new"),
    path("batches/price", batch_orders.price, name="batch_price"),
    path("batches/<uuid:pk>/", batches.batch, name="batch"),
    path("batches/<uuid:pk>/progress", batches.progress, name="batch_progress"),
    path("batches/<uuid:pk>/stream", streams.batch, name="batch_stream"),
    path("batches/<uuid:pk>/cells", batches.cells, name="batch_cells"),
    path("batches/<uuid:pk>/act", batches.act, name="batch_act"),
    path("batches/<uuid:pk>/review", batches.review, name="batch_review"),
    path("batches/<uuid:pk>/pictures.zip", batches.archive, name="batch_zip"),
    path("moderation/<str:subject>/<uuid:pk>/second-look", second_look.second_look, name="second_look"),
    path("staff/moderation/", staff.queue_page, name="queue"),
    path("staff/moderation/bulk", staff.bulk, name="queue_bulk"),
    path("staff/moderation/open", staff.open_case, name="queue_open"),
    path("staff/moderation/<uuid:pk>/", staff.case_page, name="case"),
    path("staff/moderation/<uuid:pk>/decide", staff.decide, name="decide"),
    path("staff/moderation/<uuid:pk>/undo", staff.undo, name="undo_decision"),
    path("staff/moderation/<uuid:pk>/file/<str:size>", staff.file, name="case_file"),
    path("staff/shops/<uuid:pk>/", shop_views.shop, name="staff_shop"),
    path("staff/shops/<uuid:pk>/suspend", shop_views.suspend, name="suspend"),
    path("staff/shops/<uuid:pk>/reopen", shop_views.reopen, name="reopen"),
    path("staff/shops/<uuid:pk>/grant", shop_views.grant, name="grant"),
    path("staff/shops/<uuid:pk>/plan", shop_views.change_plan, name="change_plan"),
]
