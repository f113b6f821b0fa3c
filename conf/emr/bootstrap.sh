#!/usr/bin/env bash
# Bootstrap action of an EMR cluster: install the packages that EMR lacks into PySpark's Python, with hashes checked, and AWS's
# certificates for RDS. Arguments: the bucket's name and the version.
set -euo pipefail
code="s3://$1/code/$2"
aws s3 cp "$code/requirements.txt" /tmp/vitrina-requirements.txt
sudo /usr/bin/python3.11 -m pip install --no-deps --require-hashes --requirement /tmp/vitrina-requirements.txt
aws s3 cp "$code/rds.pem" - | sudo tee /etc/ssl/rds.pem > /dev/null
