"""Every family of weights in one table, nothing hidden.

Revisions are commits, so what is fetched can not change underneath us. ``sha256`` stands where a hash is published or
could be cross-checked: Meta publishes none for SAM, the three below agree across independent public manifests and with
the hub's own record; those of MediaPipe are in its wheel's RECORD. The files of sd15 and sdxl carry None: their hashes
stand only on the hub, which states them for the pinned commit, and fetching checks each file against that statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from studio.errors import InputError
from studio.weights.types import (
    BundledSource,
    Component,
    Defaults,
    Family,
    HubFile,
    HubSource,
    Licence,
    Pipelines,
    Task,
)

APACHE = Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", commercial=True)
OPENRAIL_M = Licence(
    "CreativeML-OpenRAIL-M",
    "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
    commercial=True,
    note="Commercial use is allowed under the use restrictions of its attachment A, which bind your users too.",
)
OPENRAIL_PP = Licence(
    "CreativeML-OpenRAIL++-M",
    "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
    commercial=True,
    note="Commercial use is allowed under the use restrictions of its attachment A, which bind your users too.",
)

DIFFUSION_WEIGHTS = "diffusion_pytorch_model.safetensors"
TEXT_WEIGHTS = "model.safetensors"

SD_PIPELINES = Pipelines(
    inpaint="StableDiffusionInpaintPipeline",
    control_inpaint="StableDiffusionControlNetInpaintPipeline",
    arguments=(("safety_checker", None), ("feature_extractor", None), ("requires_safety_checker", False)),
)
SDXL_PIPELINES = Pipelines(
    inpaint="StableDiffusionXLInpaintPipeline",
    control_inpaint="StableDiffusionXLControlNetInpaintPipeline",
    arguments=(("add_watermarker", False),),
)


def _diffusion_parts(*, text_width: int | None, encoders: int, scheduler: str) -> tuple[Component, ...]:
    """The parts of an inpainting latent diffusion family with a pose ControlNet; ``text_width`` None: any."""
    width: tuple[tuple[str, int], ...] = () if text_width is None else (("cross_attention_dim", text_width),)
    texts = [Component("text_encoder", "transformers", "CLIPTextModel", TEXT_WEIGHTS)]
    words = [Component("tokenizer", "transformers", "CLIPTokenizer")]
    if encoders == 2:
        texts.append(Component("text_encoder_2", "transformers", "CLIPTextModelWithProjection", TEXT_WEIGHTS))
        words.append(Component("tokenizer_2", "transformers", "CLIPTokenizer"))
    return (
        Component("vae", "diffusers", "AutoencoderKL", DIFFUSION_WEIGHTS, expects=(("latent_channels", 4),)),
        *texts,
        *words,
        Component("unet", "diffusers", "UNet2DConditionModel", DIFFUSION_WEIGHTS, expects=(("in_channels", 9), *width)),
        Component("controlnet", "diffusers", "ControlNetModel", DIFFUSION_WEIGHTS, expects=width),
        Component("scheduler", "diffusers", scheduler),
    )


def _same(*paths: str) -> tuple[HubFile, ...]:
    return tuple(HubFile(path, path) for path in paths)


def _fp16(folder: str, stem: str) -> tuple[HubFile, ...]:
    """A part's config and its half-precision weights, stored under the plain name so that no variant is ever asked."""
    return (
        HubFile(f"{folder}/config.json", f"{folder}/config.json"),
        HubFile(f"{folder}/{stem}.fp16.safetensors", f"{folder}/{stem}.safetensors"),
    )


def _tokenizer(folder: str) -> tuple[HubFile, ...]:
    names = ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
    return _same(*(f"{folder}/{name}" for name in names))


def _controlnet(weights: str) -> tuple[HubFile, ...]:
    return (
        HubFile("config.json", "controlnet/config.json"),
        HubFile(weights, f"controlnet/{DIFFUSION_WEIGHTS}"),
    )


MINI = Family(
    name="mini",
    title="Bundled preview engine, trained by us from nothing",
    tasks=(Task.GENERATE, Task.CONTROL),
    architecture="sd",
    components=_diffusion_parts(text_width=None, encoders=1, scheduler="DDIMScheduler"),
    licence=APACHE,
    size=40_000_000,
    least_gpu_gb=0.0,
    native_sizes=((128, 192),),
    bundled=BundledSource(
        "studio.mini",
        "weights",
        "Restore studio/mini/weights from the repository, or run `python -m studio.mini train`.",
    ),
    defaults=Defaults(steps=24, guidance=2.5, sampler="DDIM"),
    pipelines=SD_PIPELINES,
    note="Small pictures for a preview; it is not a stand-in for sd15 or sdxl.",
)

SD15 = Family(
    name="sd15",
    title="Stable Diffusion 1.5 inpainting with the openpose ControlNet 1.1",
    tasks=(Task.GENERATE, Task.CONTROL),
    architecture="sd",
    components=_diffusion_parts(text_width=768, encoders=1, scheduler="PNDMScheduler"),
    licence=OPENRAIL_M,
    size=2_860_000_000,
    least_gpu_gb=6.0,
    native_sizes=((512, 768), (512, 512), (768, 512)),
    hub=(
        HubSource(
            "stable-diffusion-v1-5/stable-diffusion-inpainting",
            "8a4288a76071f7280aedbdb3253bdb9e9d5d84bb",
            OPENRAIL_M,
            (
                *_same("model_index.json", "scheduler/scheduler_config.json"),
                *_tokenizer("tokenizer"),
                *_fp16("text_encoder", "model"),
                *_fp16("vae", "diffusion_pytorch_model"),
                *_fp16("unet", "diffusion_pytorch_model"),
            ),
        ),
        HubSource(
            "lllyasviel/control_v11p_sd15_openpose",
            "9ae9f970358db89e211b87c915f9535c6686d5ba",
            OPENRAIL_M,
            _controlnet("diffusion_pytorch_model.fp16.safetensors"),
        ),
    ),
    defaults=Defaults(steps=25, guidance=7.0, sampler="DPM++ 2M Karras"),
    pipelines=SD_PIPELINES,
    single_file=(
        ("model.diffusion_model.input_blocks.0.0.weight", (320, 9, 3, 3)),
        ("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", (320, 768)),
    ),
    note="Its safety checker is left out: moderation is the product's own.",
)

SDXL = Family(
    name="sdxl",
    title="Stable Diffusion XL inpainting 0.1 with an openpose ControlNet",
    tasks=(Task.GENERATE, Task.CONTROL),
    architecture="sdxl",
    components=_diffusion_parts(text_width=2048, encoders=2, scheduler="EulerDiscreteScheduler"),
    licence=OPENRAIL_PP,
    size=9_440_000_000,
    least_gpu_gb=12.0,
    native_sizes=((832, 1216), (1024, 1024), (768, 1344), (1216, 832)),
    hub=(
        HubSource(
            "diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
            "115134f363124c53c7d878647567d04daf26e41e",
            OPENRAIL_PP,
            (
                *_same("model_index.json", "scheduler/scheduler_config.json"),
                *_tokenizer("tokenizer"),
                *_tokenizer("tokenizer_2"),
                *_fp16("text_encoder", "model"),
                *_fp16("text_encoder_2", "model"),
                *_fp16("vae", "diffusion_pytorch_model"),
                *_fp16("unet", "diffusion_pytorch_model"),
            ),
        ),
        HubSource(
            "xinsir/controlnet-openpose-sdxl-1.0",
            "23f966cd5cfdd3f7729c903e243d87152162d2b7",
            APACHE,
            _controlnet(DIFFUSION_WEIGHTS),
        ),
    ),
    defaults=Defaults(steps=30, guidance=7.0, sampler="DPM++ 2M Karras"),
    pipelines=SDXL_PIPELINES,
    single_file=(
        ("model.diffusion_model.input_blocks.0.0.weight", (320, 9, 3, 3)),
        ("model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight", (640, 2048)),
    ),
    note="Its model card advises a denoising strength below 1; the VAE wants float32 or bfloat16.",
)


def _sam(variant: str, file: str, *, width: int, size: int, sha256: str, least_gpu_gb: float) -> Family:
    source = HubSource(
        "ybelkada/segment-anything",
        "7790786db131bcdc639f24a915d9f2c331d843ee",
        APACHE,
        (HubFile(f"checkpoints/{file}", "model.pth", size, sha256),),
    )
    return Family(
        name=f"sam_{variant}",
        title=f"Segment Anything, ViT-{variant[-1].upper()}",
        tasks=(Task.SEGMENT,),
        architecture="sam",
        components=(Component("checkpoint", file="model.pth"),),
        licence=APACHE,
        size=size,
        least_gpu_gb=least_gpu_gb,
        native_sizes=((1024, 1024),),
        hub=(source,),
        variant=variant,
        single_file=(("image_encoder.pos_embed", (1, 64, 64, width)),),
        note="A copy on the hub of Meta's own file; read only through torch.load(weights_only=True).",
    )


SAM_VIT_B = _sam(
    "vit_b",
    "sam_vit_b_01ec64.pth",
    width=768,
    size=375_042_383,
    sha256="ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    least_gpu_gb=4.0,
)
SAM_VIT_L = _sam(
    "vit_l",
    "sam_vit_l_0b3195.pth",
    width=1024,
    size=1_249_524_607,
    sha256="3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    least_gpu_gb=6.0,
)
SAM_VIT_H = _sam(
    "vit_h",
    "sam_vit_h_4b8939.pth",
    width=1280,
    size=2_564_550_879,
    sha256="a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    least_gpu_gb=8.0,
)

_MEDIAPIPE = BundledSource(
    "mediapipe",
    "modules",
    "Install mediapipe==0.10.21 (`make setup`): the last release whose wheel carries its models.",
)

MEDIAPIPE_POSE = Family(
    name="mediapipe_pose",
    title="MediaPipe Pose (BlazePose GHUM), 33 landmarks",
    tasks=(Task.POSE,),
    architecture="mediapipe",
    components=(
        Component(
            "detector",
            file="pose_detection/pose_detection.tflite",
            sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        ),
        Component(
            "landmarks",
            file="pose_landmark/pose_landmark_full.tflite",
            sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        ),
    ),
    licence=APACHE,
    size=2_959_046 + 6_440_512,
    least_gpu_gb=0.0,
    native_sizes=((256, 256),),
    bundled=_MEDIAPIPE,
    variant="full",
)

MEDIAPIPE_SELFIE = Family(
    name="mediapipe_selfie",
    title="MediaPipe Selfie Segmentation, a person mask",
    tasks=(Task.SEGMENT,),
    architecture="mediapipe",
    components=(
        Component(
            "general",
            file="selfie_segmentation/selfie_segmentation.tflite",
            sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        ),
        Component(
            "landscape",
            file="selfie_segmentation/selfie_segmentation_landscape.tflite",
            sha256="a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
        ),
    ),
    licence=APACHE,
    size=249_505 + 250_145,
    least_gpu_gb=0.0,
    native_sizes=((256, 256), (256, 144)),
    bundled=_MEDIAPIPE,
)

SAFETY_CHECKER = Family(
    name="safety_checker",
    title="Stable Diffusion's safety checker: CLIP ViT-L/14 and 20 concepts",
    tasks=(Task.MODERATE,),
    architecture="clip",
    components=(
        Component("safety_checker", "diffusers", "StableDiffusionSafetyChecker", TEXT_WEIGHTS),
        Component("feature_extractor", "transformers", "CLIPImageProcessor"),
    ),
    licence=OPENRAIL_M,
    size=608_000_000,
    least_gpu_gb=0.0,
    native_sizes=((224, 224),),
    hub=(
        HubSource(
            "stable-diffusion-v1-5/stable-diffusion-inpainting",
            "8a4288a76071f7280aedbdb3253bdb9e9d5d84bb",
            OPENRAIL_M,
            (*_same("feature_extractor/preprocessor_config.json"), *_fp16("safety_checker", "model")),
        ),
    ),
    note="Looks at uploads and results before staff do (docs/moderation.md); it never changes a picture.",
)

BSD_3 = Licence("BSD-3-Clause", "https://github.com/salesforce/BLIP/blob/main/LICENSE.txt", commercial=True)

CAPTIONER = Family(
    name="captioner",
    title="BLIP image captioning, base",
    tasks=(Task.CAPTION,),
    architecture="blip",
    components=(
        Component("model", "transformers", "BlipForConditionalGeneration", TEXT_WEIGHTS),
        Component("processor", "transformers", "BlipProcessor"),
    ),
    licence=BSD_3,
    size=990_000_000,
    least_gpu_gb=0.0,
    native_sizes=((384, 384),),
    note="Only imported: its publisher offers a pickle, which is never opened here (docs/dataset.md has the steps).",
)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            MINI,
            SD15,
            SDXL,
            SAM_VIT_B,
            SAM_VIT_L,
            SAM_VIT_H,
            MEDIAPIPE_POSE,
            MEDIAPIPE_SELFIE,
            SAFETY_CHECKER,
            CAPTIONER,
        )  # fmt: skip
    }
)


def find_family(name: str) -> Family:
    """The family called ``name``.

    Raises:
        InputError: ``unknown_weights``, with the names there are.
    """
    try:
        return FAMILIES[name]
    except KeyError:
        known = ", ".join(FAMILIES)
        raise InputError("unknown_weights", f"There are no weights called {name!r}. Choose one of: {known}.") from None
