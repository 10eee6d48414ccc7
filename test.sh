#!/usr/bin/env bash
# Runs all tests. The last line is "N passed, N failed, N skipped", and the exit code is 0 only if none failed.
#   --fast      leaves out the categories Fault, Browser and MultiNode
#   --no-build  runs what was built last
set -uo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tools/setup.sh
. "$root/tools/setup.sh"

results="$root/TestResults"

# Most code of a test run is run a few times: it is not worth finding out how it could be run faster, nor compiling again what was
# called 30 times. The number is hexadecimal.
export DOTNET_TieredPGO=0 DOTNET_TC_CallCountThreshold=200

prepare() {
  need_dotnet
  if [ -z "${MESSAGING_TEST_DATABASE:-}" ]; then need_postgres; fi
  need_vips
  need_clamd
  need_python
  need_brokers

  local client="$root/tests/Messaging.EndToEnd.Tests/client"
  command -v npm >/dev/null || give_up "Node 18 or newer is missing: install it from https://nodejs.org."
  say "Installing the JavaScript client …"
  (cd "$client" && npm ci --no-audit --no-fund --loglevel=error) >&2 </dev/null &
  local installing=$!

  say "Restoring …"
  dotnet restore "$root/Messaging.sln" --locked-mode -v quiet >&2 </dev/null || give_up "The restore failed."
  build_release Messaging.sln --no-restore -nodeReuse:false || give_up "The build failed."
  wait "$installing" || give_up "npm ci failed."
}

# Whatever keeps the tests from running counts as a failure in the last line too.
give_up() {
  say "$*"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

# Adds one project's results to the totals. Only a whole report with tests in it and a clean end of the test host count.
add_up() {
  local name=$1 code=$2 counters total executed bad
  counters=$(tr '\n' ' ' 2>/dev/null <"$results/$name.trx" | grep -o '<Counters [^>]*>')
  total=$(counter total) executed=$(counter executed)
  bad=$((total - $(counter passed) - (total - executed)))
  passed=$((passed + $(counter passed)))
  skipped=$((skipped + total - executed))

  if [ "$executed" -eq 0 ]; then
    broken+=("$name ran no test")
    bad=1
  elif [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
    broken+=("$name ended with $code although no test failed: its host crashed or hung")
    bad=1
  elif [ "$bad" -gt 0 ]; then
    broken+=("$name: $bad failed")
  fi
  failed=$((failed + bad))
}

counter() {
  local value
  value=$(sed -n "s/.*[ ]$1=\"\([0-9]*\)\".*/\1/p" <<<"$counters")
  echo "${value:-0}"
}

fast=false build=true
for argument in "$@"; do
  case $argument in
    --fast) fast=true ;;
    --no-build) build=false ;;
    *) say "Usage: test.sh [--fast] [--no-build]"; exit 2 ;;
  esac
done

if $build; then prepare; fi
cd "$root" || exit 1

# Where a Docker engine answers, each project starts a container of its own. Elsewhere one private server serves all, and goes
# when this script ends, however it does. Only a server that was given may have one database for all.
at_once=${MESSAGING_TEST_AT_ONCE:-2}
if [ -z "${MESSAGING_TEST_DATABASE:-}" ]; then
  export MESSAGING_TEST_AT_ONCE=$at_once
  if ! docker version >/dev/null 2>&1; then
    options=(--no-build)
    if $fast; then options+=(--fast); fi
    exec dotnet "$launcher" with-postgres -- "$root/test.sh" "${options[@]}"
  fi
elif [ -z "${MESSAGING_TEST_AT_ONCE:-}" ]; then
  at_once=1
fi

filter=()
if $fast; then filter=(--filter "TestCategory!=Fault&TestCategory!=Browser&TestCategory!=MultiNode"); fi

passed=0 failed=0 skipped=0 broken=()
rm -rf "$results"
mkdir -p "$results"

run_tests() {
  local name
  name=$(basename "$1" .csproj)
  dotnet test "$1" --no-build -c Release -nologo -v quiet --results-directory "$results" --logger "trx;LogFileName=$name.trx" \
    --logger "console;verbosity=minimal" --blame-hang-timeout 10m --blame-hang-dump-type none "${filter[@]}" \
    </dev/null >"$results/$name.log" 2>&1
  echo $? >"$results/$name.code"
}

mapfile -t projects < <(sed -n 's/^Project(.*"\(tests[\\/].*\.Tests\.csproj\)".*/\1/p' Messaging.sln | tr '\134' '/' | sort)
# First what starts and stops whole services: it waits for most of its time, while the others need the processors.
mapfile -t projects < <(printf '%s\n' "${projects[@]}" | grep EndToEnd; printf '%s\n' "${projects[@]}" | grep -v EndToEnd)

running=0 next=0
while [ $next -lt ${#projects[@]} ] || [ $running -gt 0 ]; do
  if [ $next -lt ${#projects[@]} ] && [ $running -lt "$at_once" ]; then
    say "Testing $(basename "${projects[next]}" .csproj) …"
    run_tests "${projects[next]}" &
    next=$((next + 1)) running=$((running + 1))
    continue
  fi
  wait -n
  running=$((running - 1))
  # Whichever has ended says how it went.
  for code in "$results"/*.code; do
    [ -f "$code" ] || continue
    name=$(basename "$code" .code)
    cat "$results/$name.log"
    add_up "$name" "$(cat "$code")"
    rm "$code"
  done
done

if [ $((passed + failed)) -eq 0 ]; then
  broken+=("no test project was found")
  failed=1
fi
for reason in "${broken[@]}"; do say "$reason"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
