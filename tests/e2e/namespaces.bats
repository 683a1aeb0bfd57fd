#!/usr/bin/env bats
# Namespaces other than that of mounts, as a process sees them.
# shellcheck disable=SC2016

load helper

# How many things of System V IPC the user 12399 has.
left_by_user() {
    awk '$8 == 12399' /proc/sysvipc/shm
    awk '$5 == 12399' /proc/sysvipc/sem
    awk '$8 == 12399' /proc/sysvipc/msg
    find /dev/shm -user 12399
}

@test "RemoveIPC: gone with the last process of the user" {
    local leave='ipcmk -M 64 -S 1 -Q >/dev/null; touch /dev/shm/holden-'"$$"'; mkdir -p /dev/shm/holden-d-'"$$"'/x'
    see User=12399 Group=12399 "$leave"
    expect 0
    [ "$(left_by_user | wc -l)" -eq 6 ]
    # Root's is never touched.
    see RemoveIPC=yes true
    [ "$(left_by_user | wc -l)" -eq 6 ]
    "$C" start --name other -p User=12399 -p Group=12399 -- sleep 60
    see User=12399 Group=12399 RemoveIPC=yes true
    [ "$(left_by_user | wc -l)" -eq 6 ]
    "$C" stop other
    see User=12399 Group=12399 RemoveIPC=yes true
    expect 0
    [ -z "$(left_by_user)" ]
    see User=12399 Group=12399 RemoveIPC=yes "$leave; "'i=0; while [ $i -lt 1500 ]; do : >/dev/shm/holden-many-$i; i=$((i+1)); done'
    expect 0
    nothing_left() { [ -z "$(left_by_user)" ]; }
    eventually nothing_left
}

# Fails unless a process with the setting is in the same namespace of that kind as this shell, or
# is in another one.
shares() {
    [ "$("$C" run -p "$2" -- readlink "/proc/self/ns/$1")" = "$(readlink "/proc/self/ns/$1")" ]
}
has_own() {
    local own
    own=$("$C" run -p "$2" -- readlink "/proc/self/ns/$1")
    [[ "$own" == "$1:["* && "$own" != "$(readlink "/proc/self/ns/$1")" ]]
}

@test "each makes its own namespace and no other" {
    local kind
    for kind in net ipc uts user pid; do
        shares "$kind" PrivateMounts=yes
    done
    has_own net PrivateNetwork=yes
    has_own ipc PrivateIPC=yes
    has_own uts ProtectHostname=yes
    has_own user PrivateUsers=yes
    has_own pid PrivatePIDs=yes
    shares net PrivatePIDs=no
}

@test "PrivateNetwork: lo alone, and up" {
    see PrivateNetwork=yes 'tail -n +3 /proc/net/dev | cut -d: -f1; cat /proc/net/fib_trie | grep -c 127.0.0.1'
    [ "${lines[0]// /}" = lo ]
    [ "${#lines[@]}" -eq 2 ]
    [ "${lines[1]}" -ge 1 ]
}

@test "NetworkNamespacePath: by path and by name" {
    local id
    unshare --net="$T/net" true 2>/dev/null || { : >"$T/net"; unshare --net="$T/net" true; }
    id=$(nsenter --net="$T/net" readlink /proc/self/ns/net)
    see NetworkNamespacePath="$T/net" 'readlink /proc/self/ns/net'
    umount "$T/net"
    [ "$output" = "$id" ]
    see NetworkNamespacePath=no-such-name true
    expect 1
    one_line 'NetworkNamespacePath: .*No such file'
    see NetworkNamespacePath=/etc/passwd true
    expect 1
    one_line 'NetworkNamespacePath: /etc/passwd: no network namespace'
    see NetworkNamespacePath=../x true
    expect 2
}

@test "PrivateIPC: queues of its own" {
    local queue
    queue=$(ipcmk -Q | sed 's/.*: //')
    see PrivateIPC=yes 'ipcs -q | grep -c 0x; grep -c " /dev/mqueue mqueue " /proc/mounts'
    ipcrm -q "$queue"
    [ "$output" = "0
1" ]
}

@test "ProtectHostname: the name is the machine's and stays" {
    see ProtectHostname=yes 'cat /proc/sys/kernel/hostname; hostname other; (echo x >/proc/sys/kernel/hostname) 2>&1'
    [ "${lines[0]}" = "$(cat /proc/sys/kernel/hostname)" ]
    [[ "$output" == *"Read-only"* ]]
    [ "$(cat /proc/sys/kernel/hostname)" = "${lines[0]}" ]
}

@test "PrivateUsers: root and its own user, and no rights outside" {
    # Groups that are taken away could have been what a file is kept from.
    see PrivateUsers=yes 'cat /proc/self/setgroups'
    [ "$output" = deny ]
    see PrivateUsers=yes User=daemon 'id -u; id -g; awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map; grep CapEff /proc/self/status'
    expect 0
    [ "$output" = "1
1
0 0 1
1 1 1
CapEff:	0000000000000000" ]
    see PrivateUsers=yes 'id -u; wc -l </proc/self/uid_map; mount -t tmpfs none /mnt; hostname other'
    [ "${lines[0]}" = 0 ]
    [ "${lines[1]}" = 1 ]
    [[ "$output" == *"permission denied"* || "$output" == *"not permitted"* ]]
    see PrivateUsers=yes CapabilityBoundingSet=CAP_CHOWN 'grep CapBnd /proc/self/status'
    [ "$output" = "CapBnd:	0000000000000001" ]
    see PrivateUsers=yes User=daemon AmbientCapabilities=CAP_CHOWN 'grep CapEff /proc/self/status'
    [ "$output" = "CapEff:	0000000000000001" ]
    # Nobody else is left of how it came there.
    see PrivateUsers=yes 'read -r children </proc/$$/task/$$/children; echo "[$children]"'
    expect 0
    [ "$output" = "[]" ]
}

@test "ProtectClock takes what sets the clock" {
    see ProtectClock=yes 'grep CapBnd /proc/self/status'
    [ $((16#${output##*[[:space:]]} & (1 << 25 | 1 << 35))) -eq 0 ]
}

@test "PrivatePIDs: only its own processes, all reaped, the status passed on" {
    see PrivatePIDs=yes 'echo $$; ls -d /proc/[0-9]* | wc -l; (sleep 0.1 &) ; sleep 0.3; ps -o stat= ax | grep -c Z'
    [ "${lines[0]}" = 2 ]
    [ "${lines[1]}" -le 4 ]
    [ "${lines[2]}" = 0 ]
    see PrivatePIDs=yes 'exit 7'
    expect 7
    see PrivatePIDs=yes 'kill -9 $$'
    expect 137
    see PrivatePIDs=yes PrivateUsers=yes User=daemon 'id -u; exit 3'
    expect 3
    [ "$output" = 1 ]
    run "$C" run -p PrivatePIDs=yes -- /no/such
    expect 1
    one_line 'exec.*No such file'
}

@test "PrivatePIDs: signals reach the program, once; and nothing is left" {
    "$C" start --name p -p PrivatePIDs=yes -- sh -c "trap 'echo got >>$T/got' TERM; : >$T/ready; while :; do sleep 0.05; done"
    eventually test -e "$T/ready"
    "$C" kill p
    eventually grep -q got "$T/got"
    "$C" kill --all p
    eventually sh -c "[ \$(grep -c got $T/got) -ge 2 ]"
    run "$C" stop --timeout 1s p
    expect 0
    [ "$(grep -c got "$T/got")" -eq 3 ]
    "$C" start --name q -p PrivatePIDs=yes -- sh -c 'sleep 1000 & sleep 1000'
    "$C" kill --signal KILL q
    run "$C" wait q
    is q signal 9
}
