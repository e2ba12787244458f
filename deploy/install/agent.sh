#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Vigil agent on this host, enrols it with the token on stdin, starts it. Again: changes nothing, or upgrades.
#   agent.sh              as root: /opt/vigil-agent and a service; as another user: below the home folder
#   agent.sh uninstall    removes everything this script made
set -eu
umask 022

URL='@URL@'
ARCHIVE='@ARCHIVE@'
SHA256='@SHA256@'
VERSION='@VERSION@'
MACHINE='@MACHINE@'
# Packed and unpacked side by side, with room to breathe.
NEEDED_KB=260000

say() { printf '%s\n' "$*"; }
die() {
  printf 'vigil-agent: %s: %s\n  %s\n' "$1" "$2" "$3" >&2
  exit "${4:-2}"
}

if [ "$(id -u)" = 0 ]; then
  root=yes
  home=/opt/vigil-agent
  state=/var/lib/vigil-agent
else
  root=no
  home=${XDG_DATA_HOME:-$HOME/.local/share}/vigil-agent
  state=${XDG_STATE_HOME:-$HOME/.local/state}/vigil-agent
fi
unit=/etc/systemd/system/vigil-agent.service
has_systemd() { [ "$root" = yes ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; }

uninstall() {
  if [ "$root" = yes ]; then
    if has_systemd; then systemctl disable --now vigil-agent.service >/dev/null 2>&1 || true; fi
    rm -f "$unit"
    if has_systemd; then systemctl daemon-reload; fi
  fi
  rm -rf "$home" "$state"
  if [ "$root" = yes ] && id vigil-agent >/dev/null 2>&1; then
    if command -v userdel >/dev/null 2>&1; then userdel vigil-agent; else deluser vigil-agent; fi
  fi
  say 'The Vigil agent is gone from this host. Retire it at the collector: vigil agent retire AGENT'
}

fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSk --retry 3 -o "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q --no-check-certificate -O "$2" "$1"
  else
    die INSTALL_NO_FETCH 'there is neither curl nor wget here' 'Install one of them and run the line again.'
  fi
}

check_host() {
  [ "$(uname -s)" = Linux ] || die INSTALL_PLATFORM "this is $(uname -s)" 'The agent runs on Linux.'
  [ "$(uname -m)" = "$MACHINE" ] || die INSTALL_PLATFORM "this machine is $(uname -m), the package is for $MACHINE" 'Take the line from a collector on such a machine.'
  if [ -e /lib/ld-musl-x86_64.so.1 ] || [ -e /lib/ld-musl-aarch64.so.1 ]; then
    [ -e /lib64/ld-linux-x86-64.so.2 ] || [ -e /lib/ld-linux-aarch64.so.1 ] ||
      die INSTALL_PLATFORM 'this system has musl in the place of glibc' 'The Node of the package needs glibc 2.28 or later.'
  fi
}

# The new version stands whole beside the old one before anything points to it: a disk that fills up costs nothing.
unpack() {
  mkdir -p "$home/versions"
  free=$(df -Pk "$home" | awk 'NR==2 {print $4}')
  [ "$free" -ge "$NEEDED_KB" ] ||
    die INSTALL_DISK_FULL "$home has $((free / 1000)) MB free, $((NEEDED_KB / 1000)) MB are needed" 'Make room and run the line again; what was installed before goes on unchanged.' 3
  new=$home/versions/.$SHA256.new
  rm -rf "$new" "$home"/versions/.*.new "$home/.package.tar.gz"
  fetch "$URL/install/$ARCHIVE" "$home/.package.tar.gz" ||
    die INSTALL_FETCH "$URL/install/$ARCHIVE cannot be fetched" 'Check the way to the collector and its port.' 3
  echo "$SHA256  $home/.package.tar.gz" | sha256sum -c - >/dev/null 2>&1 || {
    rm -f "$home/.package.tar.gz"
    die INSTALL_HASH 'the package is not the one this line was made for' 'Make a new line at the collector: vigil agent token create'
  }
  mkdir -p "$new"
  tar -xzf "$home/.package.tar.gz" -C "$new" --no-same-owner 2>/dev/null || {
    rm -rf "$new" "$home/.package.tar.gz"
    die INSTALL_DISK_FULL "the package cannot be unpacked into $home" 'Make room and run the line again; what was installed before goes on unchanged.' 3
  }
  rm -f "$home/.package.tar.gz"
  [ "$("$new/bin/vigil-agent" --version)" = "$VERSION" ] ||
    die INSTALL_DOES_NOT_RUN 'the new agent does not start here' "Look what $new/bin/vigil-agent --version says." 3
  mv "$new" "$home/versions/$SHA256"
  ln -s "versions/$SHA256" "$home/.current.new"
  mv -f -T "$home/.current.new" "$home/current" 2>/dev/null || { rm -f "$home/current" && mv "$home/.current.new" "$home/current"; }
}

# The version before stays for a way back; older ones go.
tidy() {
  for dir in "$home"/versions/*; do
    [ "$dir" = "$home/versions/$SHA256" ] || [ "$dir" = "${before:-}" ] || rm -rf "$dir"
  done
}

account() {
  id vigil-agent >/dev/null 2>&1 && return
  shell=/usr/sbin/nologin
  [ -e "$shell" ] || shell=/sbin/nologin
  if command -v useradd >/dev/null 2>&1; then
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell "$shell" vigil-agent
  else
    addgroup -S vigil-agent && adduser -S -D -H -h /nonexistent -s "$shell" -G vigil-agent vigil-agent
  fi
}

enrolled() { [ -e "$state/identity.json" ]; }

enrol() {
  [ -t 0 ] && die INSTALL_NO_TOKEN 'no token came on stdin' 'Paste the whole line that `vigil agent token create` printed.'
  mkdir -p "$state"
  chmod 700 "$state"
  "$home/current/bin/vigil-agent" enrol --token - --state "$state" >/dev/null || exit 2
}

service() {
  if ! cmp -s "$home/current/vigil-agent.service" "$unit" 2>/dev/null; then
    cp "$home/current/vigil-agent.service" "$unit.new"
    mv -f "$unit.new" "$unit"
    systemctl daemon-reload
    changed=yes
  fi
  systemctl is-enabled --quiet vigil-agent.service 2>/dev/null || systemctl enable --quiet vigil-agent.service
  if [ "$changed" = yes ]; then
    systemctl restart vigil-agent.service
  elif ! systemctl is-active --quiet vigil-agent.service; then
    systemctl start vigil-agent.service
  fi
}

main() {
  changed=no
  check_host
  if [ -x "$home/versions/$SHA256/bin/vigil-agent" ] && [ "$(readlink "$home/current" 2>/dev/null)" = "versions/$SHA256" ]; then
    say "The Vigil agent $VERSION is installed in $home already."
  else
    before=$(readlink -f "$home/current" 2>/dev/null || true)
    unpack
    changed=yes
    say "The Vigil agent $VERSION is installed in $home."
  fi
  tidy
  if enrolled; then
    say 'It keeps its identity and its spool.'
  else
    enrol
    changed=yes
    say 'It is enrolled.'
  fi
  if [ "$root" = yes ]; then
    account
    chown -R vigil-agent:vigil-agent "$state"
  fi
  if has_systemd; then
    service
    say 'It runs as the service vigil-agent: systemctl status vigil-agent'
  else
    say "There is no systemd to start it here. Run it by hand or from your supervisor${root:+}:"
    say "  $home/current/bin/vigil-agent run --state $state"
  fi
  say ''
  "$home/current/bin/vigil-agent" plan --state "$state" || true
}

case ${1:-install} in
  install) main ;;
  uninstall) uninstall ;;
  *) die INSTALL_USAGE "there is no '$1'" 'agent.sh or agent.sh uninstall' ;;
esac
