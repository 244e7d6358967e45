"""Files through the pages of drafts and reports, by a browser without JavaScript, and to an officer."""

import re

import pytest
import requests
from conftest import Runner
from test_status_pages import look, reported
from users import Officer
from visitor import Visitor

from chalicelib.evidence import LARGEST, MOST_FILES

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(400)
PDF = b"%PDF-1.7\n" + bytes(400)
EICAR = JPEG + rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PROGRAM = b"MZ\x90\x00" + bytes(400)


@pytest.fixture
def visitor(stack: Runner) -> Visitor:
    return Visitor(stack)


@pytest.fixture
def officer(stack: Runner) -> Officer:
    return Officer(stack)


def upload(visitor: Visitor, body: bytes, name: str = "holiday.jpg", **changed: str) -> requests.Response:
    """Send a file by the form of the page, as a browser does, and follow where S3 leads."""
    form = re.search(r'<form action="(http[^"]+)" method="post" enctype(.*?)</form>', visitor.page.text, re.DOTALL)
    assert form, visitor.words
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2]))
    fields = {name: value.replace("&amp;", "&") for name, value in (fields | changed).items()}
    sent = requests.post(form[1], data=fields, files={"file": (name, body, "image/jpeg")}, allow_redirects=False,
                         timeout=60)  # fmt: skip
    if sent.status_code == 303:
        visitor.open(sent.headers["Location"])
    return sent


def at_files(visitor: Visitor, category: str = "theft") -> Visitor:
    return visitor.begin(category).go_on("files")


def test_files_are_added_listed_and_removed(visitor: Visitor) -> None:
    at_files(visitor)
    assert "Continue without files" in visitor.words
    upload(visitor, JPEG)
    assert visitor.page.status_code == 200
    assert "Your file has arrived" in visitor.words
    assert re.search(r"Photo, 1 KB, added at \d+:\d\d", visitor.words)
    assert "holiday" not in visitor.page.text
    assert re.fullmatch(r".*/files\?added=[0-9a-f]{32}", visitor.page.url)  # nothing of the bucket stays in the address
    upload(visitor, PDF, "statement.docx")
    assert visitor.page.text.count("listed__words") == 2
    visitor.send(to="/remove")  # the last
    assert visitor.page.text.count("listed__words") == 1
    visitor.go_on("check")
    assert re.search("Files (Photo|Document), 1 KB", visitor.words)


def test_the_form_may_send_to_the_bucket_and_only_this_page_has_a_script(visitor: Visitor) -> None:
    page = at_files(visitor).page
    bucket = re.search(r'<form action="(http://[^/]+)', page.text)
    assert bucket and f"form-action 'self' {bucket[1]}" in page.headers["Content-Security-Policy"]
    assert page.headers["Content-Security-Policy"].endswith("script-src 'self'")
    assert "script-src" not in visitor.open(f"/drafts/{visitor.draft}/check").headers["Content-Security-Policy"]


def test_files_go_with_the_report_to_the_officer(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    at_files(visitor)
    upload(visitor, JPEG)
    visitor.go_on("check")
    stack.advance(2)
    visitor.send(declaration="yes")
    stack.idle()
    (file,) = officer.read(visitor.step)["evidence"]
    assert (file["kind"], file["bytes"], file["verdict"]) == ("image/jpeg", len(JPEG), "clean")
    answer = officer.get(f"/triage/{visitor.step}/evidence/{file['id']}")
    assert answer.content == JPEG
    assert answer.headers["Content-Disposition"] == f'attachment; filename="evidence-{file["id"][:8]}.jpg"'
    assert answer.headers["Content-Type"] == "image/jpeg"


def test_malware_is_held_back(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    at_files(visitor)
    upload(visitor, EICAR)
    visitor.go_on("check")
    stack.advance(2)
    visitor.send(declaration="yes")
    stack.idle()
    (file,) = officer.read(visitor.step)["evidence"]
    assert file["verdict"] == "threat"
    refused = officer.get(f"/triage/{visitor.step}/evidence/{file['id']}")
    assert (refused.status_code, refused.json()["verdict"]) == (409, "threat")
    assert "held back" in refused.json()["detail"]


@pytest.mark.parametrize("role", ["", "analyst"])
def test_only_officers_open_a_file(stack: Runner, role: str) -> None:
    headers = {"Authorization": f"Bearer {stack.token(role)}"} if role else {}
    address = f"{stack.url}/triage/{reported(stack)}/evidence/{'0' * 32}"
    assert requests.get(address, headers=headers, timeout=30).status_code == (403 if role else 401)


@pytest.mark.parametrize("file", ["0" * 32, "x", "%00"])
def test_files_that_there_are_not(stack: Runner, officer: Officer, file: str) -> None:
    assert officer.get(f"/triage/{reported(stack)}/evidence/{file}").status_code == 404


@pytest.mark.parametrize(("body", "name"), [(PROGRAM, "holiday.jpg"), (b"<html><script>", "a.png"), (b"x", "a.pdf")])
def test_a_file_that_lies_about_its_type_is_refused_in_words(visitor: Visitor, body: bytes, name: str) -> None:
    at_files(visitor)
    upload(visitor, body, name)
    assert "not a photo, video or document of a kind that we can take" in visitor.words
    assert "<title>Error: " in visitor.page.text.replace("\n", "")
    assert "listed__words" not in visitor.page.text
    visitor.open(visitor.page.url)  # told again when the page is loaded again
    assert "of a kind that we can take" in visitor.words
    visitor.go_on("check")


@pytest.mark.parametrize(
    ("size", "changed", "code"),
    [
        (0, {}, "EntityTooSmall"),
        (LARGEST + 1, {}, "EntityTooLarge"),
        (10, {"key": "somebody-elses/file"}, "AccessDenied"),
        (10, {"success_action_redirect": "https://example.com"}, "AccessDenied"),
        (10, {"Content-Type": "text/html"}, "AccessDenied"),
        (10, {"policy": "e30="}, "AccessDenied"),
        (10, {"acl": "public-read"}, "AccessDenied"),
    ],
)
def test_what_the_invitation_does_not_allow(visitor: Visitor, size: int, changed: dict[str, str], code: str) -> None:
    at_files(visitor)
    sent = upload(visitor, bytes(size), **changed)
    assert sent.status_code in (400, 403)
    assert code in sent.text
    visitor.open(f"/drafts/{visitor.draft}/files")
    assert "listed__words" not in visitor.page.text


def test_ten_files_are_enough(visitor: Visitor) -> None:
    page = at_files(visitor).page
    pages = [page] + [visitor.open(f"/drafts/{visitor.draft}/files") for _ in range(MOST_FILES)]
    for page in pages:  # eleven tabs, opened before any file was sent
        visitor.page = page
        upload(visitor, JPEG)
    assert "You can add no more than 10 files" in visitor.words
    assert visitor.page.text.count("listed__words") == MOST_FILES
    assert "That is as many files as we take here" in visitor.words


def test_a_browser_that_never_came_back_loses_nothing(visitor: Visitor) -> None:
    at_files(visitor)
    page = visitor.page
    upload(visitor, JPEG)
    visitor.page = page
    visitor.go_on("check")
    assert "Photo, 1 KB" in visitor.words


def test_a_file_that_did_not_arrive_is_told(visitor: Visitor) -> None:
    draft = at_files(visitor).draft
    visitor.open(f"/drafts/{draft}/files?added={'0' * 32}")
    assert "That file did not arrive. Add it again" in visitor.words


def test_erasing_a_draft_erases_its_files_also_those_on_their_way(visitor: Visitor, stack: Runner) -> None:
    at_files(visitor)
    page, draft = visitor.page, visitor.draft
    upload(visitor, JPEG)
    visitor.open(f"/drafts/{draft}/save")
    visitor.send(to="/erase")
    assert objects(stack, draft) == 0
    visitor.page = page
    assert upload(visitor, JPEG).status_code == 303
    assert visitor.page.status_code == 404
    assert objects(stack, draft) == 1
    stack.advance(3 * 3600)
    assert objects(stack, draft) == 0


def objects(stack: Runner, folder: str) -> int:
    from users import aws_client

    s3 = aws_client("s3", stack.aws_endpoint)
    (bucket,) = s3.list_buckets()["Buckets"]
    found = s3.list_object_versions(Bucket=bucket["Name"], Prefix=f"{folder}/")
    return len([*found.get("Versions", []), *found.get("DeleteMarkers", [])])


def test_a_file_is_added_to_a_report_and_an_officer_is_told(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    officer.done(reference, "not-crime", reason="no_offence", rationale="It was lent")
    stack.advance(60)
    look(visitor, reference)
    visitor.open(f"/status/{reference}/files")
    upload(visitor, PDF)
    assert "Your file has arrived" in visitor.words
    visitor.open(f"/status/{reference}/files")
    stack.idle()
    report = officer.read(reference)
    assert [file["kind"] for file in report["evidence"]] == ["application/pdf"]
    added = [entry["note"] for entry in report["history"] if entry["what"] == "added"]
    assert len(added) == 1 and added[0].startswith("A file was added: Document, 1 KB")
    news = officer.get("/triage", status="new_information", limit=200).json()["reports"]
    assert reference in [one["reference"] for one in news]
    assert "Remove" not in visitor.words


def test_a_file_is_noted_also_if_the_browser_never_came_back(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    look(visitor, reference)
    page = visitor.open(f"/status/{reference}/files")
    stack.advance(60)
    upload(visitor, PDF)
    visitor.page = page
    for _ in range(2):
        visitor.open(f"/status/{reference}")
    assert sum(entry["what"] == "added" for entry in officer.read(reference)["history"]) == 1


def test_the_files_of_somebody_else(visitor: Visitor, stack: Runner) -> None:
    mine, theirs = Visitor(stack), at_files(visitor)
    draft, token = theirs.draft, theirs.form("/files")[1]
    upload(theirs, JPEG)
    file = theirs.page.url.rpartition("=")[2]
    mine.begin()
    assert mine.open(f"/drafts/{draft}/files").status_code == 404
    address = f"{stack.url}/drafts/{draft}/files/{file}/remove"
    assert mine.session.post(address, data=token).status_code == 404
    assert theirs.session.post(address, data={"token": "forged"}).status_code == 422
    theirs.open(f"/drafts/{draft}/files")
    assert theirs.page.text.count("listed__words") == 1
