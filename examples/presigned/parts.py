"""Begins a multipart upload at S3, and prints presigned URLs for it as JSON, which resup_upload_set_parts and --parts take.

    python3 parts.py BUCKET KEY SIZE [UPLOAD_ID]

With the UploadId of an upload that goes on, it signs new URLs for that one. Needs boto3, and its settings: AWS_ENDPOINT_URL for
MinIO, R2 and others, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION. EXPIRES is in seconds; default: a day.
"""
import json, os, sys
import boto3
from botocore.config import Config

bucket, key, size, *known = sys.argv[1:]
# A checksum that boto3 would sign otherwise is not sent by resup.
s3 = boto3.client("s3", config=Config(signature_version="s3v4", request_checksum_calculation="when_required"))
upload = {"Bucket": bucket, "Key": key}
upload["UploadId"] = known[0] if known else s3.create_multipart_upload(**upload)["UploadId"]
expires = int(os.environ.get("EXPIRES", 86400))
part_size = max(8 << 20, -(-int(size) // 10000))  # S3 takes parts of 5 MiB and more, 10 000 of them
count = max(1, -(-int(size) // part_size))

def sign(method, **more):
    return s3.generate_presigned_url(method, {**upload, **more}, expires)

urls = {
    "part_size": part_size,
    "parts": [sign("upload_part", PartNumber=number) for number in range(1, count + 1)],
    "complete": sign("complete_multipart_upload"),
    "list": [sign("list_parts", MaxParts=500, PartNumberMarker=after) for after in range(0, count, 500)],
    "abort": sign("abort_multipart_upload"),
    "head": s3.generate_presigned_url("head_object", {"Bucket": bucket, "Key": key}, expires),
}
json.dump(urls, sys.stdout)
