"""What a merchant does with shoots and pictures; each is one transaction."""

from __future__ import annotations

from generation.services.pictures import (
    change_picture,
    delete_pictures,
    purge_deleted,
    restore_pictures,
    review_pictures,
    set_favourite,
    tag_pictures,
    tag_with_words,
    untag_pictures,
)
from generation.services.redoing import redo
from generation.services.shoots import (
    cancel_shoot,
    do_again,
    order_expert,
    order_frozen,
    order_shoot,
    refuse_experts,
    replay,
    retry_shoot,
    vary,
)
from generation.services.uploads import store_mask, store_picture

__all__ = [
    "cancel_shoot",
    "change_picture",
    "delete_pictures",
    "do_again",
    "order_expert",
    "order_frozen",
    "order_shoot",
    "purge_deleted",
    "redo",
    "refuse_experts",
    "replay",
    "restore_pictures",
    "retry_shoot",
    "review_pictures",
    "set_favourite",
    "store_mask",
    "store_picture",
    "tag_pictures",
    "tag_with_words",
    "untag_pictures",
    "vary",
]
