#!/usr/bin/env bats
# What the kernel's programs for a cgroup keep a process from: DevicePolicy=, DeviceAllow=,
# IPAddressAllow=, IPAddressDeny=, SocketBindAllow=, SocketBindDeny=, RestrictNetworkInterfaces=.
# shellcheck disable=SC2016

load helper

# What comes of opening and making devices, under the given settings.
devices() {
    "$C" run "$@" -- sh -c '
        for device in null zero ptmx full; do
            (exec 3<>/dev/$device) 2>/dev/null && printf "%s " "$device"
        done
        cd "$0" && for node in "c 1 3" "c 1 11" "b 7 250"; do
            mknod node $node 2>/dev/null && printf "%s " "$(echo $node | tr " " :)" && rm node
        done
        echo .' "$T"
}

@test "DevicePolicy=, DeviceAllow=: what is not allowed can be neither opened nor made" {
    [ "$(devices)" = "null zero ptmx full c:1:3 c:1:11 b:7:250 ." ]
    [ "$(devices -p DevicePolicy=auto)" = "null zero ptmx full c:1:3 c:1:11 b:7:250 ." ]
    [ "$(devices -p DevicePolicy=closed)" = "null zero ptmx full c:1:3 ." ]
    [ "$(devices -p DevicePolicy=strict)" = "." ]
    [ "$(devices -p DevicePolicy=strict -p 'DeviceAllow=/dev/null rw' -p 'DeviceAllow=/dev/full')" = "null full ." ]
    [ "$(devices -p 'DeviceAllow=block-* m')" = "null zero ptmx full c:1:3 b:7:250 ." ]
    [ "$(devices -p 'DeviceAllow=char-mem m')" = "null zero ptmx full c:1:3 c:1:11 ." ]
    [ "$(devices -p ProtectClock=yes)" = "null zero ptmx full c:1:3 c:1:11 b:7:250 ." ]
    # The error that it meets.
    run "$C" run -p DevicePolicy=closed -- mknod "$T/node" b 7 250
    expect 1
    [[ "$output" == *"Operation not permitted"* ]]
}

@test "DevicePolicy=strict: what needs /dev/null says so; a device that is not there is told" {
    run "$C" start -p DevicePolicy=strict -- true
    expect 1
    one_line 'standard input: /dev/null.*DeviceAllow=/dev/null'
    run "$C" start --wait -p DevicePolicy=strict -p DeviceAllow=/dev/null -- true
    expect 0
    run "$C" run -p DeviceAllow=/dev/nonesuch -- true
    expect 0
    one_line 'DeviceAllow=/dev/nonesuch.*no such device'
    run "$C" run -p DeviceAllow=/dev/null -p 'DeviceAllow=/dev/null x' -- true
    expect 2
    one_line 'DeviceAllow=.*x.*r, w and m'
}

@test "PrivateDevices= closes what it hides, even to root that finds it elsewhere" {
    mknod "$T/log" c 1 11
    run "$C" run -- sh -c "exec 3<'$T/log'"
    expect 0
    run "$C" run -p PrivateDevices=yes -- sh -c "exec 3<'$T/log'"
    expect 2
    [[ "$output" == *"not permitted"* ]]
    run "$C" run -p PrivateDevices=yes -p 'DeviceAllow=char-mem r' -- sh -c "exec 3<'$T/log'"
    expect 0
    rm "$T/log"
}

# Succeeds where the process called web can make that block device.
web_makes() {
    local asked=$T/asked answer=$T/answer
    rm -f "$answer"
    : >"$asked"
    eventually test -e "$answer"
    [ "$(cat "$answer")" = "$1" ]
}

@test "constrain changes devices of a live process, for a time too; an agent that dies takes nothing away" {
    "$C" start --name web -p DevicePolicy=closed -- sh -c 'cd "$0"; while :; do
        if [ -e asked ]; then
            rm asked
            if mknod node b 7 250 2>/dev/null; then rm node; echo yes >new; else echo no >new; fi
            mv new answer
        fi
        sleep 0.02
    done' "$T"
    web_makes no
    run "$C" constrain web -p 'DeviceAllow=block-7 m'
    expect 0
    [ "$output" = "DeviceAllow: unset -> block-7 m" ]
    web_makes yes
    run "$C" status web
    [[ "$output" == *DevicePolicy=closed*"DeviceAllow=block-7 m"* ]]
    kill -9 "$(core)"
    web_makes yes
    run "$C" constrain web -p DeviceAllow=/dev/null -p DevicePolicy=strict
    expect 0
    web_makes no
    kill -9 "$(core)"
    web_makes no
    run "$C" status web
    [[ "$output" == *DevicePolicy=strict* ]]
    run "$C" constrain web --for 500ms -p DevicePolicy=auto -p DeviceAllow=
    expect 0
    web_makes yes
    kill -9 "$(core)"
    eventually web_makes no
    run "$C" constrain web --dry-run -p DevicePolicy=auto
    expect 0
    web_makes no
    "$C" restart web
    eventually web_makes no
    "$C" stop web
}

# What comes of a datagram to each of the addresses under the settings before --.
sends() {
    local settings=()
    while [ "$1" != -- ]; do
        settings+=(-p "$1")
        shift
    done
    shift
    "$C" run "${settings[@]}" -- python3 -c '
import errno, socket, sys
for address in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.socket(family, socket.SOCK_DGRAM).sendto(b"word", (address, 9))
        print("sent", end=" ")
    except OSError as error:
        print(errno.errorcode[error.errno], end=" ")
print(".")' "$@"
}

@test "IPAddressDeny=, IPAddressAllow=: what is denied and not allowed fails with EPERM" {
    [ "$(sends -- 127.0.0.1 127.1.2.3)" = "sent sent ." ]
    [ "$(sends IPAddressDeny=any -- 127.0.0.1 127.1.2.3)" = "EPERM EPERM ." ]
    [ "$(sends IPAddressDeny=localhost -- 127.0.0.1)" = "EPERM ." ]
    [ "$(sends IPAddressDeny=any IPAddressAllow=localhost -- 127.0.0.1 127.1.2.3)" = "sent sent ." ]
    [ "$(sends IPAddressDeny=127.1.0.0/16 -- 127.0.0.1 127.1.2.3 127.2.2.3)" = "sent EPERM sent ." ]
    [ "$(sends IPAddressDeny=any IPAddressAllow=127.0.0.1 -- 127.0.0.1 127.1.2.3)" = "sent EPERM ." ]
    [ "$(sends IPAddressAllow=10.0.0.0/8 -- 127.0.0.1)" = "sent ." ]
    [ "$(sends 'IPAddressDeny=multicast link-local' -- 127.0.0.1)" = "sent ." ]
    # What has no answer to wait for is told at once; a stream waits as for a machine that is gone.
    run "$C" run -p IPAddressDeny=any -- python3 -c '
import socket
socket.create_connection(("127.0.0.1", 9), timeout=0.2)'
    expect 1
    [[ "$output" == *"timed out"* ]]
    grep -q 'lo$' /proc/net/if_inet6 || return 0
    [ "$(sends IPAddressDeny=::1 -- ::1 127.0.0.1)" = "EPERM sent ." ]
    [ "$(sends IPAddressDeny=0.0.0.0/0 -- ::1 127.0.0.1)" = "sent EPERM ." ]
}

@test "IPAddressDeny= holds for users and network namespaces, and for what comes in" {
    [ "$(sends IPAddressDeny=any User=nobody -- 127.0.0.1)" = "EPERM ." ]
    [ "$(sends IPAddressDeny=any PrivateNetwork=yes -- 127.0.0.1)" = "EPERM ." ]
    # Datagrams to a process that may not hear them are lost on the way in.
    "$C" start --name deaf -p IPAddressDeny=127.0.0.1 -- python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.2", 0))
print(s.getsockname()[1], flush=True)
while True:
    print(s.recvfrom(100)[0].decode(), flush=True)'
    port() { "$C" logs deaf | head -1 | grep -E '^[0-9]+$'; }
    eventually port
    python3 - "$(port)" <<'PYTHON'
import socket, sys
for source, word in ("127.0.0.1", b"lost"), ("127.0.0.3", b"heard"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, 0))
    s.sendto(word, ("127.0.0.2", int(sys.argv[1])))
PYTHON
    heard() { "$C" logs deaf | grep -q heard; }
    eventually heard
    run "$C" logs deaf
    [[ "$output" != *lost* ]]
    run "$C" constrain deaf -p IPAddressDeny= -p IPAddressAllow=127.0.0.1
    expect 0
    [ "${lines[0]}" = "IPAddressAllow: unset -> 127.0.0.1/32" ]
    [ "${lines[1]}" = "IPAddressDeny: 127.0.0.1/32 -> unset" ]
    "$C" stop deaf
}

# What comes of binding a socket of this type to this port under the settings behind.
bound() {
    local type=$1 port=$2 settings=()
    shift 2
    while [ $# -gt 0 ]; do
        settings+=(-p "$1")
        shift
    done
    "$C" run -p PrivateNetwork=yes "${settings[@]}" -- python3 -c '
import errno, socket, sys
try:
    socket.socket(socket.AF_INET, getattr(socket, sys.argv[1])).bind(("", int(sys.argv[2])))
    print("bound")
except OSError as error:
    print(errno.errorcode[error.errno])' "$type" "$port"
}

@test "SocketBindDeny=, SocketBindAllow=: what is denied and not allowed fails with EPERM" {
    [ "$(bound SOCK_STREAM 80)" = bound ]
    [ "$(bound SOCK_STREAM 80 SocketBindDeny=any)" = EPERM ]
    [ "$(bound SOCK_STREAM 80 SocketBindDeny=any SocketBindAllow=tcp:80)" = bound ]
    [ "$(bound SOCK_DGRAM 80 SocketBindDeny=any SocketBindAllow=tcp:80)" = EPERM ]
    [ "$(bound SOCK_STREAM 81 SocketBindDeny=ipv4:81-90)" = EPERM ]
    [ "$(bound SOCK_STREAM 81 SocketBindDeny=ipv6)" = bound ]
    "$C" start --name web -p SocketBindDeny=any sleep 60
    run "$C" constrain web -p SocketBindAllow=udp:53
    expect 0
    [ "$output" = "SocketBindAllow: unset -> udp:53" ]
    kill -9 "$(core)"
    run "$C" status web
    [[ "$output" == *SocketBindAllow=udp:53*SocketBindDeny=any* ]]
    "$C" stop web
}

@test "RestrictNetworkInterfaces=: only those named, or all but those" {
    [ "$(sends RestrictNetworkInterfaces=lo -- 127.0.0.1)" = "sent ." ]
    [ "$(sends RestrictNetworkInterfaces=eth99 -- 127.0.0.1)" = "EPERM ." ]
    [ "$(sends RestrictNetworkInterfaces=~lo -- 127.0.0.1)" = "EPERM ." ]
    [ "$(sends RestrictNetworkInterfaces=~eth99 -- 127.0.0.1)" = "sent ." ]
    [ "$(sends RestrictNetworkInterfaces=lo IPAddressDeny=127.1.0.0/16 -- 127.0.0.1 127.1.0.1)" = "sent EPERM ." ]
    "$C" start --name web sleep 60
    run "$C" constrain web -p 'RestrictNetworkInterfaces=lo eth0'
    expect 0
    [ "$output" = "RestrictNetworkInterfaces: unset -> lo eth0" ]
    run "$C" constrain web -p RestrictNetworkInterfaces=
    expect 0
    [ "$output" = "RestrictNetworkInterfaces: lo eth0 -> unset" ]
    "$C" stop web
}

@test "who may not put programs into the kernel is refused what needs them, and told why" {
    run "$C" doctor
    [[ "$output" == *bpf*"programs for a cgroup"* ]]
    stop_agent
    setpriv --bounding-set -sys_admin,-bpf,-net_admin --inh-caps -sys_admin,-bpf,-net_admin \
        "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state" --cgroup "/$GROUP" 2>>"$T/agent.log" 3>&- &
    AGENT=$!
    eventually "$C" ping
    run "$C" doctor
    [[ "$output" == *bpf*"Operation not permitted"*"are refused"*CAP_BPF* ]]
    run "$C" run -p DevicePolicy=closed -- true
    expect 1
    one_line 'DevicePolicy: the kernel does not let the agent attach.*CAP_BPF'
    "$C" start --name web sleep 60
    run "$C" constrain web -p DevicePolicy=closed
    expect 1
    one_line 'DevicePolicy: the kernel does not let'
    "$C" stop web
}

# How many datagrams of 100 bytes it sends to itself, each time there is a new file $T/send.
counted() {
    cat >"$T/counted" <<'COUNTED'
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
while True:
    if os.path.exists(sys.argv[1] + "/send"):
        for i in range(10):
            s.sendto(b"x" * 100, s.getsockname())
            s.recv(200)
        os.unlink(sys.argv[1] + "/send")
    time.sleep(0.02)
COUNTED
    "$C" start --name counted "$@" -- python3 "$T/counted" "$T"
}

sent() {
    touch "$T/send"
    eventually [ ! -e "$T/send" ]
}

# What it is counted for: received, in packets, sent, in packets.
counts() {
    "$C" --json status counted | jq -r '.usage | "\(.ip_ingress) \(.ip_ingress_packets) \(.ip_egress) \(.ip_egress_packets)"'
}

@test "IPAccounting=: what passes is counted, over changes of what may and over the agent's death" {
    counted -p IPAccounting=yes
    [ "$(counts)" = "0 0 0 0" ]
    sent
    [ "$(counts)" = "1280 10 1280 10" ]
    "$C" status counted | grep -q 'Network  *received 1.25K, sent 1.25K, packets received 10, packets sent 10'
    "$C" stats | grep -q 'RECEIVED  *SENT'
    # Another program takes the place of the one that counted so far.
    "$C" constrain counted -p IPAddressDeny=10.0.0.0/8
    sent
    [ "$(counts)" = "2560 20 2560 20" ]
    kill -KILL "$(core)"
    eventually "$C" ping
    sent
    [ "$(counts)" = "3840 30 3840 30" ]
    "$C" stop counted
    [ "$(counts)" = "3840 30 3840 30" ]
    # What is refused is not counted.
    run "$C" start --wait --name refused -p IPAccounting=yes -p IPAddressDeny=any -- \
        python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))'
    [ "$("$C" --json status refused | jq .usage.ip_egress)" = 0 ]
}

@test "IPAccounting=: nobody else is counted; it begins and ends while a process runs" {
    counted
    [ "$(counts)" = "null null null null" ]
    [ "$("$C" stats | grep -c RECEIVED)" -eq 0 ]
    sent
    "$C" constrain counted -p IPAccounting=yes
    sent
    [ "$(counts)" = "1280 10 1280 10" ]
    "$C" constrain counted -p IPAccounting=no
    [ "$(counts)" = "null null null null" ]
    "$C" stop counted
}
