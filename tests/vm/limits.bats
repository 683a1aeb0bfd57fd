#!/usr/bin/env bats
# Limits that bite, in a machine that has every controller: each is read back from the kernel and seen
# by the process itself.

load ../e2e/helper

group_of() {
    echo "$CGROUP"/*-"$1"
}

@test "MemoryMax= bites, and the exit record says so with the peak" {
    run "$C" run --name hog -p MemoryMax=20M -- python3 -c 'x = bytearray(100 << 20)'
    expect 137
    is hog cause out-of-memory
    run "$C" --json status hog
    [ "$(jq .usage.memory_peak <<<"$output")" -le $((20 << 20)) ]
    [ "$(jq .usage.memory_peak <<<"$output")" -ge $((15 << 20)) ]
    [ "$(jq .usage.oom_kills <<<"$output")" -ge 1 ]
    run "$C" status hog
    [[ "$output" == *"out of memory"*"MemoryMax=20M"* ]]
}

@test "OOMPolicy=kill ends the whole cgroup, continue only the one" {
    hog='python3 -c "x = bytearray(100 << 20)"'
    run "$C" run --name all -p MemoryMax=30M -p OOMPolicy=kill -- sh -c "$hog; echo survived"
    expect 137
    [[ "$output" != *survived* ]]
    run "$C" run --name one -p MemoryMax=30M -p OOMPolicy=continue -- sh -c "$hog; echo survived"
    expect 0
    [[ "$output" == *survived* ]]
}

@test "TasksMax= stops a fork bomb" {
    "$C" start --name bomb -p TasksMax=12 -- sh -c 'sh -c "bomb() { bomb | bomb & }; bomb"; trap "" TERM; sleep 1000'
    eventually sh -c "[ \$(sed -n 's/^max //p' $(group_of bomb)/pids.events) -gt 0 ]"
    [ "$(cat "$(group_of bomb)/pids.max")" = 12 ]
    [ "$(cat "$(group_of bomb)/pids.current")" -le 12 ]
    run "$C" stop --timeout 1s bomb
    expect 0
    [ ! -e "$CGROUP"/1-bomb ]
    run "$C" run --name poor -p TasksMax=3 -- sh -c 'sleep 1000 & sleep 1000 & sleep 1000 & wait'
    [ "$status" -ne 0 ]
    is poor cause tasks-limit
}

@test "CPUQuota=50% gives 45 to 55 % of a core" {
    "$C" start --name half -p CPUQuota=50% -- sh -c 'while :; do :; done'
    [ "$(cat "$(group_of half)/cpu.max")" = "50000 100000" ]
    usage() {
        sed -n 's/^usage_usec //p' "$(group_of half)/cpu.stat"
    }
    eventually sh -c "[ \$(sed -n 's/^nr_throttled //p' $(group_of half)/cpu.stat) -gt 2 ]"
    python3 - "$(group_of half)/cpu.stat" <<'P'
import sys, time
def read():
    return int(open(sys.argv[1]).readline().split()[1]), time.monotonic()
a = read()
time.sleep(6)
b = read()
share = (b[0] - a[0]) / ((b[1] - a[1]) * 1e6)
print(f"{share:.3f} of a core")
sys.exit(not 0.45 <= share <= 0.55)
P
}

@test "every limit is read back, and seen by the process" {
    "$C" start --name seen -p MemoryMax=64M -p MemoryHigh=50% -p MemoryLow=8M -p MemoryMin=4M \
        -p MemorySwapMax=0 -p CPUWeight=200 -p AllowedCPUs=1 -p TasksMax=20 -p IOWeight=300 \
        -p CPUQuota=150% -p CPUQuotaPeriodSec=20ms -- sleep 1000
    g=$(group_of seen)
    [ "$(cat "$g/memory.max")" = 67108864 ]
    [ "$(cat "$g/memory.low")" = 8388608 ]
    [ "$(cat "$g/memory.min")" = 4194304 ]
    [ "$(cat "$g/cpu.weight")" = 200 ]
    [ "$(cat "$g/cpuset.cpus")" = 1 ]
    [ "$(cat "$g/pids.max")" = 20 ]
    [ "$(cat "$g/io.weight")" = "default 300" ]
    [ "$(cat "$g/cpu.max")" = "30000 20000" ]
    total=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
    total=$((total * 1024))
    [ "$(cat "$g/memory.high")" -le $((total / 2)) ]
    [ "$(cat "$g/memory.high")" -ge $((total / 2 - 65536)) ]
    pid=$("$C" --json status seen | jq .pid)
    grep -q "^Cpus_allowed_list:	1$" "/proc/$pid/status"
    grep -q "^0::/$GROUP/" "/proc/$pid/cgroup"
    [ "$("$C" --json status seen | jq .properties.MemoryMax)" = 67108864 ]
    run "$C" run -p CPUWeight=idle -- true
    expect 0
    run "$C" run -p MemoryMax=64M -- sh -c 'cat /proc/self/cgroup'
    [[ "$output" == "0::/$GROUP/"* ]]
}

@test "limits on a block device" {
    device=$(lsblk -ndo NAME,TYPE | awk '$2 == "disk" { print "/dev/" $1; exit }')
    [ -b "$device" ]
    "$C" start --name io -p IOReadBandwidthMax="$device 2M" -p IOWriteIOPSMax="$device 50" sleep 1000
    number=$(lsblk -ndo MAJ:MIN "$device" | tr -d ' ')
    grep -q "^$number rbps=2000000 wbps=max riops=max wiops=50" "$(group_of io)/io.max"
    run "$C" constrain io -p IOReadBandwidthMax="$device infinity"
    expect 0
    grep -q "^$number rbps=max" "$(group_of io)/io.max"
}

# Whether the kernel takes values for a device in this file depends on how it was built and on the device: it
# is in force, or refused by name.
in_force_or_refused() {
    local setting=$1 file=$2 line=$3
    run "$C" constrain io -p "$setting"
    if expect 0 >"$T/said"; then
        grep -qx "$line" "$(group_of io)/$file"
    else
        expect 1
        one_line "${setting%%=*}: "
        ! grep -qx "$line" "$(group_of io)/$file"
    fi
}

@test "weights and latency targets of a block device; memory nodes" {
    device=$(lsblk -ndo NAME,TYPE | awk '$2 == "disk" { print "/dev/" $1; exit }')
    number=$(lsblk -ndo MAJ:MIN "$device" | tr -d ' ')
    "$C" start --name io -p AllowedMemoryNodes=0 -p AllowedCPUs=0 -p IOWeight=50 sleep 1000
    [ "$(cat "$(group_of io)/cpuset.mems")" = 0 ]
    [ "$(cat "$(group_of io)/cpuset.cpus")" = 0 ]
    "$C" status io | grep -q 'AllowedMemoryNodes=0'
    "$C" status io | grep -q 'AllowedCPUs=0'
    run "$C" constrain io -p AllowedMemoryNodes=77
    expect 1
    one_line AllowedMemoryNodes
    in_force_or_refused "IODeviceWeight=$device 300" io.weight "$number 300"
    in_force_or_refused "IODeviceLatencyTargetSec=$device 25ms" io.latency "$number target=25000"
    printf '[Slice]\nAllowedMemoryNodes=0\n' >"$T/s.slice"
    "$C" apply "$T/s.slice"
    [ "$(cat "$CGROUP/s.slice/cpuset.mems")" = 0 ]
    printf '[Slice]\nTasksMax=5\n' >"$T/s.slice"
    "$C" apply "$T/s.slice"
    [ -z "$(cat "$CGROUP/s.slice/cpuset.mems")" ]
    "$C" reset s.slice
}

@test "constrain: on a live process, as a try, for a time, and refused as a whole" {
    "$C" start --name live -p MemoryMax=100M -p TasksMax=30 sleep 1000
    g=$(group_of live)
    run "$C" constrain live 50 25
    expect 0
    [[ "$output" == *"MemoryMax: 100M -> 50M"* && "$output" == *"CPUQuota: infinity -> 25%"* ]]
    [ "$(cat "$g/memory.max")" = $((50 << 20)) ]
    [ "$(cat "$g/cpu.max")" = "25000 100000" ]
    run "$C" constrain live -p MemoryMax=40M --dry-run
    expect 0
    [ "$(cat "$g/memory.max")" = $((50 << 20)) ]
    run "$C" constrain live -p MemoryMax=40M -p TasksMax=7 --for 1s
    expect 0
    [ "$(cat "$g/pids.max")" = 7 ]
    eventually grep -qx $((50 << 20)) "$g/memory.max"
    [ "$(cat "$g/pids.max")" = 30 ]
    "$C" --json events | jq -es 'any(.kind == "restored")' >/dev/null
    run "$C" constrain live -p TasksMax=9 -p AllowedCPUs=900
    expect 1
    one_line AllowedCPUs
    [ "$(cat "$g/pids.max")" = 30 ]
    "$C" constrain live -p MemoryMax=infinity
    [ "$(cat "$g/memory.max")" = max ]
}

@test "a start with a limit that the kernel does not take is refused, and nothing is left" {
    run "$C" start --name never -p AllowedCPUs=900 sleep 1000
    expect 1
    one_line 'AllowedCPUs'
    [ ! -e "$CGROUP"/1-never ]
}

@test "a process killed for want of memory before it could run is not called started" {
    run "$C" run --name tiny -p MemoryMax=4K -- /bin/true
    expect 1
    # In which step depends on what the first pages are charged for.
    one_line 'cannot start tiny: .*: .*MemoryMax= is too small'
    is tiny cause out-of-memory
}

@test "StandardOutput=journal reaches journald under the process's name" {
    "$C" start --name "j$$" -p StandardOutput=journal -- echo "hello from $$"
    eventually sh -c "journalctl -q -t j$$ -o cat | grep -qx 'hello from $$'"
}

@test "a limit lasts over the agent's death" {
    "$C" start --name lasting -p MemoryMax=50M sleep 1000
    kill -KILL "$(core)"
    eventually "$C" ping
    is lasting properties.MemoryMax 52428800
    run "$C" constrain lasting -p MemoryMax=60M
    expect 0
    [ "$(cat "$(group_of lasting)/memory.max")" = $((60 << 20)) ]
}
