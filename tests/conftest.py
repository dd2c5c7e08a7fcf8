"""What every test shares: no network by accident, and no more threads than a small machine has."""

from __future__ import annotations

import os

# Before anything imports huggingface_hub or torch: both read these once, at import.
# A test that talks to its own hub stand-in sets HF_HUB_OFFLINE=0 in the child process it starts.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# mediapipe's GL and XNNPACK chatter hides what pytest has to say.
os.environ.setdefault("GLOG_minloglevel", "2")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
