#!/usr/bin/env bash
# Installs what a local OpenSearch node needs and Python packages cannot bring: Java 17 to 23, Maven, openssl. Safe to repeat.
set -euo pipefail

missing=()
command -v java >/dev/null || missing+=(default-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
command -v openssl >/dev/null || missing+=(openssl)
command -v ps >/dev/null || missing+=(procps)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "A local OpenSearch node needs java (17 to 23), mvn and openssl: install them with your package manager, then run this again." >&2
  exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=sudo
fi
echo "Installing ${missing[*]} for a local OpenSearch node ..."
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
command -v java >/dev/null || { echo "apt-get succeeded, but no java is on the PATH." >&2; exit 1; }
