#!/usr/bin/env bash
# Installs what the browser tests need and Python packages cannot bring: Chromium, and a font with Hangul. Safe to repeat.
set -euo pipefail

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
hangul() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ko family)" ]; }

missing=()
browser >/dev/null || missing+=(chromium)
hangul || missing+=(fontconfig fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  browser >/dev/null && { echo "No font with Hangul found; screenshots will show boxes." >&2; exit 0; }
  echo "The browser tests need Chromium: install it with your package manager, then run this again." >&2
  exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=sudo
fi
echo "Installing ${missing[*]} for the browser tests ..."
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
browser >/dev/null || { echo "apt-get succeeded, but no chromium is on the PATH." >&2; exit 1; }
