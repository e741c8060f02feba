#!/usr/bin/env bash
# Installs Debian's Chromium for the tests that need a browser. Says what it does; where it cannot, it says why and
# ends well, and those tests are skipped with a line.
set -euo pipefail

chromium=${CHROMIUM:-/usr/bin/chromium}
if [ -x "$chromium" ]; then
  echo "Chromium is installed: $chromium"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "Chromium is not installed and there is no apt-get: browser tests will be skipped."
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Chromium is not installed and this is not root: browser tests will be skipped. \`sudo $0\` installs it."
  exit 0
fi
echo "Installing Chromium with apt-get …"
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }; then
  echo "apt-get could not install Chromium: browser tests will be skipped."
  exit 0
fi
echo "Chromium is installed: $chromium"
