"""The automatic first look at pictures: diffusers' own safety checker when its weights are here, rules when not.

Importing this is cheap; cv2, torch and diffusers come with the first picture. See docs/moderation.md for what either
can see and what it can not.
"""

from studio.safety.choosing import bring_up
from studio.safety.types import Finding, Reason, SafetyChecker

__all__ = ["Finding", "Reason", "SafetyChecker", "bring_up"]
