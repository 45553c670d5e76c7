# shellcheck shell=bash
# shellcheck disable=SC2034 # its variables are for those who source it
# Shared by the scripts: packages, builds, small talk. Source it; it changes into the project's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

# What building needs on Debian 12.
build_packages=(build-essential pkg-config meson ninja-build protobuf-c-compiler libprotobuf-c-dev
  libprotobuf-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev libzstd-dev libjansson-dev
  libmicrohttpd-dev libyaml-dev libcmocka-dev libnghttp2-dev libevent-dev ca-certificates)

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root or sudo to run: $*"; fi
}

# Installs the Debian packages that are not there yet.
apt_install() {
  local missing=() p
  for p in "$@"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || die "needs these packages (this is not Debian): ${missing[*]}"
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# Sets up a build of what the tarball holds: all but the C library linked in. --exclude-libs: libcurl brings the host's
# OpenSSL and zlib; they must not meet ours.
setup_tarball() { # DIR SOURCES
  LDFLAGS="-s -Wl,--exclude-libs,ALL" meson setup "$1" "$2" -Dprefer_static=true -Dtests=false
}

# build DIR [meson options]: sets up or adjusts, then compiles.
build() {
  local dir=$1
  shift
  if [ ! -f "$dir/build.ninja" ]; then
    meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log"; return 1; }
    rm -f "$dir.log"
  elif [ $# -gt 0 ]; then
    meson configure "$dir" "$@" >/dev/null
    ninja -C "$dir" build.ninja >/dev/null
  fi
  ninja -C "$dir" --quiet
}
