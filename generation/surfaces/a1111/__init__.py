"""AUTOMATIC1111's ``/sdapi/v1``, its ``/internal`` progress, and sd-webui-controlnet's ``/controlnet``."""
