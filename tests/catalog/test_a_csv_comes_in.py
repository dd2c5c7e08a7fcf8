"""CSV import: reading, mapping, running, going on after a loss, and hostile files."""

from __future__ import annotations

import csv
import io

import pytest
from django.utils import translation
from django.utils.translation import gettext

from catalog.csv_columns import map_columns, units
from catalog.feed_files import read_sheet
from catalog.feeds.texts import guess_encoding
from catalog.models import CatalogImport, Category, Garment, ImportRow
from catalog.services import importing
from catalog.services.importing import Choices
from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import Fetcher, is_public
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.work import LostLease
from imodel_site.lib.scope import merchant_scope
from imodel_site.lib.spreadsheets import guarded
from tests.catalog.pictures import jpeg, upload
from tests.lib.https_server import ADDRESS, certificate, plain_answer, serving

SHOPIFY = """Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,\
Option2 Name,Option2 Value,Variant SKU,Image Src,Image Position,Variant Image,Status
linen-shirt,Linen shirt,"<p>Soft, light</p>",V,Apparel & Accessories > Clothing > Shirts & Tops,Shirts,\
"summer, linen",true,Color,Sky blue,Size,S,'LS-1,https://{host}/b.jpg,2,,active
linen-shirt,,,,,,,,,Sky blue,,M,'LS-2,https://{host}/a.jpg,1,,
wool-coat,Wool coat,,,Coats,,winter,true,Size,S,,,WC-1,https://{host}/c.jpg,1,,draft
"""


def sheet(text: str, **choices: str):
    return read_sheet(text.encode(), **choices)


def refusal(call) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def test_shopifys_export_becomes_one_garment_for_each_handle():
    found = sheet(SHOPIFY.format(host="x.example"))
    shirt, coat = units(found, map_columns(found.heading))
    assert (shirt.name, shirt.sku, shirt.colour, shirt.status) == ("Linen shirt", "LS-1", "Sky blue", "active")
    assert (shirt.category, shirt.tags) == (Category.SHIRT, ("summer", "linen"))
    assert [url.rsplit("/", 1)[1] for _, url in shirt.images] == ["a.jpg", "b.jpg"], "by position, not by line"
    assert [line for line, _ in shirt.images] == [3, 2]
    assert (coat.line, coat.name, coat.category, coat.status) == (4, "Wool coat", "coat", "draft")
    assert not shirt.problems and not coat.problems


def test_a_plain_table_is_understood_with_several_photos():
    found = sheet("Name;Article;Colour;image;Image 2;Notes\nDress;D1;Rot;https://a/1.jpg;https://a/2.jpg;x\n")
    assert found.delimiter == ";"
    (dress,) = units(found, map_columns(found.heading))
    assert (dress.name, dress.sku, dress.colour, dress.category) == ("Dress", "D1", "Rot", "dress")
    assert [url for _, url in dress.images] == ["https://a/1.jpg", "https://a/2.jpg"]


def test_chinese_headings_are_understood():
    found = sheet("名称,货号,颜色,类目\n亚麻衬衫,A1,蓝色,衬衫\n")
    (shirt,) = units(found, map_columns(found.heading))
    assert (shirt.name, shirt.sku, shirt.colour, shirt.category) == ("亚麻衬衫", "A1", "蓝色", "shirt")


TEXTS = {
    "utf-8-sig": "name,colour\nCafé-Kleid,größer\n红裙,红色\n",
    "utf-16": "name,colour\nCafé,红色\n",
    "gb18030": "名称,颜色,备注\n亚麻衬衫,天蓝色,夏季新款\n羊毛大衣,驼色,冬季\n",
    "cp1252": "name,colour\nCafé-Kleid,größer\nÜberzug für Mäntel,grün\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_the_encoding_is_found_out(encoding):
    data = TEXTS[encoding].encode(encoding)
    assert guess_encoding(data) == encoding
    rows = list(csv.reader(io.StringIO(TEXTS[encoding])))
    found = read_sheet(data)
    assert [list(found.heading), *(list(row.cells) for row in found.rows)] == rows


def test_lines_are_counted_through_cells_of_several_lines_and_empty_ones():
    found = sheet('name,note\nA,"one\ntwo"\n\n,\nB,x\n')
    assert [(row.line, row.cells[0]) for row in found.rows] == [(2, "A"), (6, "B")]


HOSTILE = {
    "csv_empty": b"",
    "csv_not_text": b"name,sku\nA,B\nC\0,D\n",
    "csv_quotes": b'name,sku\nA,"B\nC,D\n',
    "csv_too_many_columns": b"name\n" + b"," * 1_000_000,
    "csv_too_large": b"name\n" + b"x" * (24 * 2**20),
    "csv_too_many_rows": b"name\n" + b"x\n" * 20_001,
    "csv_encoding": b"name\nA\n" + b"\xff\xfe\xff",
}


@pytest.mark.parametrize("code", HOSTILE)
def test_a_hostile_file_is_refused_by_name(code):
    chosen = {"encoding": "utf-8-sig"} if code == "csv_encoding" else {}
    error = refusal(lambda: read_sheet(HOSTILE[code], **chosen))
    assert error.code == code


@pytest.mark.parametrize(("code", "line"), [("csv_not_text", "3"), ("csv_quotes", "2"), ("csv_encoding", "3")])
def test_the_line_is_named(code, line):
    chosen = {"encoding": "utf-8-sig"} if code == "csv_encoding" else {}
    assert f"Line {line} " in str(refusal(lambda: read_sheet(HOSTILE[code], **chosen))).replace(":", " ")


def test_every_row_says_what_is_wrong_with_it_before_anything_runs():
    found = sheet(
        "name,sku,image\n,S1,\nCoat,S2,http://a/1.jpg\nShirt,S2,\nFine,S3,https://a/1.jpg\n" + f"Long,{'x' * 90},\n"
    )
    all_units = units(found, map_columns(found.heading))
    problems = [(p.line, p.field, p.code) for unit in all_units for p in unit.problems]
    assert problems == [
        (2, "name", "name_missing"),
        (3, "image", "url_invalid"),
        (4, "sku", "sku_twice"),
        (6, "sku", "sku_too_long"),
    ]
    assert [unit.fatal for unit in all_units] == [True, False, True, False, True]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_what_a_spreadsheet_would_run_is_guarded(cell):
    assert guarded(cell) == f"'{cell}" and guarded("a=b") == "a=b"


# --- the run -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), "shop.example")


@pytest.fixture
def shop(tls):
    """(host with port, a fetcher that reaches it): answers photos, and 404 for what is called missing."""

    def answer(line, head: bytes) -> None:
        name = head.split(b" ")[1]
        heads.append(name.decode())
        good = plain_answer(jpeg(len(name) + name[1] % 7 * 3)) if b"missing" not in name else None
        (good or plain_answer(b"", status="404 Not Found"))(line, head)

    heads: list[str] = []
    with serving(tls[0], answer) as (port, _):
        yield (
            f"shop.example:{port}",
            Fetcher((port,), lambda host, _: [ADDRESS], lambda a: a == ADDRESS or is_public(a), tls[1]),
            heads,
        )


def begin(merchant, text: str) -> CatalogImport:
    token = importing.keep_file(merchant=merchant, file=upload(text.encode(), "t.csv", "text/csv"))
    key, name = importing.kept_file(merchant=merchant, token=token)
    return importing.start(merchant=merchant, by=None, key=key, name=name, choices=Choices())


def claim(run: CatalogImport):
    work = claim_next("light", "test", models=[CatalogImport])
    assert work is not None and work.job.pk == run.pk
    return work


def carry_out(run: CatalogImport, fetcher: Fetcher, **values) -> None:
    with merchant_scope(run.merchant_id):
        importing.carry_out(claim(run), fetcher=fetcher, **values)
        run.refresh_from_db()


def test_an_import_makes_garments_with_their_photos_in_order(atelier, shop):
    host, fetcher, _ = shop
    run = begin(atelier, SHOPIFY.format(host=host))
    carry_out(run, fetcher)
    assert (run.status, run.rows_done, run.rows_total) == ("succeeded", 2, 2)
    shirt = Garment.objects.get(sku="LS-1")
    assert (shirt.name, shirt.status, shirt.photos.count()) == ("Linen shirt", "active", 2)
    assert [tag.name for tag in shirt.tags.order_by("id")] == ["summer", "linen"]
    assert importing.outcome(run) == importing.Outcome(created=2, updated=0, unchanged=0, failed=0, with_problems=0)


def test_the_same_file_again_updates_by_sku_and_makes_nothing_twice(atelier, shop):
    host, fetcher, _ = shop
    carry_out(begin(atelier, SHOPIFY.format(host=host)), fetcher)
    changed = SHOPIFY.format(host=host).replace("Linen shirt,", "Linen shirt II,")
    run = begin(atelier, changed)
    carry_out(run, fetcher)
    assert importing.outcome(run) == importing.Outcome(created=0, updated=1, unchanged=1, failed=0, with_problems=0)
    shirt = Garment.objects.get(sku="LS-1")
    assert (Garment.objects.count(), shirt.name, shirt.photos.count()) == (2, "Linen shirt II", 2)


def test_a_photo_that_is_not_there_leaves_its_garment_and_says_why(atelier, shop):
    host, fetcher, _ = shop
    text = f"name,sku,image,image 2\nCoat,C1,https://{host}/missing.jpg,https://{host}/c.jpg\n,,,\n,C2,,\n"
    run = begin(atelier, text)
    carry_out(run, fetcher)
    coat = Garment.objects.get()
    assert (coat.name, coat.photos.count()) == ("Coat", 1)
    rows = {row.line: (row.code, row.field) for row in importing.problem_rows(run)}
    assert rows == {2: ("url_status", "image"), 4: ("name_missing", "name")}
    assert importing.outcome(run) == importing.Outcome(created=1, updated=0, unchanged=0, failed=1, with_problems=1)


def test_a_worker_that_is_lost_halfway_costs_no_row_and_doubles_none(atelier, shop):
    """Rows without SKU: only the note in ImportRow can tell that they were made."""
    host, fetcher, heads = shop
    text = "name,image\n" + "".join(f"G{n},https://{host}/{n}.jpg\n" for n in range(6))
    run = begin(atelier, text)

    def resolver(name: str, port: int) -> list[str]:
        if len(heads) == 3:
            raise LostLease("killed in the middle of the fourth photo")
        return [ADDRESS]

    dying = Fetcher(fetcher.ports, resolver, fetcher.allowed, fetcher.trust)
    work = claim(run)
    with pytest.raises(LostLease):
        _dying(work, dying)
    assert Garment.objects.count() == 4 and ImportRow.objects.get(code="started").line == 5
    work.hand_back()
    carry_out(run, fetcher)
    assert run.status == "succeeded"
    assert sorted(Garment.objects.values_list("name", flat=True)) == [f"G{n}" for n in range(6)]
    assert {garment.photos.count() for garment in Garment.objects.all()} == {1}
    assert ImportRow.objects.count() == 6 and not ImportRow.objects.exclude(code="").exists()


def _dying(work, fetcher: Fetcher) -> None:
    """The resolver runs in a thread of its own, where it can not end the worker: look for its trace instead."""
    from imodel_site.lib import fetch

    original = fetch._in_time
    try:
        fetch._in_time = lambda call, seconds: call()
        importing.carry_out(work, fetcher=fetcher)
    finally:
        fetch._in_time = original


def test_after_its_slice_an_import_makes_way_and_goes_on_later(atelier, shop):
    _, fetcher, _ = shop
    run = begin(atelier, "name\nA\nB\nC\n")
    carry_out(run, fetcher, seconds=-1.0)
    assert (run.status, run.losses, Garment.objects.count()) == ("queued", 0, 0)
    carry_out(run, fetcher)
    assert (run.status, Garment.objects.count()) == ("succeeded", 3)


def test_a_preview_that_is_sent_twice_is_one_run(atelier):
    token = importing.keep_file(merchant=atelier, file=upload(b"name\nA\n", "t.csv", "text/csv"))
    key, name = importing.kept_file(merchant=atelier, token=token)
    runs = [importing.start(merchant=atelier, by=None, key=key, name=name, choices=Choices()).pk for _ in range(2)]
    assert len(set(runs)) == 1 and CatalogImport.objects.count() == 1


def test_the_pages_lead_from_the_file_to_its_problems(signed_in, cast):
    alice = signed_in("alice")
    data = b"name,sku\n=HYPERLINK(1),S1\n,S2\n"
    answer = alice.post("/catalog/import", {"file": upload(data, "=t.csv", "text/csv")})
    assert answer.status_code == 302
    page = alice.get(answer["Location"])
    assert page.status_code == 200 and b"There is no name." in page.content and b"HYPERLINK" in page.content
    started = alice.post(f"{answer['Location']}/start", {"c0": "name", "c1": "sku"})
    assert started.status_code == 302
    with merchant_scope(cast.atelier.pk):
        run = CatalogImport.objects.get()
        importing.carry_out(claim(run))
    result = alice.get(started["Location"])
    assert result.status_code == 200 and b"1 row with a problem" in result.content
    text = alice.get(f"{started['Location']}/problems.csv").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1][0] == "3"
    status = alice.get(f"{started['Location']}/status").json()
    assert (status["done"], status["status"]) == (True, "succeeded")


@pytest.mark.parametrize("data, words", [(b"name,sku\n", b"only a heading"), (b"name,sku\n,S1\n", b"No row can be")])
def test_a_table_without_a_garment_offers_no_import(signed_in, data, words):
    alice = signed_in("alice")
    answer = alice.post("/catalog/import", {"file": upload(data, "t.csv", "text/csv")})
    page = alice.get(answer["Location"])
    assert words in page.content and b"Import 0" not in page.content
    assert alice.post(f"{answer['Location']}/start", {"c0": "name", "c1": "sku"}).status_code == 422


def test_what_a_worker_wrote_is_read_in_the_readers_language(signed_in, cast):
    alice = signed_in("alice")
    data = b"name,sku\nCoat,S1\nDress,S1\n,S3\n"
    answer = alice.post("/catalog/import", {"file": upload(data, "t.csv", "text/csv")})
    started = alice.post(f"{answer['Location']}/start", {"c0": "name", "c1": "sku"})
    with merchant_scope(cast.atelier.pk):
        run = CatalogImport.objects.get()
        importing.carry_out(claim(run))
        twin = ImportRow.objects.get(line=3)
        assert (twin.problems, twin.message) == (
            [{"line": 3, "code": "sku_twice", "text": "Line %(line)s has the same SKU.", "params": {"line": 2}}],
            "Line 2 has the same SKU.",
        )
        with translation.override("zh-hans"):
            assert importing.words_of(twin) == gettext("Line %(line)s has the same SKU.") % {"line": 2} != twin.message
        ImportRow.objects.filter(line=4).update(problems=None)  # as an older version wrote it
    for language, words in (("en", "Line 2 has the same SKU."), ("zh-hans", "2")):
        alice.cookies["language"] = language
        page = alice.get(started["Location"]).content.decode()
        assert words in page and ("There is no name." in page) == (language == "en")
    assert "Line 2 has" not in page


def test_a_file_that_can_not_be_read_says_so_beside_its_field(signed_in):
    answer = signed_in("alice").post("/catalog/import", {"file": upload(HOSTILE["csv_quotes"], "t.csv", "text/csv")})
    assert answer.status_code == 422 and b"quotation mark" in answer.content
