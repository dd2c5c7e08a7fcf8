"""The labels a made picture carries, written once, last before storage, into every delivered variant.

``label()`` turns pixels into a finished PNG, JPEG or WebP; ``read_labels()`` reads them back from any file.
"""

from studio.provenance.files import MEDIA_TYPES, Format, label, read_labels
from studio.provenance.labels import Aigc, Labels, SourceType

__all__ = ["MEDIA_TYPES", "Aigc", "Format", "Labels", "SourceType", "label", "read_labels"]
