# SPDX-License-Identifier: MIT
# usage: data_parallel.mpi.sh PROGRAM MPIRUN. 2 and 3 processes on this machine, then 3 that have nothing in common but a network: each in
# its own network namespace under its own host name.
set -u
program=$1 mpirun=$2
for processes in 2 3; do
  "$mpirun" -n $processes "$program" || exit 1
done

own=trm$$
work=$(mktemp -d)
clean_up() {
  for i in 1 2 3; do ip netns del $own-$i; done
  ip link del $own
  rm -r "$work"
} 2>/dev/null
trap clean_up EXIT
machines() {
  ip link add $own type bridge && ip link set $own up || return 1
  for i in 1 2 3; do
    ip netns add $own-$i && ip link add $own.$i type veth peer name eth0 netns $own-$i &&
      ip link set $own.$i master $own up && ip -n $own-$i link set lo up &&
      ip -n $own-$i addr add 10.213.77.$i/24 dev eth0 && ip -n $own-$i link set eth0 up || return 1
  done
  unshare -u hostname machine0
}
if ! machines >"$work/log" 2>&1; then
  echo "MESSAGE: SKIPPED, network namespaces cannot be made here: $(tail -n 1 "$work/log")"
  exit 0
fi
# What mpirun calls in place of ssh: HOST COMMAND...
cat >"$work/agent" <<AGENT
#!/bin/sh
i=\${1##*.}
shift
exec ip netns exec $own-\$i unshare -u sh -c "hostname machine\$i; \$*"
AGENT
chmod +x "$work/agent"
ip netns exec $own-1 unshare -u sh -c "hostname machine1; exec '$mpirun' \
  --mca plm_rsh_agent '$work/agent' --mca plm_rsh_no_tree_spawn 1 --mca btl tcp,self \
  -H 10.213.77.1,10.213.77.2,10.213.77.3 -n 3 sh -c 'echo on \$(hostname); exec \"$program\"'" >"$work/log" 2>&1
code=$?
cat "$work/log"
[ $code = 0 ] && [ "$(grep -c '^on machine[123]$' "$work/log")" = 3 ]
