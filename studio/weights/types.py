"""What the table of weights is made of: frozen dataclasses, no behaviour beyond looking things up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Setting = str | int | float | bool | None


class Task(StrEnum):
    """What a family of weights is for."""

    GENERATE = "generate"
    CONTROL = "control"
    SEGMENT = "segment"
    POSE = "pose"
    MODERATE = "moderate"
    CAPTION = "caption"


@dataclass(frozen=True)
class Licence:
    """Under what terms a family may be used.

    Attributes:
        name: SPDX identifier where one exists, else the licence's own name.
        url: where its text is.
        commercial: True when commercial use is allowed (``note`` holds the conditions).
        note: conditions in a sentence, empty when there are none beyond attribution.
    """

    name: str
    url: str
    commercial: bool
    note: str = ""


@dataclass(frozen=True)
class HubFile:
    """One file of a hub repository and where it goes.

    Attributes:
        path: its path in the repository at the source's revision.
        target: its path below the family's folder, in diffusers layout.
        size: bytes where known for certain, else None (the hub's own figure is checked while fetching).
        sha256: lower-case hex where published or cross-checked, else None: then the pinned commit and the hash that
            the hub states for that commit are what a download is held against.
    """

    path: str
    target: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class HubSource:
    """Files of one hub repository, pinned to a commit. ``licence`` is that repository's."""

    repo: str
    revision: str
    licence: Licence
    files: tuple[HubFile, ...]


@dataclass(frozen=True)
class BundledSource:
    """Weights that come with an installed Python package (found without importing it).

    Attributes:
        package: import name of the package.
        folder: folder below the package, POSIX style.
        hint: what to do when they are not there.
    """

    package: str
    folder: str
    hint: str


@dataclass(frozen=True)
class Component:
    """One part of a family: a sub-folder in diffusers layout, or a file.

    Attributes:
        name: sub-folder (``"unet"``) or a free name (``"checkpoint"``) when ``file`` is given.
        library: import name of the library that holds the class, ``""`` for a plain file.
        class_name: the class whose ``from_pretrained`` reads the folder, ``""`` for a plain file.
        weights: name of the safetensors file in the folder, ``""`` when the part has no tensors.
        file: path below the family's root when the part is one file, else ``""``.
        expects: values that ``config.json`` must hold for the weights to be of this family.
        sha256: of ``file``, where a bundled file's hash is published, else None.
    """

    name: str
    library: str = ""
    class_name: str = ""
    weights: str = ""
    file: str = ""
    expects: tuple[tuple[str, Setting], ...] = ()
    sha256: str | None = None


@dataclass(frozen=True)
class Pipelines:
    """Names of the diffusers pipelines for a family, and the arguments of their constructor beyond its components.

    ``inpaint`` takes every component but the ControlNet, ``control_inpaint`` takes all. The UNet has 9 input channels,
    so text-to-image is inpainting with everything masked.
    """

    inpaint: str
    control_inpaint: str
    arguments: tuple[tuple[str, Setting], ...] = ()


@dataclass(frozen=True)
class Defaults:
    """What a shoot uses when nobody says otherwise.

    Attributes:
        steps: denoising steps.
        guidance: classifier-free guidance scale.
        sampler: AUTOMATIC1111's name of the sampler (the diffusion room maps it to a diffusers scheduler).
    """

    steps: int
    guidance: float
    sampler: str


@dataclass(frozen=True)
class Family:
    """One row of the table.

    Attributes:
        name: what the command line calls it.
        title: one line for a person.
        tasks: what it can do.
        architecture: ``"sd"``, ``"sdxl"``, ``"sam"``, ``"mediapipe"``, ``"clip"`` or ``"blip"``.
        components: its parts, in the order in which they are checked.
        licence: the strictest of its parts.
        size: bytes on disk, rounded where the files' own sizes are not known for certain.
        least_gpu_gb: least GPU memory in GB for one picture at a native size, 0 when a CPU does.
        native_sizes: (width, height) in pixels it was trained on, the first is the default.
        hub: where it is fetched from, empty when bundled or only ever imported.
        bundled: where it is found when it comes with a package.
        defaults: only for families that generate.
        pipelines: only for families that generate.
        variant: what the architecture calls this size (``"vit_b"``), else ``""``.
        single_file: ((tensor name, shape), ...) that a single-file checkpoint of this family must hold.
        note: a sentence worth knowing before using it.
    """

    name: str
    title: str
    tasks: tuple[Task, ...]
    architecture: str
    components: tuple[Component, ...]
    licence: Licence
    size: int
    least_gpu_gb: float
    native_sizes: tuple[tuple[int, int], ...]
    hub: tuple[HubSource, ...] = ()
    bundled: BundledSource | None = None
    defaults: Defaults | None = None
    pipelines: Pipelines | None = None
    variant: str = ""
    single_file: tuple[tuple[str, tuple[int, ...]], ...] = ()
    note: str = ""

    def component(self, name: str) -> Component:
        """The part called ``name``; KeyError when the family has none."""
        for part in self.components:
            if part.name == name:
                return part
        raise KeyError(name)


@dataclass(frozen=True)
class StoredFile:
    """What the store wrote down about one file when it was published.

    ``mtime_ns`` lets a later start trust ``sha256`` without reading gigabytes again.
    """

    size: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True)
class LocatedWeights:
    """A family that is on this machine.

    Attributes:
        family: its row.
        root: folder that holds everything.
        components: part name to the part's folder (or file), in the family's order.
        origin: ``"bundled"``, ``"hub"`` or ``"import"``.
        files: path below ``root`` (POSIX style) to what was recorded when it was published; empty when bundled.
    """

    family: Family
    root: Path
    components: Mapping[str, Path]
    origin: str
    files: Mapping[str, StoredFile]
