#!/usr/bin/env bats
# Limits of slices that bite, in a machine that has every controller. The tree itself: tests/e2e/slice.bats.

load ../e2e/helper

# The content of a file of a slice's cgroup, or of one below.
in_slice() {
    cat "$CGROUP/$1"
}

disk() {
    lsblk -ndo NAME,TYPE | awk '$2 == "disk" { print "/dev/" $1; exit }'
}

@test "each limit of a slice is read back from the kernel, and processes in it have their own" {
    cat >"$T/web.slice" <<'END'
[Slice]
MemoryMax=64M
MemoryHigh=48M
MemoryLow=8M
MemoryMin=4M
MemorySwapMax=0
CPUQuota=150%
CPUWeight=200
AllowedCPUs=1
TasksMax=20
IOWeight=300
END
    run "$C" apply "$T/web.slice"
    expect 0
    [ "$(in_slice web.slice/memory.max)" = 67108864 ]
    [ "$(in_slice web.slice/memory.high)" = 50331648 ]
    [ "$(in_slice web.slice/memory.low)" = 8388608 ]
    [ "$(in_slice web.slice/memory.min)" = 4194304 ]
    [ "$(in_slice web.slice/cpu.max)" = "150000 100000" ]
    [ "$(in_slice web.slice/cpu.weight)" = 200 ]
    [ "$(in_slice web.slice/cpuset.cpus)" = 1 ]
    [ "$(in_slice web.slice/pids.max)" = 20 ]
    [ "$(in_slice web.slice/io.weight)" = "default 300" ]
    "$C" start --name a -p Slice=web-shop.slice -p MemoryMax=32M -p TasksMax=10 -- sleep 1000
    own=$("$C" --json status a | jq -r .cgroup)
    [ "$(cat "$own/memory.max")" = 33554432 ]
    [ "$(cat "$own/pids.max")" = 10 ]
    grep -q "^Cpus_allowed_list:	1$" "/proc/$("$C" --json status a | jq .pid)/status"
    run "$C" --json status web.slice
    [ "$(jq .properties.MemoryMax <<<"$output")" = 67108864 ]
    [ "$(jq .memory_limit <<<"$output")" = 67108864 ]
    [ "$(jq .tasks_limit <<<"$output")" = 20 ]
    [ "$(jq .usage.tasks <<<"$output")" = 1 ]
    "$C" slices | grep -q '^web.slice .*64M'
}

@test "a slice's TasksMax= holds for all that is in it" {
    "$C" constrain s.slice -p TasksMax=3
    "$C" start --name a -p Slice=s.slice -- sleep 1000
    "$C" start --name b -p Slice=s-t.slice -- sleep 1000
    "$C" start --name c -p Slice=s.slice -- sleep 1000
    run "$C" start -p Slice=s.slice -- sleep 1000
    expect 1
    [ "${#lines[@]}" -eq 1 ]
    "$C" stop a
    "$C" start --name d -p Slice=s.slice -- sleep 1000
}

@test "a slice's MemoryMax= holds for all that is in it" {
    "$C" constrain s.slice 60
    hold='x = bytearray(40 << 20); import time; print("there", flush=True); time.sleep(1000)'
    "$C" start --name a -p Slice=s.slice -- python3 -c "$hold"
    eventually sh -c "'$C' logs a | grep -q there"
    "$C" start --name b -p Slice=s.slice -- python3 -c "$hold"
    eventually grep -qE 'oom_kill [1-9]' "$CGROUP/s.slice/memory.events"
    [ "$("$C" --json status s.slice | jq .usage.oom_kills)" -ge 1 ]
}

@test "DisableControllers=: the slice has its limits, what is in it has none of that kind" {
    "$C" constrain s.slice -p MemoryMax=64M -p DisableControllers=memory
    [ "$(in_slice s.slice/memory.max)" = 67108864 ]
    "$C" start --name a -p Slice=s-t.slice -p TasksMax=5 -- sleep 1000
    own=$("$C" --json status a | jq -r .cgroup)
    [ ! -e "$own/memory.max" ]
    [ "$(cat "$own/pids.max")" = 5 ]
    run "$C" start -p Slice=s-t.slice -p MemoryMax=32M -- true
    expect 1
    one_line 'MemoryMax: the memory controller is disabled by DisableControllers= of the slice'
    run "$C" constrain a -p MemoryMax=32M
    expect 1
    one_line 'MemoryMax: the memory controller is disabled by DisableControllers= of the slice'
    run "$C" constrain s-t.slice -p MemoryMax=32M
    expect 1
    one_line 'MemoryMax: the memory controller is disabled by DisableControllers= of the slice'
    run "$C" start -p Slice=s.slice -p Delegate=memory -p User=nobody -- true
    expect 1
    one_line 'Delegate: the memory controller is disabled'
    "$C" stop a
    # Other slices are not concerned, and later it is as any other.
    "$C" start --name b -p Slice=t.slice -p MemoryMax=32M -- sleep 1000
    "$C" reset s.slice
    "$C" start --name c -p Slice=s-t.slice -p MemoryMax=32M -- sleep 1000
}

@test "constrain, apply again, reset: what is not named any more is lifted, under what runs" {
    device=$(disk)
    number=$(lsblk -ndo MAJ:MIN "$device" | tr -d ' ')
    "$C" start --name a -p Slice=s.slice -- sleep 1000
    run "$C" constrain s.slice -p MemoryMax=64M -p "IOReadBandwidthMax=$device 2M" -p CPUQuota=50% -p CPUWeight=idle
    expect 0
    [[ "$output" == *"MemoryMax: infinity -> 64M"* ]]
    grep -q "^$number rbps=2000000 " "$CGROUP/s.slice/io.max"
    [ "$(in_slice s.slice/cpu.idle)" = 1 ]
    printf '[Slice]\nTasksMax=9\n' >"$T/s.slice"
    "$C" apply "$T/s.slice"
    [ "$(in_slice s.slice/memory.max)" = max ]
    [ -z "$(in_slice s.slice/io.max)" ]
    [ "$(in_slice s.slice/cpu.max)" = "max 100000" ]
    [ "$(in_slice s.slice/cpu.idle)" = 0 ]
    [ "$(in_slice s.slice/pids.max)" = 9 ]
    "$C" reset s.slice
    [ "$(in_slice s.slice/pids.max)" = max ]
    is a state running
}

@test "a change that the kernel refuses leaves all as it was" {
    "$C" constrain s.slice -p MemoryMax=64M -p TasksMax=9
    run "$C" constrain s.slice -p MemoryMax=32M -p AllowedCPUs=7000
    expect 1
    one_line 'AllowedCPUs'
    [ "$(in_slice s.slice/memory.max)" = 67108864 ]
    [ "$(in_slice s.slice/pids.max)" = 9 ]
    kill -KILL "$(core)"
    eventually "$C" ping
    [ "$(in_slice s.slice/memory.max)" = 67108864 ]
    [ "$("$C" --json status s.slice | jq .properties.MemoryMax)" = 67108864 ]
}

@test "the next agent has the limits in force that are written down" {
    "$C" constrain s.slice -p MemoryMax=64M
    "$C" start --name a -p Slice=s.slice -- sleep 1000
    kill -STOP "$AGENT"
    kill -KILL "$(core)"
    echo max >"$CGROUP/s.slice/memory.max"
    kill -CONT "$AGENT"
    eventually "$C" ping
    [ "$(in_slice s.slice/memory.max)" = 67108864 ]
    is a state running
}

@test "a delegated process in a slice divides what the slice leaves it" {
    "$C" constrain s.slice -p TasksMax=30
    "$C" start --name d -p Slice=s.slice -p User=nobody -p Delegate=yes -- sleep 1000
    own=$("$C" --json status d | jq -r .cgroup)
    as() { setpriv --reuid nobody --clear-groups "$@"; }
    as mkdir "$own/below"
    as sh -c "echo $("$C" --json status d | jq .pid) >$own/below/cgroup.procs"
    as sh -c "echo '+pids +memory +cpu' >$own/cgroup.subtree_control"
    as sh -c "echo 5 >$own/below/pids.max"
    run as sh -c "echo 50 >$own/pids.max"
    [ "$status" -ne 0 ]
    run as sh -c "echo 50 >$CGROUP/s.slice/pids.max"
    [ "$status" -ne 0 ]
    "$C" freeze d
    "$C" thaw d
    [ "$("$C" --json status d | jq .usage.tasks)" = 1 ]
    kill -KILL "$(core)"
    eventually "$C" ping
    is d state running
    "$C" constrain d -p TasksMax=20
    [ "$(cat "$own/pids.max")" = 20 ]
    "$C" stop d
    [ ! -e "$own" ]
}

@test "commands beside a process that has divided its cgroup still run" {
    "$C" start --name d -p User=nobody -p Delegate=yes -p ExecReload='/bin/sh -c "exit 0"' -- sleep 1000
    own=$("$C" --json status d | jq -r .cgroup)
    mkdir "$own/below"
    "$C" --json status d | jq .pid >"$own/below/cgroup.procs"
    echo '+pids +memory' >"$own/cgroup.subtree_control"
    run "$C" reload d
    expect 0
    run "$C" reload d
    expect 0
    "$C" stop d
    [ ! -e "$own" ]
}
