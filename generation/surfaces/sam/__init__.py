"""sd-webui-segment-anything's ``/sam``."""
