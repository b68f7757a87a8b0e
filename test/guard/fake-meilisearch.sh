#!/bin/sh
# A stand-in that the guard starts in milliseconds: fake-meilisearch.sh MODE [ARG...]
# Each start adds `<pid>` to $FAKE_LOG; `exec` keeps that pid for as long as it lives.
[ "$1" = --version ] && echo 'meilisearch 1.50.0' && exit
echo $$ >>"$FAKE_LOG"
case $1 in
  run) exec sleep 1000 ;;
  stubborn) trap '' TERM && exec sleep 1000 ;;
  exits) sleep "$2" && exit "$3" ;;
  refuses) echo "error: unexpected argument '--$2' found" >&2 && exit 2 ;;
  first-runs-then-refuses) [ "$(wc -l <"$FAKE_LOG")" -gt 1 ] && exit 1 || exec sleep 1000 ;;
  orphans) (sleep 0.3 &) && (sleep 0.6 &) && exec sleep 1000 ;;
  serve) exec "$FAKE_NODE" -e '
    process.on("SIGTERM", () => {})
    const server = require("node:net").createServer((socket) => setInterval(() => socket.write("."), 20))
    server.listen(0, "127.0.0.1", () => require("node:fs").writeFileSync(process.argv[1], `${server.address().port}`))
    ' "$2" ;;
esac
