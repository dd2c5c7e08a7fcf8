"""Personas, scenes and poses over REST: the shared ones to read, one's own to make, change and delete."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models.moderation import Moderation
from accounts.once import takes_long
from catalog import traits
from catalog.access import access_library, access_pose
from catalog.forms import PersonaForm
from catalog.models import Persona, Pose, Scene
from catalog.services import libraries
from catalog.traits import Traits
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers, example, files_named
from imodel_site.lib.api_fields import Text

TITLE = "How it is called; 1 to 80 characters."


class ShelfFilters(serializers.Serializer[Any]):
    """What a list of a library can be narrowed to."""

    own = serializers.BooleanField(required=False, help_text="true for your own only, false for the shared ones.")


class LibrarySerializer(serializers.Serializer[Any]):
    """What personas, scenes and poses have in common."""

    id = serializers.UUIDField()
    name = serializers.CharField(help_text="A slug, unique in its library.")
    title = serializers.CharField(source="label", help_text="The name; that of a shared one is in your language.")
    own = serializers.SerializerMethodField(help_text="False for the library that everybody shares.")
    picture = serializers.SerializerMethodField(
        help_text="The address of a small picture; that of an own photo ends within five minutes."
    )
    moderation = serializers.SerializerMethodField(help_text="Of the own photo; null without one.")

    def get_own(self, row: Any) -> bool:
        """Whether it is the merchant's own."""
        return row.merchant_id is not None

    def get_picture(self, row: Any) -> str | None:
        """Of the photo, else the drawn one."""
        if row.asset_id:
            return self.context["bearers"].of(row.asset, ("small",)).get("small")
        return self.context["request"].build_absolute_uri(row.picture_url) if row.picture_url else None

    def get_moderation(self, row: Any) -> Moderation | None:
        """What staff or the automatic look said of it."""
        return row.asset.moderation if row.asset_id else None


class PersonaSerializer(LibrarySerializer):
    """Who wears the garment."""

    words = serializers.CharField(help_text="What a prompt says.")
    below = serializers.CharField(help_text="What goes below a top.")
    above = serializers.CharField(help_text="What goes above trousers or a skirt.")
    traits = serializers.DictField(
        child=serializers.CharField(allow_blank=True), help_text="The choices it is made of."
    )


class SceneSerializer(LibrarySerializer):
    """Where the picture is taken."""

    words = serializers.CharField(help_text="What a prompt says.")


class PoseSerializer(LibrarySerializer):
    """How the model stands."""

    ready = serializers.SerializerMethodField(help_text="False until its photo has been looked at.")

    def get_ready(self, row: Pose) -> bool:
        """Whether a shoot can use it."""
        return libraries.is_ready(row)


def _choice(table: Any, words: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=list(table), required=False, help_text=words)


class PersonaOrder(serializers.Serializer[Any]):
    """A persona from choices; what is left out of a new one is as the page preselects it."""

    title = Text(max_length=libraries.TITLE_LENGTH, help_text=TITLE)
    gender = _choice(traits.GENDERS, "Who.")
    age = _choice(traits.AGES, "Empty for an adult.")
    build = _choice(traits.BUILDS, "Empty for average.")
    skin = _choice(traits.SKINS, "Tone of the skin.")
    hair = _choice(traits.HAIRS, "Style of the hair.")
    hair_colour = _choice(traits.HAIR_COLOURS, "Colour of the hair.")
    below = _choice(traits.BELOWS, "What goes below a top.")
    above = _choice(traits.ABOVES, "What goes above trousers or a skirt.")


class SceneOrder(serializers.Serializer[Any]):
    """A scene from choices."""

    title = Text(max_length=libraries.TITLE_LENGTH, help_text=TITLE)
    place = serializers.ChoiceField(choices=list(traits.PLACES), help_text="Place, light and tone are set together.")
    light = _choice(traits.LIGHTS, "Empty for as it is.")
    tone = _choice(traits.TONES, "Empty for as it is.")


class NewScene(SceneOrder):
    """With a picture to know it by."""

    file = serializers.FileField(required=False, help_text="Only shown; the scene is painted from the choices.")


class NewPose(serializers.Serializer[Any]):
    """A pose from a photo of somebody who stands that way, or a copy of another one."""

    title = Text(max_length=libraries.TITLE_LENGTH, help_text=TITLE)
    file = serializers.FileField(required=False, help_text="A photo, head to toe (multipart/form-data).")
    copy_of = serializers.UUIDField(required=False, help_text="A pose to copy instead.")
    mirrored = serializers.BooleanField(required=False, help_text="The copy has left and right exchanged.")

    def validate(self, attrs: Any) -> Any:
        """One of the two."""
        if ("file" in attrs) == ("copy_of" in attrs):
            raise serializers.ValidationError({"file": _("Send either a file, or copy_of with a pose's id.")})
        return attrs


class PoseName(serializers.Serializer[Any]):
    """A pose's name is all that can be changed."""

    title = Text(max_length=libraries.TITLE_LENGTH, help_text=TITLE)


class Shelf(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """A library: what everybody shares, and one's own."""

    filters = ShelfFilters
    order: ClassVar[type[serializers.Serializer[Any]]]
    uploads = ("create",)

    def refine(self, rows: Any) -> Any:
        """Shared ones and the merchant's own; one of the two when asked."""
        own = self.wanted.get("own")
        rows = rows if own is None else rows.filter(merchant__isnull=not own)
        return rows.select_related("asset")

    @answers({204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete one of your own; pictures that were made with it are kept."""
        libraries.delete_own(row=self._mine(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _mine(self, pk: str) -> Any:
        return access_library(self.actor, self.model, pk, write=True)

    def _given(self, order: type[serializers.Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        form = order(data=self.request.data, partial=partial)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def _told(self, row: Any, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(row).data, status=code)


class Personas(Shelf):
    """Who wears the garment."""

    model = Persona
    serializer_class = PersonaSerializer

    @answers({201: PersonaSerializer}, takes=PersonaOrder, examples=[
        example("A persona", {"title": "Mira", "skin": "olive", "hair": "bob", "hair_colour": "black"}),
    ])  # fmt: skip
    def create(self, request: Request) -> Response:
        """Make a persona of your own."""
        given = {**PersonaForm.FIRST, **self._given(PersonaOrder)}
        return self._told(libraries.make_persona(merchant=self.actor.merchant, **_of_persona(given)), 201)

    @answers({200: PersonaSerializer}, takes=PersonaOrder)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a persona of your own; pictures that were made keep their recipe."""
        persona = self._mine(pk)
        there = {"title": persona.title, "below": persona.below, "above": persona.above, **persona.traits}
        given = {**PersonaForm.FIRST, **there, **self._given(PersonaOrder, partial=True)}
        return self._told(libraries.change_persona(persona=persona, **_of_persona(given)))


def _of_persona(given: dict[str, Any]) -> dict[str, Any]:
    """As the services take it."""
    chosen = {name: given[name] for name in Traits.__dataclass_fields__}
    return {**{name: given[name] for name in ("title", "below", "above")}, "traits": Traits(**chosen)}


class Scenes(Shelf):
    """Where the picture is taken."""

    model = Scene
    serializer_class = SceneSerializer

    @answers({201: SceneSerializer}, takes=NewScene, refuses=(503,), examples=[
        example("A scene", {"title": "Evening park", "place": "park", "light": "golden hour"}),
    ])  # fmt: skip
    @takes_long
    def create(self, request: Request) -> Response:
        """Make a scene of your own."""
        given = {"light": "", "tone": "", **self._given(NewScene)}
        with files_named("file"):
            return self._told(libraries.make_scene(merchant=self.actor.merchant, **given), 201)

    @answers({200: SceneSerializer}, takes=SceneOrder)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a scene of your own: its title, or place, light and tone together."""
        scene = self._mine(pk)
        given = {"title": scene.title, **self._given(SceneOrder, partial=True)}
        return self._told(libraries.change_scene(scene=scene, **given))


class Poses(Shelf):
    """How the model stands."""

    model = Pose
    serializer_class = PoseSerializer

    @answers({201: PoseSerializer}, takes=NewPose, refuses=(404, 503), examples=[
        example("A mirrored copy", {"title": "Walking left", "copy_of": "01a20613-63fd-7cbb-8c10-9d288b061a4a",
                                    "mirrored": True}),
    ])  # fmt: skip
    @takes_long
    def create(self, request: Request) -> Response:
        """Make a pose of your own, from a photo or as a copy.

        One from a photo can be used once `ready` is true, a few seconds later.
        """
        given, merchant = self._given(NewPose), self.actor.merchant
        if "file" in given:
            with files_named("file"):
                return self._told(libraries.make_pose(merchant=merchant, title=given["title"], file=given["file"]), 201)
        pose, mirrored = access_pose(self.actor, given["copy_of"], write=False), given.get("mirrored", False)
        copied = libraries.copy_pose(merchant=merchant, pose=pose, title=given["title"], mirrored=mirrored)
        return self._told(copied, 201)

    @answers({200: PoseSerializer}, takes=PoseName)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename a pose of your own."""
        pose = self._mine(pk)
        return self._told(
            libraries.rename_pose(pose=pose, **{"title": pose.title, **self._given(PoseName, partial=True)})
        )


register("personas", Personas)
register("scenes", Scenes)
register("poses", Poses)
