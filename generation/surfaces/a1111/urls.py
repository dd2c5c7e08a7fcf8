"""The addresses of the A1111 surface, at the host's root as its clients want them."""

from __future__ import annotations

from django.urls import path

from generation.surfaces.a1111 import control_views, views
from generation.surfaces.door import by_method

app_name = "a1111"
urlpatterns = [
    path("sdapi/v1/options", by_method(get=views.get_options, post=views.set_options), name="options"),
    path("sdapi/v1/txt2img", views.txt2img, name="txt2img"),
    path("sdapi/v1/img2img", views.img2img, name="img2img"),
    path("sdapi/v1/progress", views.progress_now, name="progress"),
    path("sdapi/v1/interrupt", views.interrupt, name="interrupt"),
    path("sdapi/v1/skip", views.skip, name="skip"),
    path("sdapi/v1/png-info", views.png_info, name="png-info"),
    path("sdapi/v1/extra-single-image", views.extra_single_image, name="extra-single-image"),
    path("sdapi/v1/extra-batch-images", views.extra_batch_images, name="extra-batch-images"),
    path("sdapi/v1/interrogate", views.interrogate, name="interrogate"),
    path("sdapi/v1/loras", views.loras, name="loras"),
    path("sdapi/v1/samplers", views.samplers, name="samplers"),
    path("sdapi/v1/schedulers", views.schedulers, name="schedulers"),
    path("sdapi/v1/sd-models", views.models, name="sd-models"),
    path("sdapi/v1/upscalers", views.upscalers, name="upscalers"),
    path("sdapi/v1/latent-upscale-modes", views.modes, name="latent-upscale-modes"),
    path("sdapi/v1/sd-vae", views.vaes, name="sd-vae"),
    path("sdapi/v1/prompt-styles", views.styles, name="prompt-styles"),
    path("sdapi/v1/face-restorers", views.restorers, name="face-restorers"),
    path("sdapi/v1/hypernetworks", views.hypernetworks, name="hypernetworks"),
    path("sdapi/v1/realesrgan-models", views.realesrgan, name="realesrgan-models"),
    path("sdapi/v1/embeddings", views.embeddings, name="embeddings"),
    path("sdapi/v1/scripts", views.scripts, name="scripts"),
    path("sdapi/v1/script-info", views.script_info, name="script-info"),
    path("sdapi/v1/memory", views.memory, name="memory"),
    path("sdapi/v1/cmd-flags", views.flags, name="cmd-flags"),
    path("sdapi/v1/extensions", views.extensions, name="extensions"),
    path("sdapi/v1/refresh-checkpoints", views.refresh, name="refresh-checkpoints"),
    path("sdapi/v1/refresh-vae", views.refresh, name="refresh-vae"),
    path("sdapi/v1/refresh-loras", views.refresh, name="refresh-loras"),
    path("sdapi/v1/refresh-embeddings", views.refresh, name="refresh-embeddings"),
    path("sdapi/v1/unload-checkpoint", views.refresh, name="unload-checkpoint"),
    path("sdapi/v1/reload-checkpoint", views.refresh, name="reload-checkpoint"),
    path("internal/progress", views.task_progress, name="task-progress"),
    path("internal/pending-tasks", views.pending_tasks, name="pending-tasks"),
    path("internal/pendingTasks", views.pending_tasks, name="pending-tasks-as-written"),
    path("controlnet/version", control_views.version, name="controlnet-version"),
    path("controlnet/model_list", control_views.model_list, name="controlnet-model_list"),
    path("controlnet/module_list", control_views.module_list, name="controlnet-module_list"),
    path("controlnet/control_types", control_views.control_types, name="controlnet-control_types"),
    path("controlnet/settings", control_views.settings, name="controlnet-settings"),
    path("controlnet/detect", control_views.detect, name="controlnet-detect"),
    path("controlnet/render_openpose_json", control_views.render_openpose_json, name="controlnet-render_openpose_json"),
]
