#!/usr/bin/env bash
# Runs as root inside a new Debian 12 that has the packages and README.md in /check, for check.sh. Its network is that of
# the machine, so all ports are free ones.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

step() { echo "== $*"; }
fail() { echo "check: $*" >&2; exit 1; }
is() { [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"; }
as_service() { setpriv --reuid=stormo --regid=stormo --clear-groups env STORMO_RUNTIME_DIR=/var/lib/stormo "$@"; }

step "install the server"
apt-get install -q -y --no-install-recommends /check/stormo_*.deb >/check/apt.log 2>&1 || { cat /check/apt.log; exit 1; }
dpkg --verify stormo
is "the shell of the user" "$(getent passwd stormo | cut -d: -f7)" /usr/sbin/nologin
is "the number of conffiles" "$(dpkg-query -W -f '${Conffiles}\n' stormo | grep -c /etc/)" 2
[[ -e /etc/systemd/system/multi-user.target.wants/stormo.service ]] || fail "the service is not enabled"
[[ -e /usr/share/stormo/php/Stormo.php ]] || fail "the PHP library is missing"
dpkg -s libstormo-dev >/dev/null 2>&1 && fail "the server needs libstormo-dev"
stormo check-config /etc/stormo/stormo.toml

step "run it as the service's user, in the directory that systemd makes"
install -d /var/lib/stormo
install -d -m 700 -o stormo -g stormo /var/lib/stormo/stormo
grep -q '^listen = "websocket://127.0.0.1:1234"$' /etc/stormo/stormo.toml || fail "the file does not listen on loopback"
STORMO_LISTEN=websocket://127.0.0.1:0 as_service stormo start -d --config /etc/stormo/stormo.toml
trap 'stormo stop || true' EXIT
stormo status >/check/status  # root finds it
port=$(grep -o 'websocket://127.0.0.1:[0-9]*' /check/status | head -1 | sed 's/.*://')
stormo bench --url "ws://127.0.0.1:$port/" --members 20 --groups 2 --publishers 4 --seconds 1 >/check/bench ||
  { cat /check/bench; fail "a message is missing"; }
stormo reload
stormo stop
trap - EXIT
rm -rf /var/lib/stormo

step "run /usr/bin/stormo start as root, with settings of the environment"
STORMO_WORKERS=3 STORMO_LISTEN=websocket://127.0.0.1:0 /usr/bin/stormo start -d
trap 'stormo stop || true' EXIT
is "the number of workers" "$(stormo status --json | grep -o '"kind":"worker"' | wc -l)" 3
stormo stop
trap - EXIT

step "build the README's program with CMake, then with pkg-config"
apt-get install -q -y --no-install-recommends /check/libstormo-dev_*.deb cmake g++ make pkg-config \
  >/check/apt.log 2>&1 || { cat /check/apt.log; exit 1; }
mkdir /check/program
sed -n '/^```cpp$/,/^```$/p' /check/README.md | sed '1d;$d; s/0.0.0.0:1234/127.0.0.1:0/' >/check/program/main.cc
sed -n '/^```cmake$/,/^```$/p' /check/README.md | sed '1d;$d' >/check/program/CMakeLists.txt
cmake -S /check/program -B /check/built >/check/cmake.log || { cat /check/cmake.log; exit 1; }
cmake --build /check/built
/check/built/chat --version
# shellcheck disable=SC2046
c++ -std=c++20 /check/program/main.cc -o /check/chat $(pkg-config --cflags --libs stormo)
/check/chat start -d
/check/chat status >/check/status
/check/chat stop

step "remove the packages"
mkdir -p /var/lib/stormo/stormo /var/lib/stormo/other
dpkg -r libstormo-dev stormo
[[ -e /etc/stormo/stormo.toml ]] || fail "the configuration file was removed"
[[ ! -e /usr/bin/stormo ]] || fail "the program was not removed"
dpkg -P stormo
[[ ! -e /etc/stormo/stormo.toml && ! -e /var/lib/stormo/stormo ]] || fail "files remain after a purge"
[[ -e /var/lib/stormo/other ]] || fail "another program's instance was removed"
step "ok"
