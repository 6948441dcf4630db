#!/bin/sh
# Builds the CNI plugin for both architectures: sh src/cni/plugin/build.sh [DIRECTORY]; default dist/cni.
# Static, so that it runs on any host whatever its libc; `-Os`, because it is started for each pod and computes nothing.
set -eu
source=$(dirname "$0")
out=${1:-$source/../../../dist/cni}
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$source/../../../package.json")
mkdir -p "$out"

# The machine's own compiler, or Debian's cross compiler.
compiler() {
  if [ "$(uname -m)" = "$1" ]; then echo gcc; else echo "$1-linux-gnu-gcc"; fi
}

# $1 as uname has it, $2 as Node has it.
build() {
  cc=$(compiler "$1")
  if ! command -v "$cc" >/dev/null; then
    echo "build:cni: $cc is not there (Debian: gcc libc6-dev, gcc-aarch64-linux-gnu libc6-dev-arm64-cross)" >&2
    exit 1
  fi
  "$cc" -std=gnu11 -Os -static -s -Wall -Wextra -Werror -Wconversion -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
    -ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,--build-id=none "-DVERSION=\"$version\"" \
    -o "$out/calico-cni-ts-$2.new" "$source"/*.c
  # A plugin that runs at this moment keeps the old file.
  mv "$out/calico-cni-ts-$2.new" "$out/calico-cni-ts-$2"
}

build x86_64 x64
build aarch64 arm64
