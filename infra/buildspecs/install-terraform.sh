#!/usr/bin/env bash
# install-terraform.sh VERSION: puts that Terraform into /usr/local/bin, after comparing it with its published checksum.
set -euo pipefail
version=$1
case $(uname -m) in aarch64 | arm64) machine=arm64 ;; *) machine=amd64 ;; esac
archive="terraform_${version}_linux_${machine}.zip"
folder=$(mktemp -d)
cd "$folder"
curl -fsSLO "https://releases.hashicorp.com/terraform/${version}/${archive}"
curl -fsSLO "https://releases.hashicorp.com/terraform/${version}/terraform_${version}_SHA256SUMS"
grep " ${archive}\$" "terraform_${version}_SHA256SUMS" | sha256sum --check
unzip -q "$archive" terraform -d /usr/local/bin
rm -r "$folder"
