"""The files of evidence over moto's S3: looked at twice, by two at once, after a crash; kept, refused, removed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import boto3
import filetype
import pytest
from moto import mock_aws

from chalicelib.errors import NotAllowed, NotFound
from chalicelib.evidence import KINDS, MOST_FILES
from chalicelib.evidence_files import EvidenceFiles
from chalicelib.wiring import client
from tests.fakes import Clock, Died, FakeTable

BUCKET, FOLDER = "evidence", "f" * 32
# How files of each kind begin.
BEGINNINGS = {
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "image/gif": b"GIF89a",
    "video/mp4": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
    "video/quicktime": b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
    "video/webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm",
    "video/x-matroska": b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x88matroska",
    "application/pdf": b"%PDF-1.7",
}


class Desk:
    """Files over moto's S3 and a table in memory."""

    def __init__(self) -> None:
        self.s3: Any = boto3.client("s3", region_name="eu-west-2")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.table, self.clock, self.ids = FakeTable(), Clock(), iter(f"{number:032x}" for number in range(100))
        self.files = self.another()

    def another(self) -> EvidenceFiles:
        """Another process over the same bucket and table."""
        return EvidenceFiles(lambda: self.s3, BUCKET, self.table, self.clock, lambda: next(self.ids))  # type: ignore[arg-type]

    def put(self, id: str, body: bytes = BEGINNINGS["image/jpeg"], folder: str = FOLDER) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"{folder}/{id}", Body=body)

    def tag(self, id: str, value: str) -> None:
        tags = {"TagSet": [{"Key": "GuardDutyMalwareScanStatus", "Value": value}]}
        self.s3.put_object_tagging(Bucket=BUCKET, Key=f"{FOLDER}/{id}", Tagging=tags)

    def there(self) -> list[str]:
        found = self.s3.list_object_versions(Bucket=BUCKET)
        return [one["Key"] for one in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]

    def meanwhile(self, patch: pytest.MonkeyPatch, before: Callable[[], object], after: Callable[[], object]) -> None:
        """What others do just before and after the first bytes of a file are read."""
        read = self.files._kind

        def among_others(*where: str) -> str:
            before()
            found = read(*where)
            after()
            return found

        patch.setattr(self.files, "_kind", among_others)

    def look(self) -> dict[str, str]:
        return {file.id: file.kind or f"refused: {file.refused}" for file in self.files.look(FOLDER)}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with patch.dict("os.environ", {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}), mock_aws():
        yield Desk()


def test_an_invitation_is_for_one_new_file_of_a_sensible_size(desk: Desk) -> None:
    first, second = (desk.files.invite(FOLDER, "https://example.com/files?change=1") for _ in range(2))
    assert first.fields["key"] == f"{FOLDER}/{'0' * 32}" != second.fields["key"]
    assert first.fields["success_action_redirect"] == f"https://example.com/files?change=1&added={'0' * 32}"
    assert {"policy", "x-amz-signature", "Content-Type"} <= set(first.fields)


def test_addresses_name_the_region_and_carry_the_token_of_a_function(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3's general address would redirect the form for a young bucket, and a browser must not follow."""
    for name, value in (("AWS_DEFAULT_REGION", "eu-west-2"), ("AWS_SESSION_TOKEN", "token")):
        monkeypatch.setenv(name, value)
    s3 = client("s3")
    files = EvidenceFiles(lambda: s3, BUCKET, desk.table, desk.clock, lambda: "0" * 32)  # type: ignore[arg-type]
    invitation = files.invite(FOLDER, "https://example.com/files")
    assert invitation.url == f"https://{BUCKET}.s3.eu-west-2.amazonaws.com/"
    assert invitation.fields["x-amz-security-token"] == "token"
    assert invitation.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


def test_a_video_of_an_old_phone_is_a_video(desk: Desk) -> None:
    desk.put("a", b"\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x003gp4isom")
    assert desk.look() == {"a": "video/mp4"}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_what_a_file_is_its_first_bytes_say(desk: Desk, kind: str) -> None:
    desk.put("a", BEGINNINGS[kind] + bytes(10_000))
    assert desk.look() == {"a": kind}


def test_every_kind_has_a_word_and_an_ending_and_can_be_told() -> None:
    assert set(BEGINNINGS) | {kind for kind in KINDS if "document" in kind} == set(KINDS)
    assert set(KINDS) <= {known.MIME for known in filetype.TYPES}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"x", "kind"),
        (b"MZ\x90\x00", "kind"),
        (b"<html><script>", "kind"),
        (b"PK\x03\x04" + bytes(50), "kind"),
        (b"\x7fELF", "kind"),
        (b"<svg onload='x'>", "kind"),
    ],
)
def test_what_is_none_of_them_is_refused_and_gone(desk: Desk, body: bytes, why: str) -> None:
    desk.put("a", body)
    assert desk.look() == {"a": f"refused: {why}"}
    assert desk.there() == []
    assert desk.look() == {"a": f"refused: {why}"}  # and it is known why
    assert desk.files.kept(FOLDER) == []


def test_no_more_than_ten(desk: Desk) -> None:
    for number in range(MOST_FILES + 2):
        desk.put(f"{number:02}")
    found = desk.look()
    assert sum("refused" not in kind for kind in found.values()) == MOST_FILES
    assert found["11"] == "refused: too_many"
    assert len(desk.there()) == MOST_FILES
    desk.files.remove(FOLDER, "00")
    desk.put("12")
    assert desk.look()["12"] == "image/jpeg"


def nothing() -> None:
    pass


def test_two_that_look_at_once_see_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("a")
    desk.meanwhile(monkeypatch, lambda: desk.another().look(FOLDER), nothing)
    assert desk.look() == {"a": "image/jpeg"}
    assert len(desk.table.items) == 1


def test_two_that_look_at_once_at_what_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other has removed it before we can read it."""
    desk.put("a", b"MZ")
    desk.meanwhile(monkeypatch, lambda: desk.another().look(FOLDER), nothing)
    desk.look()
    assert desk.look() == {"a": "refused: kind"}
    assert desk.there() == []


@pytest.mark.parametrize("when", ["before it is read", "before it is noted"])
def test_a_file_that_is_removed_while_it_is_looked_at_is_no_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    desk.put("a")
    removed: Callable[[], object] = lambda: desk.another().remove(FOLDER, "a")  # noqa: E731
    moments = (removed, nothing) if when == "before it is read" else (nothing, removed)
    desk.meanwhile(monkeypatch, *moments)
    desk.look()
    assert desk.look() == {}


def test_what_is_put_over_a_file_meanwhile_does_not_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither here nor for the other who looks at the same time."""
    desk.put("a")
    desk.put("a", b"MZ")
    (file,) = desk.another().look(FOLDER)
    desk.tag("a", "THREATS_FOUND")  # what is on top
    assert (file.kind, desk.files.verdict(FOLDER, file)) == ("image/jpeg", "waiting")


def test_death_while_looking_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("good")
    desk.put("bad", b"MZ")
    with monkeypatch.context() as broken:
        broken.setattr(desk.files, "_remove_objects", _die)
        with pytest.raises(Died):
            desk.look()
    assert desk.look() == {"good": "image/jpeg", "bad": "refused: kind"}
    assert desk.there() == [f"{FOLDER}/good"]


def _die(*_: Any) -> None:
    raise Died


def test_nothing_that_is_put_over_a_file_counts(desk: Desk) -> None:
    """An invitation may be used again while it lasts, for something else."""
    desk.put("a")
    (file,) = desk.files.look(FOLDER)
    desk.tag("a", "NO_THREATS_FOUND")
    desk.put("a", b"MZ")
    assert desk.files.look(FOLDER) == [file]
    assert desk.files.verdict(FOLDER, file) == "clean"
    assert f"versionId={file.version}" in desk.files.show(FOLDER, "a")


def test_however_often_one_invitation_is_used_no_file_is_overlooked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 lists a thousand versions at a time; here two."""
    for id in ("a", "b", "b", "b", "b", "c"):
        desk.put(id, BEGINNINGS["application/pdf"] + bytes(len(desk.there())))
    few = partial(desk.s3.list_object_versions, MaxKeys=2)
    with monkeypatch.context() as listing:
        listing.setattr(desk.s3, "list_object_versions", few)
        for _ in range(2):
            assert [(file.id, file.bytes) for file in desk.files.look(FOLDER)] == [("a", 8), ("b", 9), ("c", 13)]
        desk.files.remove_all(FOLDER)
    assert desk.there() == []


@pytest.mark.parametrize(
    ("tag", "verdict"),
    [
        ("", "waiting"),
        ("THREATS_FOUND", "threat"),
        ("UNSUPPORTED", "not_scanned"),
        ("ACCESS_DENIED", "not_scanned"),
        ("FAILED", "not_scanned"),
    ],
)
def test_a_file_is_held_until_it_is_clean(desk: Desk, tag: str, verdict: str) -> None:
    desk.put("a")
    (file,) = desk.files.look(FOLDER)
    if tag:
        desk.tag("a", tag)
    assert desk.files.verdict(FOLDER, file) == verdict
    with pytest.raises(NotAllowed) as refused:
        desk.files.show(FOLDER, "a")
    assert refused.value.more == {"verdict": verdict}


def test_a_clean_file_is_shown_for_a_minute_as_what_it_is(desk: Desk) -> None:
    desk.put("a" * 32, BEGINNINGS["application/pdf"])
    desk.look()
    desk.tag("a" * 32, "NO_THREATS_FOUND")
    address = desk.files.show(FOLDER, "a" * 32)
    assert "X-Amz-Expires=60" in address
    assert "response-content-type=application%2Fpdf" in address
    assert "filename%3D%22evidence-aaaaaaaa.pdf%22" in address


@pytest.mark.parametrize("id", ["there is none", "refused"])
def test_what_is_not_kept_is_not_shown(desk: Desk, id: str) -> None:
    desk.put("refused", b"MZ")
    with pytest.raises(NotFound):
        desk.files.show(FOLDER, id)


def test_a_folder_is_removed_with_all_versions_and_another_stays(desk: Desk) -> None:
    for id in ("a", "a", "b"):
        desk.put(id)
    desk.look()
    desk.s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}/b")  # leaves a mark
    desk.put("never looked at")
    desk.put("a", folder=f"{FOLDER}x")
    for _ in range(2):
        desk.files.remove_all(FOLDER)
        assert desk.there() == [f"{FOLDER}x/a"]
        assert desk.table.items == {}


def test_files_are_listed_in_the_order_in_which_they_came(desk: Desk) -> None:
    for id in ("z", "b", "a"):
        desk.put(id)
        desk.look()
        desk.clock.now += timedelta(minutes=1)
    assert list(desk.look()) == ["z", "b", "a"]


def test_a_thousand_and_more_are_removed(desk: Desk) -> None:
    for number in range(1_001):
        desk.put(f"{number:04}", b"x")
    desk.files.remove_all(FOLDER)
    assert desk.there() == []


def test_a_removal_that_was_cut_off_leaves_no_ghost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("a")
    (file,) = desk.files.look(FOLDER)
    with monkeypatch.context() as broken:
        broken.setattr(desk.files, "_forget", _die)
        with pytest.raises(Died):
            desk.files.remove(FOLDER, "a")
    assert desk.files.verdict(FOLDER, file) == "waiting"
    assert desk.look() == {}
    assert desk.table.items == {}
