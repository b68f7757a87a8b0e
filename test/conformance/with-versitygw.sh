#!/bin/sh
# Runs the conformance suite against a real versitygw: the one on PATH, or one that Go builds (once;
# it is kept in the user's cache). Says so aloud, and succeeds, when neither can be had.
set -eu

version=v1.8.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/meili-ha/versitygw-$version"
cd "$(dirname "$0")/../.."
PATH="$PWD/node_modules/.bin:$PATH"

skip() {
  echo "SKIPPED: conformance against a real versitygw: $1" >&2
  exit 0
}

gateway=$(command -v versitygw || echo "$cache/versitygw")
if [ ! -x "$gateway" ]; then
  command -v go >/dev/null || skip 'neither versitygw nor Go is on this machine'
  echo "building versitygw $version (a minute or two, once)" >&2
  GOBIN="$cache" go install "github.com/versity/versitygw/cmd/versitygw@$version" ||
    skip 'go install failed'
fi

directory=$(mktemp -d)
mkdir "$directory/store" "$directory/store/conformance"
port=$(node -e "
  const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
    console.log(server.address().port)
    server.close()
  })")
export ROOT_ACCESS_KEY=conformance ROOT_SECRET_KEY=conformance-secret
"$gateway" --port "127.0.0.1:$port" posix "$directory/store" >"$directory/log" 2>&1 &
pid=$!
end() {
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  rm -rf "$directory"
}
trap end EXIT
trap 'exit 1' INT TERM

# Any answer will do: it refuses what isn't signed.
tries=0
until node -e "fetch('http://127.0.0.1:$port').catch(() => process.exit(1))"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 50 ] || ! kill -0 "$pid" 2>/dev/null; then
    cat "$directory/log" >&2
    echo 'versitygw did not start' >&2
    exit 1
  fi
  sleep 0.2
done

export AWS_ACCESS_KEY_ID="$ROOT_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$ROOT_SECRET_KEY"
export S3_ENDPOINT="http://127.0.0.1:$port" S3_BUCKET=conformance
vitest run --config test/vitest.config.ts test/conformance/real-endpoint
