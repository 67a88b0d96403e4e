#!/usr/bin/env sh
# Compiles tally.c into the file named as first argument; needs clang with wasm32, and lld.
set -eu
exec clang --target=wasm32 -std=c11 -Os -Wall -Wextra -ffreestanding -nostdlib \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=8192 \
  -Wl,--initial-memory=65536 -Wl,--max-memory=262144 \
  -o "$1" "$(dirname "$0")/tally.c"
