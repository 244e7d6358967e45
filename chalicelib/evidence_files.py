"""The files of evidence. They go from the browser straight to S3; what is kept of them is known here.

In the bucket: `<folder>/<id>`, where the folder is a draft's id or a report's reference. In the table:
`EVIDENCE#<folder>` / `FILE#<id>`, made when we first look at a file, with what it is or why it was refused. What a file
is, its first bytes say; the name and the type that a browser sends are never used. See `docs/adr/0014-evidence.md`.
"""

from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.errors import NotAllowed, NotFound
from chalicelib.evidence import (
    FIRST_BYTES,
    INVITED_FOR,
    KINDS,
    LARGEST,
    MOST_FILES,
    SHOWN_FOR,
    VERDICTS,
    File,
    Invitation,
)
from chalicelib.table import ConditionFailed, Item, Table
from chalicelib.times import read_stamp, stamp

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectVersionTypeDef

_HELD = {
    "waiting": "This file has not been checked for malware yet. Try again in a few minutes.",
    "not_scanned": "This file could not be checked for malware, and is held back. Ask the digital forensics team.",
    "threat": "This file has malware in it, and is held back. Ask the digital forensics team.",
}


class EvidenceFiles:
    """The files of drafts and reports. `client` gives an S3 client when it is first needed, as making one is slow;
    `mint` gives unguessable ids; `clock` aware UTC datetimes.
    """

    def __init__(
        self,
        client: Callable[[], "S3Client"],
        bucket: str,
        table: Table,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
    ) -> None:
        self._client, self._bucket, self._table, self._clock, self._mint = client, bucket, table, clock, mint

    def invite(self, folder: str, back: str) -> Invitation:
        """For one file into `folder`; S3 then sends the browser to `back` with the file's id as `added`. S3 itself
        refuses what is too large, empty or late.
        """
        id = self._mint()
        back = f"{back}{'&' if '?' in back else '?'}added={id}"
        fields = {"Content-Type": "application/octet-stream", "success_action_redirect": back}
        invited = self._client().generate_presigned_post(
            self._bucket,
            f"{folder}/{id}",
            Fields=dict(fields),
            Conditions=[{name: value} for name, value in fields.items()] + [["content-length-range", 1, LARGEST]],
            ExpiresIn=int(INVITED_FOR.total_seconds()),
        )
        return Invitation(invited["url"], invited["fields"])

    def look(self, folder: str) -> list[File]:
        """The files of a folder, oldest first, those that were refused among them. Whatever has arrived since is looked
        at first, so a browser that never came back loses nothing. Two at once, or again after a crash: the same.
        """
        known = {file.id: file for file in self._known(folder)}
        there = self._first_versions(folder)
        self._forget_removed(folder, known, there)
        for id, (version, size) in there.items():
            if id not in known and (file := self._first_look(folder, id, version, size, known)):
                known[id] = file
            if id in known and known[id].refused:
                self._remove_objects(f"{folder}/{id}")
        return sorted(known.values(), key=lambda file: (file.added_at, file.id))

    def kept(self, folder: str) -> list[File]:
        """Those that were not refused."""
        return [file for file in self.look(folder) if not file.refused]

    def remove(self, folder: str, id: str) -> None:
        """Take one away, whatever versions of it there are."""
        self._remove_objects(f"{folder}/{id}")
        self._forget(folder, id)

    def remove_all(self, folder: str) -> None:
        """Take all of a folder away."""
        self._remove_objects(f"{folder}/")
        for file in self._known(folder):
            self._forget(folder, file.id)

    def verdict(self, folder: str, file: File) -> str:
        """What the malware scan said: `clean`, `threat`, `not_scanned` if it could not tell, `waiting` until it has."""
        where: Any = {"Bucket": self._bucket, "Key": f"{folder}/{file.id}", "VersionId": file.version}
        try:
            tags = self._client().get_object_tagging(**where)["TagSet"]
        except ClientError as error:
            if _is_gone(error):
                return "waiting"
            raise
        said = {tag["Key"]: tag["Value"] for tag in tags}.get("GuardDutyMalwareScanStatus", "")
        return VERDICTS.get(said, "not_scanned") if said else "waiting"

    def show(self, folder: str, id: str) -> str:
        """An address from which one file can be had for a minute. Raises NotFound, and NotAllowed until it is clean."""
        files = [file for file in self.kept(folder) if file.id == id]
        if not files:
            raise NotFound("There is no such file.")
        verdict = self.verdict(folder, files[0])
        if verdict != "clean":
            raise NotAllowed(_HELD[verdict], verdict=verdict)
        kind, ending = files[0].kind, KINDS[files[0].kind][1]
        return self._client().generate_presigned_url(
            "get_object",
            ExpiresIn=int(SHOWN_FOR.total_seconds()),
            Params={
                "Bucket": self._bucket,
                "Key": f"{folder}/{id}",
                "ResponseContentType": kind,
                "ResponseContentDisposition": f'attachment; filename="evidence-{id[:8]}.{ending}"',
                "ResponseCacheControl": "no-store",
                "VersionId": files[0].version,
            },
        )

    # What is there, and what is known of it

    def _forget_removed(self, folder: str, known: dict[str, File], there: Container[str]) -> None:
        """A removal that was cut off: the object is gone (what is known was read before that), the row is not."""
        for id in [id for id, file in known.items() if not file.refused and id not in there]:
            self._forget(folder, id)
            del known[id]

    def _first_look(self, folder: str, id: str, version: str, size: int, known: dict[str, File]) -> File | None:
        """What it is from now on; None if it was removed meanwhile."""
        try:
            kind = self._kind(folder, id, version) if size else ""
        except ClientError as error:
            if _is_gone(error):
                return None
            raise
        kept = sum(not file.refused for file in known.values())
        why = "empty" if not size else "kind" if not kind else "too_many" if kept >= MOST_FILES else ""
        now = self._clock().replace(microsecond=0)
        file = File(id, size, now, "" if why else kind, why, version)
        try:
            self._table.put_new(_item(folder, file))
            return file
        except ConditionFailed:  # somebody else has looked meanwhile: what they noted holds
            return next((file for file in self._known(folder) if file.id == id), None)

    def _kind(self, folder: str, id: str, version: str) -> str:
        """What the first bytes are, no text if it is none of KINDS."""
        import filetype  # 63 kB of Python: only where a file is looked at

        answer = self._client().get_object(
            Bucket=self._bucket, Key=f"{folder}/{id}", VersionId=version, Range=f"bytes=0-{FIRST_BYTES - 1}"
        )
        kind = filetype.guess_mime(answer["Body"].read()) or ""
        return kind if kind in KINDS else ""

    def _known(self, folder: str) -> list[File]:
        rows = self._table.query(where="#pk = :folder", given={"folder": _pk(folder)})
        return [_file(row) for row in rows]

    def _first_versions(self, folder: str) -> dict[str, tuple[str, int]]:
        """By id: the version that came first, and its size. S3 lists newer ones before it."""
        versions = self._versions(f"{folder}/")
        return {one["Key"].removeprefix(f"{folder}/"): (one["VersionId"], one["Size"]) for one in versions}

    def _versions(self, prefix: str) -> Iterator["ObjectVersionTypeDef"]:
        """All of them, a thousand at a time: one invitation can be used again and again while it lasts."""
        place: Any = {}
        while True:
            found = self._client().list_object_versions(Bucket=self._bucket, Prefix=prefix, **place)
            yield from found.get("Versions", [])
            if not found["IsTruncated"]:
                return
            place = {"KeyMarker": found["NextKeyMarker"], "VersionIdMarker": found["NextVersionIdMarker"]}

    def _remove_objects(self, prefix: str) -> None:
        """All versions, and the marks of those that were deleted; a thousand at a time, as S3 lists and takes them."""
        while True:
            found = self._client().list_object_versions(Bucket=self._bucket, Prefix=prefix)
            there: Any = [{"Key": one["Key"], "VersionId": one["VersionId"]}
                          for one in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]  # fmt: skip
            if not there:
                return
            gone = self._client().delete_objects(Bucket=self._bucket, Delete={"Objects": there, "Quiet": True})
            if gone.get("Errors"):
                raise NotRemoved(f"{len(gone['Errors'])} versions of files are still there")

    def _forget(self, folder: str, id: str) -> None:
        with suppress(ConditionFailed):  # somebody else has
            self._table.remove(_pk(folder), f"FILE#{id}", condition="attribute_exists(pk)", given={})


class NotRemoved(Exception):
    """S3 kept something that it was told to remove; trying again may help."""


def _pk(folder: str) -> str:
    return f"EVIDENCE#{folder}"


def _is_gone(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404")


def _item(folder: str, file: File) -> Item:
    return {
        "pk": _pk(folder),
        "sk": f"FILE#{file.id}",
        "bytes": file.bytes,
        "added_at": stamp(file.added_at),
        "kind": file.kind or None,
        "refused": file.refused or None,
        "version": file.version,
    }


def _file(row: Item) -> File:
    return File(row["sk"].removeprefix("FILE#"), row["bytes"], read_stamp(row["added_at"]), row.get("kind", ""),
                row.get("refused", ""), row["version"])  # fmt: skip
