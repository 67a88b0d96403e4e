#!/usr/bin/env bash
# Checks the model and prints a table. Needs spin and gcc; node for the traces.
#   docs/spec/check.sh            the quick form, a few minutes
#   docs/spec/check.sh full       also the searches that take long
#   docs/spec/check.sh long       only those; LIMIT=seconds bounds each (default 1500)
#   docs/spec/check.sh only TEXT  searches of all forms whose names contain TEXT
#   docs/spec/check.sh keep       also writes counterexamples/ anew
#   docs/spec/check.sh traces [n] traces of the real replica only
set -uo pipefail
spec=$(cd "$(dirname "$0")" && pwd)
form=${1:-quick}
traces=${2:-1000}
only=
case $form in
  quick | full | long | keep | traces) ;;
  only) only=${2:?docs/spec/check.sh only TEXT} ;;
  *) sed -n '2,8p' "$0" >&2; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export TIMEFORMAT='%U'

# search <holds|breaks> <file> <dfs|bfs|bitstate|fair> <name> <options of the model ...>
search() {
  local expected=$1 file=$2 mode=$3 name=$4; shift 4
  if [[ $name != *"$only"* ]]; then return; fi
  local cc=(-DCOLLAPSE -DMEMLIM=12000) run=(-m2000000) found states depth memory seconds
  case $mode in
    dfs) cc+=(-DSAFETY -DNOREDUCE) ;;
    bfs) cc=(-DSAFETY -DNOREDUCE -DBFS) ;;
    bitstate) cc=(-DSAFETY -DNOREDUCE -DBITSTATE); run+=(-w32 -k3) ;;
    fair) cc+=(-DNFAIR=3); run+=(-a -f) ;;
  esac
  rm -rf "$work/pan"; mkdir "$work/pan"; cp "$spec"/*.pml "$work/pan"; cd "$work/pan" || exit 2
  spin -a "$@" "$file" > spin.log 2>&1 && gcc -O2 -w "${cc[@]}" -o pan pan.c \
    || { cat spin.log; failed=1; return; }
  seconds=$( { time timeout -s INT "${LIMIT:-1500}" ./pan "${run[@]}" > out 2>&1; } 2>&1 )
  case $(grep -o 'errors: [0-9]*' out) in
    'errors: 0') found=holds; if grep -q 'Search not completed' out; then found=unfinished; fi ;;
    'errors: '*) found=breaks ;;
    *) found=unfinished ;;
  esac
  if grep -q 'max search depth too small\|out of memory\|reached -DMEMLIM' out; then found=unfinished; fi
  states=$(awk '/states, stored/ { print $1; exit }' out)
  depth=$(grep -o 'depth reached [0-9]*' out | grep -o '[0-9]*')
  if [ "$found" = unfinished ]; then states=">${states:-0}"; fi
  memory=$(awk '/total actual memory/ { print int($1) }' out)
  printf '%-52s %-8s %-10s %12s %6s %8s %6s\n' \
    "$name" "$mode" "$found" "${states:--}" "${depth:--}" "$seconds" "${memory:--}"
  [ "$found" = "$expected" ] || { failed=1; echo "  EXPECTED: $expected"; }
  if [ "$form" = keep ] && [ "$found" = breaks ]; then
    mkdir -p "$spec/counterexamples"
    { echo "$name"; echo "spin $* $file"; echo
      spin -t "$@" "$file" 2>&1 | grep -E '^ *(replica|validator|height|=)|START OF CYCLE' \
        | sed 's/^ *//'
    } > "$spec/counterexamples/$(tr -cs 'a-z0-9' - <<< "${name,,}" | sed 's/-*$//').txt"
  fi
}

# replay <accepted|rejected> <n> [--tamper]: traces of the real replica, all of them one way.
replay() {
  local expected=$1 count=$2 found wrong seconds; shift 2
  rm -rf "$work/pan"; mkdir "$work/pan"; cp "$spec"/*.pml "$work/pan"; cd "$work/pan" || exit 2
  seconds=$( { time {
    (cd "$spec/../.." && node_modules/.bin/node --conditions=source \
      docs/spec/tools/record-traces.ts "$count" "$@" > "$work/pan/traces.h" 2> "$work/pan/notes")
    spin -a trace.pml > spin.log 2>&1 && gcc -O2 -w -DSAFETY -DNOREDUCE -o pan pan.c \
      && ./pan -c0 -m2000000 > out 2>&1
  }; } 2>&1 )
  found=$(grep -c "^$expected" out)
  wrong=$(grep -E '^(accepted|rejected)' out | grep -vc "^$expected")
  grep -q 'errors: 0' out || wrong=property
  printf '%-52s %-8s %-10s %12s %6s %8s\n' "traces${1:+ $1}" dfs "$expected" "$found" - "$seconds"
  sed 's/^/  /' notes
  if [ "$found" != "$count" ] || [ "$wrong" != 0 ]; then
    failed=1; echo "  EXPECTED: $count $expected; otherwise $wrong"; grep -E '^rejected' out | head -5
  fi
}

# Variants that must break: the shortest run, with replicas kept apart.
sabotage() { local name=$1; shift; search breaks pbft.pml bfs "$name" -DPLAIN -DONLY_AGREEMENT "$@"; }
reached() { local name=$1; shift; search breaks pbft.pml bfs "reached: $name" -DPLAIN "$@"; }

safety() {
  search holds pbft.pml dfs 'n=4 q=3, 1 traitor, views 0-2' -DVIEWS=3
  search holds pbft.pml dfs 'n=5 q=4, 1 traitor, views 0-2' -DN=5 -DQ=4 -DVIEWS=3
  search holds pbft.pml dfs 'n=6 q=4, 1 traitor, views 0-1' -DN=6 -DQ=4 -DVIEWS=2
  search holds pbft.pml dfs 'n=4, crashes between write, sync, send' -DVIEWS=2 -DCRASHES
  search holds pbft.pml dfs 'n=4, 1 log lost and abstention, views 0-2' -DVIEWS=3 -DAMNESIA=1
  local shift
  for shift in 0 1 2 3; do
    search holds pbft.pml dfs "n=4, primaries and wishes, views 0-2, shift $shift" \
      -DVIEWS=3 -DPRIMARIES -DWISHES_NEEDED "-DSHIFT=$shift"
  done
}

long() {
  search holds pbft.pml dfs 'n=4 q=3, 1 traitor, views 0-3' -DVIEWS=4
  search holds pbft.pml dfs 'n=6 q=4, 1 traitor, views 0-2' -DN=6 -DQ=4 -DVIEWS=3
  search holds pbft.pml bitstate 'n=4, crashes, views 0-2' -DVIEWS=3 -DCRASHES
  search holds liveness.pml fair 'liveness: traitor, early timers of views 0-1' \
    -DVIEWS=4 -DSHIFT=3 -DEARLY=2 -DTRAITOR
  local who=(-DVIEWS=3 -DACCOUNTABLE -DONLY_AGREEMENT)
  search holds pbft.pml dfs 'a fork convicts the liar, views 0-2' "${who[@]}" -DLIAR=2
  search holds pbft.pml dfs 'a fork convicts who lost its log, views 0-2' \
    "${who[@]}" -DAMNESIA=1 -DSABOTAGE_NO_ABSTENTION
  search holds pbft.pml dfs 'a fork convicts who forgot its votes, views 0-1' \
    -DVIEWS=2 -DACCOUNTABLE -DONLY_AGREEMENT -DRESTARTS -DSABOTAGE_VOLATILE_VOTES
}

broken() {
  sabotage 'two traitors of four' -DBYZ=2 -DVIEWS=2
  sabotage 'n=6 with a quorum of 3' -DN=6 -DQ=3 -DVIEWS=2
  sabotage 'n=4 with a quorum of 2' -DQ=2 -DVIEWS=2
  sabotage 'duplicate signers counted' -DVIEWS=2 -DSABOTAGE_DUPLICATE_SIGNERS
  sabotage 'COMMIT in a view that was left' -DVIEWS=2 -DSABOTAGE_COMMIT_IN_OLD_VIEW
  sabotage 'COMMIT without a prepared certificate' -DVIEWS=2 -DSABOTAGE_SKIP_PREPARE
  sabotage 'lowest instead of highest certificate' -DVIEWS=3 -DSABOTAGE_MINIMUM
  sabotage 'view not among the signed fields' -DVIEWS=3 -DSABOTAGE_VIEW_UNSIGNED
  sabotage 'justification not recomputed' -DVIEWS=2 -DSABOTAGE_JUSTIFICATION_NOT_RECOMPUTED
  sabotage 'claim without certificate' -DVIEWS=2 -DSABOTAGE_CLAIM_WITHOUT_CERTIFICATE
  sabotage 'votes kept in memory only' -DVIEWS=2 -DRESTARTS -DSABOTAGE_VOLATILE_VOTES
  sabotage 'locks kept in memory only' -DVIEWS=2 -DRESTARTS -DSABOTAGE_VOLATILE_LOCK
  sabotage 'views kept in memory only' -DVIEWS=2 -DRESTARTS -DSABOTAGE_VOLATILE_VIEW
  sabotage 'sent before it is durable' -DVIEWS=2 -DCRASHES -DSABOTAGE_SEND_BEFORE_PERSIST
  sabotage 'votes on after its log was lost' -DVIEWS=2 -DAMNESIA=1 -DSABOTAGE_NO_ABSTENTION
  search breaks pbft.pml bfs 'own timer enters a view: not synchronised' \
    -DVIEWS=2 -DPRIMARIES -DWISHES_NEEDED -DSABOTAGE_ALONE
}

recovery() {
  search holds recovery.pml dfs 'RECOVER: nonce drawn after the start'
  search breaks recovery.pml bfs 'RECOVER counts heads of peers' -DSABOTAGE_COUNTS_HEADS
  search breaks recovery.pml bfs 'RECOVER with a nonce kept on disk' -DSABOTAGE_NONCE_ON_DISK
}

accountable() {
  local who=(-DVIEWS=2 -DACCOUNTABLE -DONLY_AGREEMENT)
  search holds pbft.pml dfs 'a fork convicts the liar' "${who[@]}" -DLIAR=2
  search holds pbft.pml dfs 'a fork convicts who forgot its locks' \
    "${who[@]}" -DRESTARTS -DSABOTAGE_VOLATILE_LOCK
  search holds pbft.pml dfs 'a fork convicts who lost its log' \
    "${who[@]}" -DAMNESIA=1 -DSABOTAGE_NO_ABSTENTION
  search breaks pbft.pml bfs 'COMMIT and a denial of it convict nobody' \
    "${who[@]}" -DPLAIN -DLIAR=2 -DSABOTAGE_NO_AMNESIA_PAIR
  search breaks pbft.pml bfs 'reached: a fork that convicts' \
    "${who[@]}" -DPLAIN -DLIAR=2 -DREACH_CONVICTED
}

lists() {
  search holds lists.pml dfs 'list changes, one that stayed is misled' -DMISLED=0
  search holds lists.pml dfs 'list changes, the removed one is misled' -DMISLED=2 -DSTEERED
  local unsigned=(-DSTEERED -DONLY_AGREEMENT -DSABOTAGE_LIST_UNSIGNED)
  search breaks lists.pml bfs 'list unsigned, one that stayed is misled' -DMISLED=0 "${unsigned[@]}"
  search breaks lists.pml bfs 'list unsigned, the removed one is misled' -DMISLED=2 "${unsigned[@]}"
}

alive() {
  search holds liveness.pml fair 'liveness: silent primary of view 0' -DVIEWS=4 -DSHIFT=3
  search holds liveness.pml fair 'liveness: early timers of view 0' -DVIEWS=4 -DSHIFT=0
  search holds liveness.pml fair 'liveness: traitor, early timers of view 0' \
    -DVIEWS=4 -DSHIFT=3 -DTRAITOR
  search breaks liveness.pml fair 'own timer enters a view: no decision' \
    -DVIEWS=4 -DSHIFT=0 -DSABOTAGE_ALONE
  search breaks liveness.pml fair 'refuses what conflicts with its own lock' \
    -DVIEWS=4 -DSHIFT=3 -DEARLY=2 -DTRAITOR -DSABOTAGE_REFUSE_CONFLICT
}

reachable() {
  reached 'decided in view 2' -DVIEWS=3 -DREACH_VIEW_2_DECIDES
  reached 'prepared block proposed again' -DVIEWS=2 -DREACH_REPROPOSAL
  reached 'a lock overridden' -DVIEWS=2 -DREACH_LOCK_OVERRIDDEN
  reached 'decided in a view that all have left' -DVIEWS=2 -DREACH_DECIDED_IN_VIEW_LEFT
  reached 'durable vote of a view left is unsent' -DVIEWS=2 -DCRASHES -DREACH_UNSENT_IN_VIEW_LEFT
  reached 'other vote after a crash before the sync' \
    -DVIEWS=2 -DCRASHES -DREACH_OTHER_VOTE_AFTER_CRASH
  reached 'decided after a log was lost' -DVIEWS=2 -DAMNESIA=1 -DREACH_DECIDED_AFTER_LOSS
}

printf '%-52s %-8s %-10s %12s %6s %8s %6s\n' model search found states depth 'user s' MB
case $form in
  quick | full | keep | only) safety; recovery; lists; accountable; alive; broken; reachable ;;
esac
case $form in full | long | only) long ;; esac
if [ "$form" != long ] && [ "$form" != only ]; then
  replay accepted "$traces"
  replay rejected "$((traces / 4))" --tamper
fi
exit $failed
