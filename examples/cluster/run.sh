#!/usr/bin/env bash
# run.sh path/to/stormo directory: runs a cluster of three nodes on this machine until it gets SIGINT or
# SIGTERM. Each node has an address, a NATS server and a Stormo server; their state, logs and pids are
# below `directory`, and the next start goes on from there. docs/scaling.md does the same by hand.
# run.sh stop directory: ends one that runs elsewhere, or what was left of one.
set -euo pipefail

PATH=$PATH:/usr/sbin  # users other than root need not have it
nodes=(h1 h2 h3)
declare -A address=([h1]=127.0.0.1 [h2]=127.0.0.2 [h3]=127.0.0.3)
servers=nats://127.0.0.1:4222,nats://127.0.0.2:4222,nats://127.0.0.3:4222
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$2"
state=$(cd "$2" && pwd)

fail() {
  echo "cluster: $*" >&2
  exit 1
}

# pid_of name: of `run`, or a process as h1.nats or h1.stormo, if it runs. Its command line names its
# directory: another process may have got the pid since.
pid_of() {
  local pid
  pid=$(cat "$state/$1.pid" 2>/dev/null) || return 1
  grep -zqF -- "$state" "/proc/$pid/cmdline" 2>/dev/null || return 1
  echo "$pid"
}

answers() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

is_ready() {
  local line
  # shellcheck disable=SC2016
  line=$(timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/1234"
    printf "GET /ready HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" "$0" >&3
    head -n 1 <&3' "$1" 2>/dev/null) && [[ $line == *' 200 '* ]]
}

# --- Processes. setsid: Ctrl-C is for this script alone, which ends them in their order. ---

start_nats() {
  local node=$1 ip=${address[$1]}
  mkdir -p "$state/$node/jetstream"
  cat >"$state/$node/nats.conf" <<END
server_name: $node
listen: "$ip:4222"
jetstream { store_dir: "$state/$node/jetstream" }
cluster {
  name: stormo
  listen: "$ip:6222"
  routes: [ nats://127.0.0.1:6222, nats://127.0.0.2:6222, nats://127.0.0.3:6222 ]
}
END
  setsid nats-server -c "$state/$node/nats.conf" >>"$state/$node.nats.log" 2>&1 </dev/null &
  echo $! >"$state/$node.nats.pid"
  disown
}

start_stormo() {
  local node=$1 ip=${address[$1]}
  setsid "$stormo" start --cluster "$servers" --node "$node" --listen "websocket://$ip:1234" \
    --workers 2 --history-groups '*' --runtime-dir "$state/$node" \
    >>"$state/$node.stormo.log" 2>&1 </dev/null &
  echo $! >"$state/$node.stormo.pid"
  disown
}

# end_all kind: ends all of that kind at once, and waits for them.
end_all() {
  local node pid pids=()
  for node in "${nodes[@]}"; do
    if pid=$(pid_of "$node.$1"); then
      kill "$pid" 2>/dev/null && pids+=("$pid")
    fi
  done
  for pid in "${pids[@]}"; do
    tail -f /dev/null --pid "$pid" -s 0.1
  done
}

# The nodes first: they write what their clients have sent.
end_cluster() {
  trap '' INT TERM
  trap - EXIT
  end_all stormo
  end_all nats
  rm -f "$state/run.pid"
}

stop() {
  local pid
  if pid=$(pid_of run); then
    kill "$pid"
    tail -f /dev/null --pid "$pid" -s 0.1
  else
    end_cluster
  fi
  echo "cluster: stopped; 'rm -r $state' removes its messages"
}

# --- The cluster ---

# check_alive name...: fails if one of them has ended.
check_alive() {
  local name
  for name in "$@"; do
    pid_of "$name" >/dev/null && continue
    tail -n 5 "$state/$name.log" >&2
    fail "$name has ended; the end of its log is above: $state/$name.log"
  done
}

start_cluster() {
  local node name all=()
  pid_of run >/dev/null && fail "it runs already; to stop it: ./dev cluster stop"
  end_cluster  # what was left of one that was killed
  for node in "${nodes[@]}"; do
    for port in 4222 6222 1234; do
      answers "${address[$node]}" "$port" && fail "${address[$node]}:$port is in use by another program" \
        "(see 'ss -ltnp'; Debian's own NATS server ends with: systemctl stop nats-server)"
    done
  done
  echo $$ >"$state/run.pid"
  trap end_cluster EXIT
  trap 'exit 0' INT TERM
  for node in "${nodes[@]}"; do
    start_nats "$node"
    start_stormo "$node"
    all+=("$node.nats" "$node.stormo")
  done
  echo "cluster: waiting until three NATS servers have elected a leader, and three nodes are ready"
  for node in "${nodes[@]}"; do
    until is_ready "${address[$node]}"; do
      check_alive "${all[@]}"
      sleep 0.1
    done
  done
}

processes() {
  local node
  printf '\n%-6s%-26s%-22s%s\n' node clients 'its process' 'its NATS server'
  for node in "${nodes[@]}"; do
    printf '%-6s%-26s%-22s%s\n' "$node" "ws://${address[$node]}:1234" \
      "pid $(cat "$state/$node.stormo.pid")" "pid $(cat "$state/$node.nats.pid")"
  done
}

summary() {
  processes
  cat <<END

a page with a client of each node  file://$here/page.html
the nodes, as h1 knows them        $stormo nodes --runtime-dir $state/h1
the processes of a node            $stormo status --runtime-dir $state/h1
publish through a node             $stormo pub demo hello --runtime-dir $state/h2
to kill a node or a NATS server    kill -9 and its pid; press Enter here to start it again
logs                               $state/*.log

Ctrl-C stops all of it.
END
}

# Reports what has ended, and starts it again when the user presses Enter.
watch() {
  local node name ended reported=''
  while true; do
    ended=
    for node in "${nodes[@]}"; do
      for name in "$node.nats" "$node.stormo"; do
        pid_of "$name" >/dev/null || ended+="$name "
      done
    done
    [[ -z $ended || $ended == "$reported" ]] || echo "cluster: ended: $ended(Enter starts it again)"
    reported=$ended
    if [[ ! -t 0 ]]; then
      sleep 1
    elif read -r -t 1 && [[ $ended ]]; then
      for name in $ended; do "start_${name#*.}" "${name%.*}"; done
      processes
    fi
  done
}

if [[ $1 == stop ]]; then
  stop
else
  stormo=$(realpath "$1")
  start_cluster
  summary
  watch
fi
