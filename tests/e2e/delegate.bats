#!/usr/bin/env bats
# Delegate=: a cgroup that is its process's own to divide. What it makes of it is stopped, counted, frozen
# and found again all the same.

load helper

# The cgroup of the process.
cgroup_of() {
    "$C" --json status "$1" | jq -r .cgroup
}

owner_of() {
    stat -c %U:%G "$1"
}

# Whether the cgroup holds the process's main pid.
holds() {
    grep -qx "$("$C" --json status "$2" | jq .pid)" "$1/cgroup.procs"
}

# A program that divides its cgroup as user nobody, goes into one below, and leaves a child in a hidden one.
make_divider() {
    cat >"$T/divide" <<'END'
#!/bin/bash
own=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)$(sed -n 's/^0:://p' /proc/self/cgroup)
set -e
mkdir "$own/main" "$own/.hidden" "$own/.hidden/deep"
sleep 1000 &
echo $! >"$own/.hidden/deep/cgroup.procs"
echo $$ >"$own/main/cgroup.procs"
trap 'exit 0' TERM
while :; do sleep 0.05; done
END
    chmod 755 "$T/divide"
}

start_divider() {
    make_divider
    "$C" start --name d -p User=nobody -p Delegate=yes "$@" -- "$T/divide"
    OWN=$(cgroup_of d)
    eventually holds "$OWN/main" d
    CHILD=$(cat "$OWN/.hidden/deep/cgroup.procs")
}

@test "what the kernel delegates belongs to the user, its limits do not" {
    "$C" start --name d -p User=nobody -p Delegate=yes -- sleep 1000
    own=$(cgroup_of d)
    user=$(id -un nobody):$(id -gn nobody)
    [ "$(owner_of "$own")" = "$user" ]
    for file in cgroup.procs cgroup.subtree_control cgroup.threads $(cat /sys/kernel/cgroup/delegate); do
        [ ! -e "$own/$file" ] || [ "$(owner_of "$own/$file")" = "$user" ]
    done
    for file in cgroup.type cgroup.freeze cgroup.kill cgroup.max.depth memory.max pids.max cpu.max; do
        [ ! -e "$own/$file" ] || [ "$(owner_of "$own/$file")" = root:root ]
    done
}

@test "without it the cgroup stays root's" {
    for setting in Delegate=no TasksMax=infinity; do
        [ "$setting" = Delegate=no ] || has_controller pids || continue
        "$C" start --name d -p User=nobody -p "$setting" -- sleep 1000
        own=$(cgroup_of d)
        [ "$(owner_of "$own")" = root:root ]
        [ "$(owner_of "$own/cgroup.procs")" = root:root ]
        "$C" stop d
    done
}

@test "an empty value delegates without controllers, names add up, no takes it back" {
    "$C" start --name d -p User=nobody -p Delegate= -- sleep 1000
    [ "$(owner_of "$(cgroup_of d)/cgroup.procs")" != root:root ]
    "$C" start --name n -p User=nobody -p Delegate=yes -p Delegate=no -- sleep 1000
    [ "$(owner_of "$(cgroup_of n)/cgroup.procs")" = root:root ]
}

@test "its user divides it, and gets nowhere else" {
    start_divider
    run setpriv --reuid nobody --clear-groups sh -c "echo $CHILD >$CGROUP/cgroup.procs"
    [ "$status" -ne 0 ]
    "$C" start --name other -p User=nobody -- sleep 1000
    run setpriv --reuid nobody --clear-groups sh -c "echo $CHILD >$(cgroup_of other)/cgroup.procs"
    [ "$status" -ne 0 ]
    "$C" start --name third -p User=nobody -p Delegate=yes -- sleep 1000
    run setpriv --reuid nobody --clear-groups sh -c "echo $CHILD >$(cgroup_of third)/cgroup.procs"
    [ "$status" -ne 0 ]
    run setpriv --reuid nobody --clear-groups sh -c "echo max >$OWN/pids.max"
    [ "$status" -ne 0 ]
}

@test "stop ends what it has put below and leaves no cgroup" {
    start_divider
    run "$C" stop d
    expect 0
    eventually test ! -e "/proc/$CHILD"
    [ ! -e "$OWN" ]
}

@test "kill --all, freeze and thaw reach what is below" {
    start_divider
    "$C" freeze d
    eventually grep -q 'frozen 1' "$OWN/.hidden/deep/cgroup.events"
    "$C" thaw d
    eventually grep -q 'frozen 0' "$OWN/.hidden/deep/cgroup.events"
    "$C" kill --all --signal TERM d
    eventually is d state exited
    eventually test ! -e "/proc/$CHILD"
    [ ! -e "$OWN" ]
}

@test "the next agent finds what is below" {
    start_divider
    pid=$("$C" --json status d | jq .pid)
    kill -KILL "$(core)"
    eventually "$C" ping
    is d state running
    is d pid "$pid"
    is d cgroup "$OWN"
    "$C" stop d
    eventually test ! -e "/proc/$CHILD"
    [ ! -e "$OWN" ]
}

@test "a keeper that is started anew proves it by a cgroup below its own" {
    start_divider
    pid=$("$C" --json status d | jq .pid)
    old=$(core)
    kill -KILL "$AGENT" "$old"
    eventually ended "$old"
    wait "$AGENT" || true
    start_agent
    is d state running
    is d pid "$pid"
    "$C" stop d
    eventually test ! -e "/proc/$CHILD"
    [ ! -e "$OWN" ]
}

@test "what has made its cgroups threaded is stopped too" {
    cat >"$T/thread" <<'END'
#!/bin/bash
own=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)$(sed -n 's/^0:://p' /proc/self/cgroup)
set -e
mkdir "$own/threads"
echo threaded >"$own/threads/cgroup.type"
echo $$ >"$own/threads/cgroup.threads"
trap 'exit 0' TERM
while :; do sleep 0.05; done
END
    chmod 755 "$T/thread"
    "$C" start --name d -p User=nobody -p Delegate=yes -- "$T/thread"
    own=$(cgroup_of d)
    eventually sh -c "[ -n \"\$(cat $own/threads/cgroup.threads)\" ]"
    kill -KILL "$(core)"
    eventually "$C" ping
    is d state running
    "$C" stop d
    is d cause stopped
    [ ! -e "$own" ]
}

@test "commands beside the main one run in .control" {
    start_divider -p "ExecReload=/bin/sh -c 'cat /proc/self/cgroup >$T/reload; exit 0'" \
        -p "ExecStopPost=/bin/sh -c 'cat /proc/self/cgroup >$T/post; exit 0'"
    : >"$T/reload"
    : >"$T/post"
    chmod 666 "$T/reload" "$T/post"
    run "$C" reload d
    expect 0
    grep -q "^0::.*-d/.control$" "$T/reload"
    [ "$(owner_of "$OWN/.control/cgroup.procs")" != root:root ]
    run "$C" stop d
    expect 0
    grep -q "^0::.*-d/.control$" "$T/post"
    [ ! -e "$OWN" ]
}

@test "a user that is made up gets it too, and again after a restart" {
    "$C" start --name d -p DynamicUser=yes -p Delegate=yes -- sleep 1000
    user=$("$C" --json status d | jq .user)
    [ "$(stat -c %u "$(cgroup_of d)/cgroup.procs")" = "$user" ]
    "$C" restart d
    [ "$(stat -c %u "$(cgroup_of d)/cgroup.procs")" = "$("$C" --json status d | jq .user)" ]
}

@test "a .control that the process has made and frozen holds no command up" {
    make_divider
    "$C" start --name d -p User=nobody -p Delegate=yes -p TimeoutStartSec=60s \
        -p ExecReload="/bin/sh -c 'touch $T/reloaded'" -- "$T/divide"
    chmod 1777 "$T"
    OWN=$(cgroup_of d)
    eventually test -d "$OWN/main"
    setpriv --reuid nobody --regid nogroup --clear-groups mkdir "$OWN/.control"
    setpriv --reuid nobody --regid nogroup --clear-groups sh -c "echo 1 >$OWN/.control/cgroup.freeze"
    run timeout "$LIMIT" "$C" reload d
    expect 0
    [ -e "$T/reloaded" ]
    "$C" stop d
}

@test "controllers are named for its cgroups, or missed by name" {
    if has_controller pids; then
        "$C" start --name d -p User=nobody -p Delegate=pids -- sleep 1000
        own=$(cgroup_of d)
        grep -qw pids "$own/cgroup.controllers"
        setpriv --reuid nobody --clear-groups mkdir "$own/below"
        setpriv --reuid nobody --clear-groups sh -c "echo $("$C" --json status d | jq .pid) >$own/below/cgroup.procs"
        setpriv --reuid nobody --clear-groups sh -c "echo +pids >$own/cgroup.subtree_control"
        [ -e "$own/below/pids.max" ]
        "$C" stop d
        [ ! -e "$own" ]
    else
        run "$C" start -p Delegate=pids -- sleep 1000
        expect 1
        one_line 'Delegate: .*pids controller.*'
    fi
}

@test "bad values are refused with one line" {
    run "$C" start -p Delegate=cpu,memory -- true
    expect 2
    one_line 'Delegate=cpu,memory: there is no such controller'
    run "$C" start -p Delegate=yes -p DisableControllers=cpu -- true
    expect 1
    one_line 'DisableControllers: with Delegate='
    "$C" start --name d -- sleep 1000
    run "$C" constrain d -p Delegate=yes
    expect 2
    one_line 'Delegate cannot be changed while a process runs'
    printf '[Service]\nExecStart=/bin/true\nDelegate=no\nDelegate=memroy\n' >"$T/bad.service"
    run "$C" verify "$T/bad.service"
    expect 1
    [[ "$output" == *"bad.service:4: Delegate=: memroy: there is no such controller; did you mean memory"* ]]
}
