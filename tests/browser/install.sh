#!/usr/bin/env bash
# Installs what the browser tests need and Python packages cannot bring: Chromium, and a font with Hangul. Safe to repeat.
set -euo pipefail

# The headless shell is Chromium without the parts around its pages, which take half the processor time of the tests' pages.
SHELL_PACKAGE=chromium-headless-shell
browser() { command -v $SHELL_PACKAGE || command -v chromium || command -v chromium-browser || command -v google-chrome; }
hangul() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ko family)" ]; }
find_missing() {
  missing=()
  if ! command -v $SHELL_PACKAGE >/dev/null && apt-cache show $SHELL_PACKAGE >/dev/null 2>&1; then
    missing+=($SHELL_PACKAGE)
  else
    browser >/dev/null || missing+=(chromium)
  fi
  hangul || missing+=(fontconfig fonts-noto-cjk)
}

find_missing
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  browser >/dev/null && { echo "No font with Hangul found; screenshots will show boxes." >&2; exit 0; }
  echo "The browser tests need Chromium: install it with your package manager, then run this again." >&2
  exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    browser >/dev/null && hangul && exit 0
    echo "Missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  sudo=sudo
fi
echo "Installing ${missing[*]} for the browser tests ..."
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
find_missing # only now may apt know its packages
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
browser >/dev/null || { echo "apt-get succeeded, but no chromium is on the PATH." >&2; exit 1; }
