#!/usr/bin/env bats
# What can be changed on a live process without any controller: constrain of its attributes.

load helper

# The soft limit of open files of process $1.
files() {
    awk '/open files/ { print $4 }' "/proc/$1/limits"
}

nice_of() {
    awk '{ print $19 }' "/proc/$1/stat"
}

@test "attributes of all processes of a cgroup are changed, read back, kept and taken back" {
    "$C" start --name a -p Nice=2 sh -c 'sleep 1000 & sleep 1000 & wait'
    pid=$("$C" --json status a | jq .pid)
    eventually sh -c "[ \$(wc -w <'/proc/$pid/task/$pid/children') = 2 ]"
    read -ra children < <(cat "/proc/$pid/task/$pid/children"; echo)
    run "$C" constrain a -p Nice=5 -p LimitNOFILE=77 -p CPUAffinity=0 -p OOMScoreAdjust=200 -p IOSchedulingClass=idle
    expect 0
    grep -qx 'Nice: 2 -> 5' <<<"$output"
    grep -qE '^LimitNOFILE: [0-9:]+ -> 77$' <<<"$output"
    grep -qx 'CPUAffinity: 0-[0-9]* -> 0' <<<"$output" || [ "$(nproc)" = 1 ]
    grep -qE '^IOSchedulingClass: none -> idle$' <<<"$output"
    for one in "$pid" "${children[@]}"; do
        [ "$(nice_of "$one")" = 5 ]
        [ "$(files "$one")" = 77 ]
        [ "$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$one/status")" = 0 ]
        [ "$(cat "/proc/$one/oom_score_adj")" = 200 ]
    done
    # Started again, it has them still.
    "$C" restart a
    pid=$("$C" --json status a | jq .pid)
    [ "$(nice_of "$pid") $(files "$pid")" = "5 77" ]
}

@test "attributes for a time, over the agent's death, and a dry run" {
    "$C" start --name a sleep 1000
    pid=$("$C" --json status a | jq .pid)
    run "$C" constrain a -p Nice=9 --dry-run
    expect 0
    [ "$output" = 'Nice: 0 -> 9' ]
    [ "$(nice_of "$pid")" = 0 ]
    before=$(files "$pid")
    # Only who has CAP_SYS_RESOURCE (24) can raise a hard limit again.
    if ! ((0x$(awk '/^CapEff/ { print $2 }' /proc/self/status) >> 24 & 1)); then
        run "$C" constrain a -p LimitNOFILE=55 --for 3
        expect 1
        one_line 'LimitNOFILE: without CAP_SYS_RESOURCE the agent cannot raise a hard limit again'
    fi
    "$C" constrain a -p Nice=9 -p "LimitNOFILE=55:$before" --for 3
    [ "$(nice_of "$pid") $(files "$pid")" = "9 55" ]
    kill -9 "$(core)"
    eventually sh -c "[ \"\$(awk '{ print \$19 }' /proc/$pid/stat)\" = 0 ]"
    eventually sh -c "[ \"\$(awk '/open files/ { print \$4 }' /proc/$pid/limits)\" = $before ]"
}

@test "one that cannot be given: all is as it was" {
    "$C" start --name a sleep 1000
    pid=$("$C" --json status a | jq .pid)
    run "$C" constrain a -p Nice=3 -p CPUAffinity=0,900
    expect 1
    one_line 'CPUAffinity: not all of these CPUs are there'
    [ "$(nice_of "$pid")" = 0 ]
    run "$C" constrain a -p CPUSchedulingPriority=5
    expect 1
    one_line 'a priority is for CPUSchedulingPolicy=fifo and rr only'
    run "$C" constrain a -p UMask=0
    expect 2
    one_line 'UMask cannot be changed while a process runs'
}

@test "SIGPIPE, what a core holds, memory nodes and variables taken away" {
    run "$C" run -p IgnoreSIGPIPE=yes -p CoredumpFilter=default -p CoredumpFilter=private-huge -p CoredumpFilter=0x100 \
        -p NUMAPolicy=bind -p NUMAMask=0 -p Environment='A=1 B=2 C=3' -p 'UnsetEnvironment=A B=3 C=3 HOLDEN_NAME' -- \
        sh -c 'cat /proc/self/coredump_filter; awk "/^SigIgn/ { print substr(\$2, 13) }" /proc/self/status
            awk "NR == 1 { print \$2 }" /proc/self/numa_maps; env | grep -E "^(A|B|C|HOLDEN_NAME)="'
    expect 0
    [ "$(tr '\n' ' ' <<<"$output")" = '00000133 1000 bind:0 B=2 ' ]
    # A program of a unit file has SIGPIPE ignored, as systemd.exec(5) says; one of `start` has not.
    printf '[Service]\nType=oneshot\nExecStart=/bin/sh -c "grep SigIgn /proc/self/status"\n' >"$T/a.service"
    "$C" apply "$T/a.service"
    [ "$("$C" logs a | awk '{ print $2 }')" = 0000000000001000 ]
    [ "$("$C" run grep SigIgn /proc/self/status | awk '{ print $2 }')" = 0000000000000000 ]
}

@test "a service that HUP, INT, TERM or PIPE ends has not failed, but a oneshot has, as under systemd" {
    printf '[Service]\nSuccessExitStatus=3\nExecStart=/bin/sh -c "kill -TERM $$$$"\n' >"$T/a.service"
    "$C" apply "$T/a.service"
    "$C" wait a || true
    is a state exited
    is a signal 15
    printf '[Service]\nType=oneshot\nExecStart=/bin/sh -c "kill -TERM $$$$"\n' >"$T/b.service"
    run "$C" apply "$T/b.service"
    expect 1
    is b state failed
    run "$C" start --wait --name c -- sh -c 'kill -TERM $$'
    is c state failed
}

@test "what a unit file starts has a session keyring of its own, as under systemd" {
    printf '[Service]\nType=oneshot\nUser=daemon\nExecStart=/usr/bin/python3 -c "import ctypes; text = ctypes.create_string_buffer(99); ctypes.CDLL(None).syscall(250, 6, -3, text, 99); print(text.value.decode())"\n' >"$T/a.service"
    "$C" apply "$T/a.service"
    [[ "$("$C" logs a)" == "keyring;1;1;"*";_ses" ]]
    echo KeyringMode=inherit >>"$T/a.service"
    "$C" apply "$T/a.service"
    [[ "$("$C" logs a)" != "keyring;1;1;"* ]]
}

@test "wrong kinds of memory and nodes that are not there" {
    run "$C" run -p CoredumpFilter=lots true
    expect 2
    one_line 'CoredumpFilter=lots: expected kinds of memory such as private-anonymous'
    run "$C" run -p CoredumpFilter=1000 true
    expect 2
    one_line 'CoredumpFilter=1000: out of range'
    run "$C" run -p NUMAPolicy=bind -p NUMAMask=900 true
    expect 1
    one_line 'NUMAPolicy: Invalid argument'
    run "$C" run -p NUMAPolicy=most true
    expect 2
    one_line 'NUMAPolicy=most: expected one of default, preferred, bind, interleave, local'
}

@test "a hard limit that cannot be raised stays as it is" {
    hard=$(ulimit -Hn)
    run "$C" run -p LimitNOFILE=$((hard + 1)) sh -c 'ulimit -Hn'
    expect 0
    if ((0x$(awk '/^CapEff/ { print $2 }' /proc/self/status) >> 24 & 1)); then
        [ "$output" -eq $((hard + 1)) ]
    else
        [ "$output" -eq "$hard" ]
    fi
}
