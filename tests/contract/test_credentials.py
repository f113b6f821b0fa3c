"""Where the job finds credentials for S3, besides the variables that every other test sets."""

import pytest

from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run

KEYS = "aws_access_key_id = key\naws_secret_access_key = secret\n"


@pytest.mark.long
@pytest.mark.parametrize(
    ("variable", "content", "others"),
    [
        ("AWS_SHARED_CREDENTIALS_FILE", f"[nights]\n{KEYS}", {"AWS_PROFILE": "nights"}),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "token", {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/job"}),
    ],
    ids=["profile", "web-identity"],
)
def test_a_profile_or_a_web_identity_gives_access_to_s3(spark_submit, bucket, tmp_path, variable, content, others):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    file = tmp_path / "file"
    file.write_text(content)
    no_keys = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    code, _, output = spark_submit(**{variable: str(file)}, **others, **no_keys)

    assert code == 0, output
    assert Run.objects.published().count() == 1
