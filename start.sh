#!/usr/bin/env bash
# Starts Messaging with a PostgreSQL of its own: see README.md. With --json, standard output is one JSON object.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tools/setup.sh
. "$root/tools/setup.sh"

need_dotnet
if [ -z "${ConnectionStrings__Messaging:-}" ]; then need_postgres; fi
need_vips

mkdir -p "$root/artifacts"
if ! is_built; then
  # Two starts side by side build once.
  exec 9>"$root/artifacts/start.lock"
  if command -v flock >/dev/null; then flock 9; fi
  # No build server stays behind: what was started here ends with it.
  is_built || build_release tools/Messaging.Start --disable-build-servers 9>&- || fail "The build failed."
  exec 9>&-
fi

exec dotnet "$launcher" "$@"
