"""The stack's S3 bucket and the uploads in it: models and inference handlers."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from deploy.aws.errors import is_missing, none_if_missing
from deploy.aws.reconcile import ABSENT, NOT_OURS, Description, Resource, State
from deploy.aws.session import AwsSession
from deploy.stack import Endpoint
from rag.errors import SettingsError

HANDLERS = Path(__file__).resolve().parents[1] / "handlers"
COMPLETE = ".complete"
"""Name of an empty file that is uploaded last: without it the upload is incomplete."""
_PRIVATE = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


class Bucket(Resource):
    """A private, encrypted bucket. It holds only uploads of the stack, and is deleted with it."""

    kind = "bucket"

    def __init__(self, aws: AwsSession, name: str, kms_key: str | None = None) -> None:
        super().__init__(aws, name)
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key} if kms_key else {"SSEAlgorithm": "AES256"}
        self._encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}

    def describe(self) -> Description:
        """DIFFERENT until the bucket is tagged, encrypted and private, which are separate requests."""
        s3 = self.aws.client("s3")
        try:
            s3.head_bucket(Bucket=self.name, ExpectedBucketOwner=self.aws.account)
        except ClientError as exc:
            if is_missing(exc):
                return ABSENT
            if exc.response["Error"]["Code"] == "403":
                return NOT_OURS
            raise
        tags = self._get("get_bucket_tagging", "TagSet")
        if tags is None and "Contents" not in s3.list_objects_v2(Bucket=self.name, MaxKeys=1):
            # An empty bucket of this name, which contains the account ID, was created by a run that ended before tagging it.
            return Description(State.DIFFERENT, "not tagged yet")
        return self.owned_description(State.DIFFERENT if self._missing(tags) else State.READY, tags or ())

    def create(self) -> None:
        region = self.aws.region
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.aws.client("s3").create_bucket(Bucket=self.name, **where)

    def change(self) -> None:
        """Set the first missing property; `Reconciler` calls it again for the next."""
        s3 = self.aws.client("s3")
        match self._missing(self._get("get_bucket_tagging", "TagSet")):
            case "tags":
                s3.put_bucket_tagging(Bucket=self.name, Tagging={"TagSet": self.aws.tag_list})
            case "encryption":
                s3.put_bucket_encryption(Bucket=self.name, ServerSideEncryptionConfiguration=self._encryption)
            case "privacy":
                s3.put_public_access_block(Bucket=self.name, PublicAccessBlockConfiguration=_PRIVATE)

    def delete(self) -> None:
        """Delete all objects, then the bucket: S3 does not delete a bucket that has objects."""
        s3 = self.aws.client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.name):
            if keys := [{"Key": each["Key"]} for each in page.get("Contents", ())]:
                s3.delete_objects(Bucket=self.name, Delete={"Objects": keys, "Quiet": True})
        s3.delete_bucket(Bucket=self.name)

    def _missing(self, tags: list[dict[str, str]] | None) -> str | None:
        if tags is None:
            return "tags"
        rules = (self._get("get_bucket_encryption", "ServerSideEncryptionConfiguration") or {}).get("Rules", [{}])
        desired = self._encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
        if rules[0].get("ApplyServerSideEncryptionByDefault") != desired:
            return "encryption"
        return None if self._get("get_public_access_block", "PublicAccessBlockConfiguration") == _PRIVATE else "privacy"

    def _get(self, operation: str, field: str) -> Any:
        response = none_if_missing(getattr(self.aws.client("s3"), operation), Bucket=self.name)
        return response and response[field]


class Upload(Resource):
    """Files under one prefix of the bucket. The prefix contains a hash of the files, so that changed files get another one."""

    kind = "files"
    wait_seconds = 4 * 3600.0

    def __init__(self, aws: AwsSession, bucket: str, prefix: str, files: Mapping[str, Path | bytes]) -> None:
        super().__init__(aws, f"s3://{bucket}/{prefix}")
        self._bucket, self._prefix, self._files = bucket, prefix, files

    def describe(self) -> Description:
        """DIFFERENT if there are files without the file COMPLETE, which is uploaded last."""
        sizes = self._sizes()
        if not sizes:
            return ABSENT
        return Description(State.READY if self._prefix + COMPLETE in sizes else State.DIFFERENT)

    def create(self) -> None:
        """Upload the files; those that exist with the same size are skipped."""
        s3, existing = self.aws.client("s3"), self._sizes()
        for name, content in self._files.items():
            size = len(content) if isinstance(content, bytes) else content.stat().st_size
            if existing.get(self._prefix + name) == size:
                continue
            if isinstance(content, bytes):
                s3.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)
            else:
                s3.upload_file(str(content), self._bucket, self._prefix + name)
        s3.put_object(Bucket=self._bucket, Key=self._prefix + COMPLETE, Body=b"")

    def change(self) -> None:
        self.create()

    def delete(self) -> None:
        s3 = self.aws.client("s3")
        for name in self._sizes():
            s3.delete_object(Bucket=self._bucket, Key=name)

    def _sizes(self) -> dict[str, int]:
        """Size in bytes of each object under the prefix, by key."""
        pages = _listed(self.aws, Bucket=self._bucket, Prefix=self._prefix)
        return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}


def existing_uploads(aws: AwsSession, bucket: str) -> list[Upload]:
    """All uploads in the bucket, one for each prefix."""
    pages = [
        *_listed(aws, Bucket=bucket, Prefix="handlers/", Delimiter="/"),
        *_listed(aws, Bucket=bucket, Prefix="models/", Delimiter="/"),
    ]
    prefixes = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]
    return [Upload(aws, bucket, prefix, {}) for prefix in prefixes]


def upload(aws: AwsSession, bucket: str, endpoint: Endpoint) -> Upload | None:
    """The files that an endpoint's container needs, or None. Raises SettingsError if the folder is empty."""
    if endpoint.handler:
        tarball = handler_tarball(endpoint.handler)
        return Upload(aws, bucket, f"handlers/{endpoint.handler}-{_digest([tarball])}/", {"model.tar.gz": tarball})
    if endpoint.model_folder:
        files = dict(_files(endpoint.model_folder))
        listed = [f"{name} {path.stat().st_size}".encode() for name, path in files.items()]
        return Upload(aws, bucket, f"models/{endpoint.endpoint_name}-{_digest(listed)}/", files)
    return None


def handler_tarball(name: str) -> bytes:
    """The handler's folder as model.tar.gz, reproducible byte for byte. Raises SettingsError if the folder is empty."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, source in _files(HANDLERS / name):
            member = tarfile.TarInfo(path)
            member.size, member.mode = source.stat().st_size, 0o644
            with source.open("rb") as content:
                tar.addfile(member, content)
    return gzip.compress(packed.getvalue(), mtime=0)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    if not paths:
        raise SettingsError(f"no files in {folder}; set handler or model_folder to a folder with files")
    for path in paths:
        yield path.relative_to(folder).as_posix(), path


def _listed(aws: AwsSession, **arguments: str) -> list[dict[str, Any]]:
    """The pages of ListObjectsV2; empty if the bucket does not exist."""
    paginator = aws.client("s3").get_paginator("list_objects_v2")
    return none_if_missing(lambda: list(paginator.paginate(**arguments))) or []


def _digest(parts: list[bytes]) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
