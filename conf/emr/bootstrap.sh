#!/usr/bin/env bash
# Bootstrap action of an EMR cluster, with the bucket's name as its argument: the packages that EMR lacks, by hash.
set -euo pipefail
aws s3 cp "s3://$1/code/requirements.txt" /tmp/vitrina-requirements.txt
sudo python3 -m pip install --no-deps --require-hashes --requirement /tmp/vitrina-requirements.txt
