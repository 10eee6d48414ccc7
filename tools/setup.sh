# shellcheck shell=bash
# What start.sh and test.sh share. They set root, the repository's folder, and source this; it speaks on standard error.
: "${root:?}"

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false

say() { printf '%s\n' "$*" >&2; }

fail() { say "$*"; exit 1; }

# The SDK is the one thing that is assumed; the version stands in global.json.
need_dotnet() {
  if ! command -v dotnet >/dev/null && [ -x "$HOME/.dotnet/dotnet" ]; then
    export PATH="$HOME/.dotnet:$PATH"
  fi
  command -v dotnet >/dev/null || fail "The .NET SDK is missing: install $(sdk_version) from https://dotnet.microsoft.com/download."
  (cd "$root" && dotnet --version >/dev/null 2>&1) ||
    fail "The .NET SDK $(sdk_version) is missing; installed: $(dotnet --list-sdks | tr '\n' ' ')"
}

sdk_version() { sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$root/global.json"; }

# Installs programs of the system's packages where that is allowed; whoever needs them says so when they are missing.
#   install_packages <what it is> <apt packages> <dnf packages> <apk packages>
install_packages() {
  local admin=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || return 0
    admin=(sudo -n)
  fi
  # Words of a list each: package names have no spaces.
  # shellcheck disable=SC2086
  if command -v apt-get >/dev/null; then
    say "Installing $1 …"
    {
      "${admin[@]}" apt-get update -qq &&
        "${admin[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2
    } >&2 </dev/null || true
  elif command -v dnf >/dev/null; then
    say "Installing $1 …"
    "${admin[@]}" dnf install -y -q $3 >&2 </dev/null || true
  elif command -v apk >/dev/null; then
    say "Installing $1 …"
    "${admin[@]}" apk add --quiet $4 >&2 </dev/null || true
  fi
}

# What images are made with. Without it they are kept as they come, and readiness says so.
need_vips() {
  command -v vips >/dev/null && command -v prlimit >/dev/null ||
    install_packages libvips "libvips-tools util-linux" "vips-tools util-linux" "vips-tools util-linux"
}

# The virus scanner that tests of files talk to, with a signature of their own.
need_clamd() {
  command -v clamd >/dev/null || install_packages clamd clamav-daemon clamd clamav-daemon
}

# What the example in Python is run with.
need_python() {
  command -v python3 >/dev/null || install_packages Python python3 python3 python3
}

# The brokers that tests of several nodes start as private ones. Where the package would start one for the system, it is told not to.
need_brokers() {
  if command -v rabbitmq-server >/dev/null && command -v redis-server >/dev/null; then return; fi
  # Read by Debian's invoke-rc.d, and by nobody else.
  local no_service=/usr/sbin/policy-rc.d admin=()
  if [ "$(id -u)" != 0 ]; then admin=(sudo -n); fi
  if command -v apt-get >/dev/null && [ ! -e "$no_service" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${admin[@]}" tee "$no_service" >/dev/null 2>&1 && "${admin[@]}" chmod +x "$no_service"
    install_packages "RabbitMQ and Redis" "rabbitmq-server redis-server" "" ""
    "${admin[@]}" rm -f "$no_service" 2>/dev/null
  else
    install_packages "RabbitMQ and Redis" "rabbitmq-server redis-server" "rabbitmq-server redis" "rabbitmq-server redis"
  fi
}

# PostgreSQL's server programs, 15 or newer. Where they cannot be installed, the launcher tries Docker or says what to do.
need_postgres() {
  if has_postgres || docker version >/dev/null 2>&1; then return; fi

  local admin=()
  if [ "$(id -u)" != 0 ]; then
    if command -v brew >/dev/null; then
      say "Installing PostgreSQL …"
      brew install --quiet postgresql@17 >&2 || true
      return
    fi
    sudo -n true 2>/dev/null || return 0
    admin=(sudo -n)
  fi

  if command -v apt-get >/dev/null; then
    say "Installing PostgreSQL …"
    apt_postgres "${admin[@]}" >&2 </dev/null || true
  elif command -v dnf >/dev/null; then
    say "Installing PostgreSQL …"
    "${admin[@]}" dnf install -y -q postgresql-server postgresql-contrib util-linux >&2 </dev/null || true
  elif command -v apk >/dev/null; then
    say "Installing PostgreSQL …"
    "${admin[@]}" apk add --quiet postgresql postgresql-contrib setpriv >&2 </dev/null || true
  fi
}

# Debian makes and starts a cluster of its own with the package, which nobody here needs; its configuration says not to.
apt_postgres() {
  local install=("$@" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold)
  local switch=/etc/postgresql-common/createcluster.conf
  "$@" apt-get update -qq && "${install[@]}" postgresql-common || return
  "$@" cp -p "$switch" "$switch.before"
  echo 'create_main_cluster = false' | "$@" tee -a "$switch" >/dev/null
  "${install[@]}" postgresql
  "$@" mv "$switch.before" "$switch"
}

has_postgres() {
  local initdb version
  for initdb in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb /usr/libexec/postgresql*/initdb \
    /opt/homebrew/opt/postgresql@*/bin/initdb /usr/local/opt/postgresql@*/bin/initdb "$(command -v initdb)"; do
    [ -x "$initdb" ] || continue
    version=$("$initdb" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    if [ "${version:-0}" -ge 15 ]; then return 0; fi
  done
  return 1
}

launcher="$root/tools/Messaging.Start/bin/Release/net10.0/Messaging.Start.dll"
service="$root/src/Messaging.Api/bin/Release/net10.0/Messaging.Api.dll"
built="$root/artifacts/built"

# What goes into the build.
sources() {
  find "$root"/*.props "$root/global.json" "$root/.editorconfig" "$root/db" "$root/src" "$root/tools" \
    \( -name bin -o -name obj \) -prune -o -type f "$@" -print | LC_ALL=C sort
}

# Built, with no source changed, added or gone since. The list of sources is in the stamp, which is as old as the build's begin.
is_built() {
  [ -f "$launcher" ] && [ -f "$service" ] && [ -f "$built" ] \
    && [ -z "$(sources -newer "$built")" ] && [ "$(sources)" = "$(cat "$built")" ]
}

# Builds a project or solution in Release: with its progress on a terminal, elsewhere with its output only when it fails.
build_release() {
  mkdir -p "$root/artifacts"
  local began="$root/artifacts/built.$$" log="$root/artifacts/build.$$.log" output=/dev/stderr result=0
  sources >"$began"
  say "Building …"
  if ! [ -t 2 ]; then output=$log; fi
  (cd "$root" && dotnet build "$@" -c Release -nologo -v quiet) >"$output" 2>&1 </dev/null || result=$?
  if [ "$result" = 0 ]; then
    mv "$began" "$built"
  elif [ -f "$log" ]; then
    cat "$log" >&2
  fi
  rm -f "$began" "$log"
  return "$result"
}
