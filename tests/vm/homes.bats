#!/usr/bin/env bats
# The places that an agent can live in: a unit of systemd, a machine's own root cgroup, a container
# with rights, a container without. In each it divides its cgroup, limits bite, and it goes without
# a trace; systemd and D-Bus never notice.
# shellcheck disable=SC2016,SC2153,SC2317

load ../e2e/helper

# No agent of its own for a test: each starts one where it is to live.
setup() {
    prepare
    UNIT=holden-test-$BATS_TEST_NUMBER
}
teardown() {
    local status=0
    systemctl stop "$UNIT" 2>/dev/null || true
    systemctl reset-failed "$UNIT" 2>/dev/null || true
    undisturbed || status=1
    chmod -R u+rwX "$T" && rm -rf "$T"
    return "$status"
}

# systemd is well, has no failed unit, and answers on D-Bus.
undisturbed() {
    [ "$(systemctl is-system-running)" = running ] || { systemctl list-units --failed; return 1; }
    busctl --system call org.freedesktop.systemd1 /org/freedesktop/systemd1 \
        org.freedesktop.DBus.Peer Ping
}

group_of() {
    find /sys/fs/cgroup -type d -name "*-$1"
}
unit_group() {
    echo "/sys/fs/cgroup$(systemctl show -P ControlGroup "$UNIT")"
}

# A process with limits runs, is seen to be limited, ends of them, and is gone.
lives() {
    "$C" start --name lim -p MemoryMax=30M -p CPUQuota=50% -p TasksMax=10 sleep 1000 || return 1
    local group
    group=$(group_of lim)
    [ "$(cat "$group/memory.max" "$group/cpu.max" "$group/pids.max" | tr '\n' ' ')" = \
        "31457280 50000 100000 10 " ] || { echo "limits of $group"; return 1; }
    "$C" constrain lim 20 || return 1
    [ "$(cat "$group/memory.max")" = $((20 << 20)) ] || return 1
    "$C" stop lim || return 1
    [ -z "$(group_of lim)" ] || return 1
    run "$C" run --name hog -p MemoryMax=20M -- python3 -c 'x = bytearray(100 << 20)'
    [ "$status" -eq 137 ] && is hog cause out-of-memory
}

@test "a unit of systemd with Delegate=yes" {
    systemd-run --quiet --unit="$UNIT" -p Delegate=yes -p KillMode=process -p Type=exec \
        "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state"
    eventually "$C" ping
    group=$(unit_group)
    [ -z "$(cat "$group/cgroup.procs")" ]
    [ "$(wc -l <"$group/agent/cgroup.procs")" -eq 2 ]
    lives
    # What systemd does for itself leaves limits and processes alone.
    "$C" start --name kept -p MemoryMax=40M sleep 1000
    pid=$("$C" --json status kept | jq .pid)
    systemctl daemon-reload
    systemctl daemon-reexec
    undisturbed
    [ "$(cat "$(group_of kept)/memory.max")" = $((40 << 20)) ]
    is kept pid "$pid"
    is kept state running
    systemctl stop "$UNIT"
    [ ! -e "/proc/$pid" ]
    [ ! -e "$group" ]
    [ ! -e "$HOLDEN_SOCKET" ]
    [ ! -e "$T/state" ]
}

@test "a unit that is restarted, and one whose agent is killed, keep what they promised" {
    systemd-run --quiet --unit="$UNIT" -p Delegate=yes -p KillMode=process -p Type=exec \
        "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state"
    eventually "$C" ping
    "$C" start --name kept -p MemoryMax=40M sleep 1000
    kill -KILL "$(core)"
    eventually "$C" ping
    is kept state running
    [ "$(systemctl is-active "$UNIT")" = active ]
    "$C" constrain kept 50
    [ "$(cat "$(group_of kept)/memory.max")" = $((50 << 20)) ]
    systemctl stop "$UNIT"
    [ -z "$(group_of kept)" ]
}

@test "a unit without Delegate= is told by systemd's rules, not broken: it divides a cgroup of its own" {
    systemd-run --quiet --unit="$UNIT" -p KillMode=process -p Type=exec \
        "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state" --cgroup "/$GROUP"
    eventually "$C" ping
    lives
    systemctl stop "$UNIT"
    [ ! -e "$CGROUP" ]
}

# Runs an agent as process 1 of new namespaces, in a cgroup "box" of its own below the unit's, as
# container managers do. $1: more options for unshare(1), the other arguments are for systemd-run(1).
# AS is what goes before a command of the user whom the agent serves.
AS=()
contain() {
    local options=$1
    shift
    cat >"$T/manager" <<'EOF'
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir "$group/manager" "$group/box"
echo $$ >"$group/manager/cgroup.procs"
echo '+cpu +cpuset +io +memory +pids' >"$group/cgroup.subtree_control"
exec unshare $1 --pid --fork --mount --mount-proc --kill-child=SIGTERM sh "$0.inside" "$group/box" "$2" "$3" "$4"
EOF
    cat >"$T/manager.inside" <<'EOF'
echo $$ >"$1/cgroup.procs"
exec unshare --cgroup sh -c 'mount -t tmpfs none /sys/fs && mkdir /sys/fs/cgroup &&
    mount -t cgroup2 none /sys/fs/cgroup && exec "$0" --socket "$1" --state-dir "$2"' "$2" "$3" "$4"
EOF
    systemd-run --quiet --unit="$UNIT" -p Delegate=yes -p Type=exec "$@" \
        sh "$T/manager" "$options" "$BIN/agent" "$HOLDEN_SOCKET" "$T/state"
    LIMIT=60 eventually "${AS[@]}" "$C" ping || { systemctl status "$UNIT"; return 1; }
}

@test "process 1 of a container with rights" {
    contain ""
    lives
    run "$C" run -- sh -c 'cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l'
    expect 0
    [ "${lines[0]}" = agent ]
    [ "${lines[1]}" -le 6 ]
    # Orphans fall to the keeper and are reaped.
    "$C" run -- sh -c 'for i in 1 2 3 4; do (sleep 0.1 &); done'
    run "$C" run -- sh -c 'ps -o stat= -e | grep -c Z'
    [ "$output" = 0 ]
}

@test "process 1 of a container without rights, in a cgroup that was delegated to its user" {
    chmod 777 "$T"
    # Root outside is nobody inside, and the user outside is root inside.
    AS=(setpriv --reuid nobody --regid nogroup --clear-groups --)
    contain "--user --map-root-user" -p User=nobody
    run "$C" ping
    expect 5
    run "${AS[@]}" "$C" start --name lim -p MemoryMax=30M -p TasksMax=10 sleep 1000
    expect 0
    group=$(group_of lim)
    [ "$(cat "$group/memory.max" "$group/pids.max" | tr '\n' ' ')" = "31457280 10 " ]
    run "${AS[@]}" "$C" run --name hog -p MemoryMax=20M -- python3 -c 'x = bytearray(100 << 20)'
    expect 137
    run "${AS[@]}" "$C" stop lim
    expect 0
    [ -z "$(group_of lim)" ]
}
