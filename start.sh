#!/usr/bin/env bash
# Starts Messaging with a PostgreSQL of its own: see README.md. With --json, standard output is one JSON object.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tools/setup.sh
. "$root/tools/setup.sh"

launcher="$root/tools/Messaging.Start/bin/Release/net10.0/Messaging.Start.dll"
service="$root/src/Messaging.Api/bin/Release/net10.0/Messaging.Api.dll"
stamp="$root/artifacts/start.built"

# Built and nothing that goes into it has changed since, folders included: they tell of files that are gone.
is_built() {
  [ -f "$launcher" ] && [ -f "$service" ] && [ -f "$stamp" ] && [ -z "$(
    find "$root"/*.props "$root/global.json" "$root/.editorconfig" "$root/db" "$root/src" "$root/tools" \
      \( -name bin -o -name obj \) -prune -o -newer "$stamp" -print | head -n 1
  )" ]
}

build() {
  say "Building …"
  local started
  started=$(mktemp "$root/artifacts/start.XXXXXX")
  # No build server stays behind: what start.sh started ends with it.
  if ! (cd "$root" && dotnet build tools/Messaging.Start -c Release -nologo -v quiet -clp:NoSummary --disable-build-servers) >&2 </dev/null; then
    rm -f "$started"
    fail "The build failed."
  fi
  mv "$started" "$stamp"
}

need_dotnet "$root"
if [ -z "${ConnectionStrings__Messaging:-}" ]; then need_postgres; fi

mkdir -p "$root/artifacts"
if ! is_built; then
  # Two starts side by side build once.
  exec 9>"$root/artifacts/start.lock"
  if command -v flock >/dev/null; then flock 9; fi
  is_built || build 9>&-
  exec 9>&-
fi

exec dotnet "$launcher" "$@"
