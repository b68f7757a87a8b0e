#!/bin/sh
# guard.sh COMMAND [ARG...]   runs Meilisearch only while /ha/permit and /ha/data both allow it
# guard.sh --beat             the probe: exit 0 while the guard's heartbeat is fresh
#
#  +---------+  both allow   +---------+  SIGTERM to a primary's guard  +----------+
#  | waiting | ------------> | running | -----------------------------> | draining |
#  +---------+ <- it exited  +---------+                                +----------+
#    |     ^                   | term-at, stop, closed, another epoch,    | drained, limit,
#    |     |                   v SIGTERM to the guard, anything illegible v permit ended
#    |     |  reaped    +-------------------------------------------------------+
#    |     +----------- | stopping: SIGTERM; SIGKILL 2 s later, by kill-at at   |
#    v  SIGTERM         | the latest; exits once reaped if it was told to end   |
#  exit 0               +-------------------------------------------------------+
#
# Settings: MEILI_HA_DIR (/ha), MEILI_HA_MAX_PERMIT (seconds, 300), MEILI_HA_DRAIN_LIMIT (seconds,
# 20: the grace period less 5), MEILI_HA_LEASE=none (obey data alone). Times are centiseconds of
# boot time. If the guard is killed Meilisearch must die too: give it a PID namespace of its own
# (a container has one; on a bare host `unshare --pid --fork --kill-child --mount-proc`).
# shellcheck disable=SC2015 # A && B || C is meant
set -uf
dir=${MEILI_HA_DIR:-/ha} max=${MEILI_HA_MAX_PERMIT:-300} limit=${MEILI_HA_DRAIN_LIMIT:-20}
slack=50 # centiseconds until the next look, by a machine so busy that it comes as late again
now=0 void='' said='' pid='' as='' held=0 held_kill=0 dying='' steady='' due=0 pause=0
leaving='' epoch=0 kill_at=0 brisk=0
exec 4>/dev/null

say() { printf 'guard: %s\n' "$1" >&2; }
fail() { say "$2"; exit "$1"; }

# A whole number that the shell can hold; a leading zero would make it octal.
number() { case $1 in '' | *[!0-9]* | 0?* | ????????????????*) return 1 ;; esac; }

# Sets now; fails when the clock is illegible or went backwards.
clock() {
  last=$now
  read -r up _ 2>&4 </proc/uptime || return
  case $up in *.[0-9][0-9]) up=${up%.*}${up#*.} ;; *) return 1 ;; esac
  up=${up#0} && up=${up#0} # 0.07 is 007
  number "$up" && now=$up && [ "$now" -ge "$last" ]
}

# What the permit allows: primary, standby, or nothing and why. The echo of a malformed file is `?`.
judge() {
  permit=- may='' role='' why='there is no permit'
  if [ "${MEILI_HA_LEASE:-}" = none ]; then may=standby && return; fi
  [ -e "$dir/permit" ] || return
  permit='?' why='the permit is malformed'
  read -r role epoch term_at kill_at id more 2>&4 <"$dir/permit" && [ -z "$more" ] || return
  case "$role $term_at $kill_at" in
    'standby - -' | 'stop - -') ;;
    primary\ *) number "$term_at" && number "$kill_at" && [ "$term_at" -le "$kill_at" ] || return ;;
    *) return ;;
  esac
  case $id in '' | *[!0-9a-f-]*) return ;; esac
  number "$epoch" && permit="$role $epoch $term_at $kill_at $id" || return
  if [ "$id" != "$boot" ]; then why='the permit is of another boot'
  elif [ "$role" = stop ]; then why='the permit says stop'
  elif [ "$role" = standby ]; then may=standby
  elif [ "$permit" = "$void" ]; then why='the permit is older than a jump of the clock'
  elif [ "$epoch" -lt "$held" ]; then why="the permit's epoch is over"
  elif [ "$kill_at" -gt $((now + max)) ]; then why='the permit is longer than MEILI_HA_MAX_PERMIT'
  elif [ $((now + slack)) -ge "$term_at" ]; then why='the permit has ended'
  else may=primary; fi
}

# Sets gate: may, if the data directory may be opened too.
look() {
  judge
  [ -z "$lost" ] || { void=$permit may='' why='the clock went backwards or is illegible'; }
  data=- gate=''
  [ -e "$dir/data" ] && data='?' && read -r word id more 2>&4 <"$dir/data" && case "$word $id${more:+ }" in
    *' ' | *\ *[!0-9a-z-]*) ;;
    ready\ *) data="ready $id" gate=$may ;;
    closed\ *) data="closed $id" ;;
  esac
  [ "$gate" ] || [ -z "$may" ] || why='the data directory is not ready'
}

# In place: a rename would fork. What can't be told to the others must not be started.
beat() {
  written=''
  printf '%s %s | %s | %s\n' "${pid:+running }${pid:-stopped -}" "$now" "$permit" "$data" \
    2>&4 >"$dir/guard" && written=yes
}

# False for a zombie, and for a stranger with the number of a child that the shell has reaped.
alive() {
  read -r stat 2>&4 <"/proc/$pid/stat" || { kill -0 "$pid" 2>&4 && return; } || return
  case "${stat##*") "}" in [!ZX]" $$ "*) ;; *) return 1 ;; esac
}

# From here until it is reaped builtins only, and not a word: neither a fork that fails nor a log
# that nobody reads may keep Meilisearch alive.
stop() {
  kill -TERM "$pid" 2>&4
  dying=$1 die_at=$((now + 200 + slack))
  [ "$as" = primary ] && [ "$held_kill" -lt "$die_at" ] && die_at=$held_kill
}

reap() {
  wait "$pid"
  code=$?
  while kill -0 "$pid" 2>&4; do wait "$pid"; code=$?; done # a signal to the guard ends a wait too
  ran=$((now - started)) pid=''
  if [ "$dying" ]; then
    say "stopped Meilisearch: $dying"
    due=0 pause=0 brisk=$((now + 200)) # a swap is over in a moment
  elif [ -z "$steady" ] && [ "$ran" -lt 200 ] && [ "$code" -lt 128 ]; then
    beat
    fail "$code" "Meilisearch can't start: exit code $code"
  else
    say "Meilisearch exited by itself, code $code"
    [ "$ran" -lt 1000 ] || pause=0
    due=$((now + pause)) pause=$((pause * 2 + 100))
    [ "$pause" -le 1000 ] || pause=1000
  fi
  dying='' steady=yes
}

# busybox and bash can wait without a fork (bash tries a fork that fails for 15 s). Where the shell
# can't, as dash, it ends with the first fork that fails, and its EXIT trap kills Meilisearch.
nap() {
  # shellcheck disable=SC3045
  if [ "$timed" ]; then read -r -t "$1" _ 2>&4 <&3; else sleep "$1"; fi
}

if [ "${1:-}" = --beat ]; then
  for _ in 1 2 3; do
    read -r state _ at _ 2>&4 <"$dir/guard" && number "$at" && break || state=''
    sleep 0.1 # the guard writes in place: it may be half written
  done
  [ "$state" ] && clock || fail 1 "no beat in $dir/guard: is Meilisearch started through guard.sh?"
  [ "$at" -le "$now" ] && [ $((now - at)) -le 500 ] && exit 0
  fail 1 "the last beat ($state) is of $at, now is $now: the guard is frozen or gone"
fi
[ $# -gt 0 ] || fail 2 'usage: guard.sh COMMAND [ARG...] | guard.sh --beat'
number "$max" && number "$limit" || fail 2 'MEILI_HA_MAX_PERMIT and MEILI_HA_DRAIN_LIMIT are whole seconds'
max=$((max * 100)) limit=$((limit * 100))
read -r self _ 2>&4 </proc/self/stat && [ "$self" = $$ ] || fail 1 '/proc is not of this PID namespace'
read -r boot 2>&4 </proc/sys/kernel/random/boot_id || boot=unknown
rm -f "$dir/drain" "$dir/.nap" && mkfifo "$dir/.nap" && exec 3<>"$dir/.nap" && rm -f "$dir/.nap" ||
  fail 1 "can't write to $dir: is it a volume that lease-keeper and fetcher share?"
former=''
read -r former 2>&4 <"$dir/engine"
engine=$("$1" --version) || say "$1 --version failed"
# That the directory may be opened was said of another Meilisearch: the fetcher must judge anew.
case $engine in '' | "$former") former= ;; esac
[ -z "$former" ] || rm -f "$dir/data"
printf '%s\n' "$engine" 2>&4 >"$dir/engine"
# A fetcher that had not read that yet may have said it again.
[ -z "$former" ] || rm -f "$dir/data"
timed=yes
nap 0.01
[ $? -ne 2 ] || timed=''
trap '[ "$leaving" ] || leaving=asked' TERM INT HUP
trap '[ -z "$pid" ] || { kill -KILL "$pid" 2>&4; wait "$pid"; }' EXIT

while :; do
  lost='' && clock || lost=yes
  look
  if [ "$pid" ] && ! alive; then reap && continue; fi
  beat
  if [ "$pid" ] && [ -z "$dying" ]; then
    if [ "$gate" = primary ] && { [ "$as" = standby ] || [ "$epoch" = "$held" ]; }; then
      as=primary held=$epoch held_kill=$kill_at
    elif [ "$gate" = primary ]; then stop 'another epoch begins'
    elif [ -z "$gate" ]; then stop "$why"
    elif [ "$as" = primary ]; then stop 'it is a standby now'
    fi
  fi
  if [ "$leaving" = asked ]; then
    leaving=now
    [ "$may" = primary ] && [ -z "$dying" ] && printf '%s\n' "$now" 2>&4 >"$dir/drain" &&
      leaving=drain asked_at=$now
  elif [ "$leaving" = drain ]; then
    read -r answer 2>&4 <"$dir/drained" || answer=''
    [ "$answer" = "$asked_at" ] || [ "$now" -ge $((asked_at + limit)) ] ||
      { [ -z "$may" ] && [ "$role" != stop ]; } && leaving=now
  fi
  if [ "$leaving" = now ]; then
    [ "$pid" ] || exit 0
    [ "$dying" ] || stop 'the guard was told to end'
  fi
  if [ "$dying" ] && { [ "$lost" ] || [ $((now + slack)) -ge "$die_at" ]; }; then kill -KILL "$pid" 2>&4; fi
  if [ "$dying" ]; then nap 0.05
  elif [ "$pid" ]; then nap 0.25
  elif [ "$gate" ] && [ "$written" ] && [ -z "$leaving" ] && [ "$now" -ge "$due" ]; then
    "$@" 3<&- 4>&- &
    pid=$! as=$gate started=$now said=''
    [ "$as" = standby ] || held=$epoch held_kill=$kill_at
  else
    [ "$gate" ] || [ "$why" = "$said" ] || { said=$why && say "waiting: $why"; }
    if [ "$now" -lt "$brisk" ]; then nap 0.05; else nap 0.25; fi
  fi
done
