#!/usr/bin/env bash
# What the tests can use beside Node: a browser for the simulator's page, strace for the power cuts. Without them these
# tests are skipped.
set -euo pipefail

find_chromium() {
  local name
  [ -n "${CHROME_PATH:-}" ] && return 0
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    command -v "$name" >/dev/null && return 0
  done
  return 1
}

if find_chromium; then
  echo "Chromium is installed."
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; then
    echo "Chromium was installed with apt-get."
  else
    echo "Chromium could not be installed; the tests of the simulator's page are skipped." >&2
  fi
else
  echo "No Chromium here: install it, or name it in CHROME_PATH. The tests of the simulator's page are skipped." >&2
fi

if command -v strace >/dev/null; then
  echo "strace is installed."
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends strace >/dev/null || echo "strace could not be installed." >&2
else
  echo "No strace here: the power cuts at real processes are skipped." >&2
fi
