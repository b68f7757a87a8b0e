#!/bin/sh
# A stand-in that the guard starts in milliseconds: fake-meilisearch.sh MODE [ARG...]
# Each start adds its pid to $FAKE_DIR/starts; `exec` keeps that pid for as long as it lives.
[ "$1" = --version ] && [ "${FAKE_VERSION:-}" = none ] && exit 1
[ "$1" = --version ] && echo 'meilisearch 1.50.0' && exit
printf '%s\n' "$@" >"$FAKE_DIR/arguments"
echo $$ >>"$FAKE_DIR/starts"
case $1 in
  run) exec sleep 1000 ;;
  stubborn) trap '' TERM && exec sleep 1000 ;;
  exits) sleep "$2" && exit "$3" ;;
  refuses) echo "error: unexpected argument '--$2' found" >&2 && exit 2 ;;
  first-runs-then-refuses) [ "$(wc -l <"$FAKE_DIR/starts")" -gt 1 ] && exit 1 || exec sleep 1000 ;;
  orphans) (sleep 0.3 &) && (sleep 0.6 &) && exec sleep 1000 ;;
  serve) exec "$FAKE_NODE" -e '
    process.on("SIGTERM", () => {})
    const { readFileSync, writeFileSync } = require("node:fs")
    const tell = (socket) => setInterval(() => socket.write(readFileSync("/proc/uptime")), 20)
    const server = require("node:net").createServer(tell)
    server.listen(0, "127.0.0.1", () => writeFileSync(process.argv[1], `${server.address().port}`))
    ' "$FAKE_DIR/port" ;;
esac
