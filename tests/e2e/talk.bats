#!/usr/bin/env bats
# Filters that talk: what was refused, to whom, with which arguments, and what would allow it; also when the agent dies.
# shellcheck disable=SC2016

load helper

# A member of the first refusal of a process.
refusal() {
    "$C" --json status "$1" | jq -r ".refusal[0].$2"
}

# The process has not run for half a second.
at_rest() {
    local before
    before=$(cat "/proc/$1/schedstat")
    sleep 0.5
    [ "$(cat "/proc/$1/schedstat")" = "$before" ]
}

at_least() {
    [ "$(refusal "$1" times)" -ge "$2" ]
}

@test "a call that fails is told with its arguments, its program and the line that allows it" {
    run "$C" run --name m -p SystemCallFilter=~mkdir:EACCES -- sh -c "mkdir $T/a; mkdir $T/a; mkdir -m 700 $T/b; echo on"
    expect 0
    [[ "$output" == *"Permission denied"*on* ]]
    [ "$("$C" --json status m | jq '.refusal | length')" -eq 1 ]
    [ "$(refusal m call)" = mkdir ]
    [ "$(refusal m arguments)" = "\"$T/a\", 0777" ]
    [ "$(refusal m program)" = "$(readlink -f "$(command -v mkdir)")" ]
    [ "$(refusal m error)" = 13 ]
    [ "$(refusal m times)" = 3 ]
    [ "$(refusal m remedy)" = SystemCallFilter=mkdir ]
    run "$C" status m
    [[ "$output" == *"Refused"*"mkdir(\"$T/a\", 0777) by "*"EACCES, 3 times; SystemCallFilter=mkdir would allow it"* ]]
    run "$C" events
    [ "$(grep -c 'm refused' <<<"$output")" -eq 1 ]
    [[ "$output" == *"m refused "*"mkdir(\"$T/a\", 0777)"*"would allow it"* ]]
    # The line that it names does allow it.
    run "$C" run -p SystemCallFilter=~mkdir:EACCES -p "$(refusal m remedy)" -- mkdir "$T/a"
    expect 0
}

@test "a call that ends the process is told in its record, and it ends by SIGSYS as without" {
    run "$C" run --name k -p SystemCallFilter='~mkdir mkdirat' -- mkdir "$T/a"
    expect 159
    is k cause system-call
    is k signal 31
    [ "$(refusal k call)" = mkdir ]
    [ "$(refusal k error)" = null ]
    run "$C" status k
    [[ "$output" == *"its filter forbids the system call mkdir(\"$T/a\", 0777) by "*"SystemCallFilter=mkdir would allow it"* ]]
    # In a child it ends that child alone.
    run "$C" run --name c -p SystemCallFilter=~mkdir -- sh -c "mkdir $T/a; echo \$?"
    expect 0
    [ "${lines[-1]}" = 159 ]
    [ "$(refusal c call)" = mkdir ]
}

@test "who catches, blocks or ignores SIGSYS is ended all the same" {
    for what in 'trap "" SYS' 'trap ":" SYS'; do
        run "$C" run --name s -p SystemCallFilter='~chdir' -- bash -c "$what; cd /tmp; echo alive"
        expect 137
        [[ "$output" != *alive* ]]
        is s cause system-call
        "$C" reset s
    done
    run "$C" run --name s -p SystemCallFilter='~chdir' -- python3 -c '
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSYS])
os.chdir("/tmp")
print("alive")'
    expect 137
    [[ "$output" != *alive* ]]
}

@test "what refused is named: a restriction, an architecture, a profile" {
    run "$C" run --name n -p RestrictRealtime=yes -- chrt --fifo 1 true
    expect 1
    [ "$(refusal n call)" = sched_setscheduler ]
    [ "$(refusal n remedy)" = RestrictRealtime=no ]
    run "$C" run --name u -p RestrictNamespaces=yes -p SystemCallFilter=@system-service -- unshare --uts true
    expect 1
    [[ "$(refusal u remedy)" == *RestrictNamespaces=* ]]
    echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}' >"$T/p.json"
    run "$C" run --name p -p SeccompProfile="$T/p.json" -- mkdir "$T/a"
    expect 1
    [[ "$(refusal p remedy)" == *'"names":["mkdir"]'* ]]
    # What only leads programs to an older call is no refusal.
    run "$C" run --name q -p RestrictNamespaces=yes -p RestrictSUIDSGID=yes -- python3 -c 'import subprocess; subprocess.run(["true"])'
    expect 0
    [ "$("$C" --json status q | jq .refusal)" = null ]
}

@test "a program's name is told without its control characters" {
    cp "$(readlink -f "$(command -v mkdir)")" "$T/"$'two\nlines'
    run "$C" run --name n -p SystemCallFilter=~mkdir:EACCES -- "$T/"$'two\nlines' "$T/a"
    expect 1
    [ "$(refusal n program)" = "$T/two?lines" ]
}

@test "without SystemCallReport= nothing is told, and the filter is the same" {
    run "$C" run --name m -p SystemCallReport=no -p SystemCallFilter=~mkdir:EACCES -- mkdir "$T/a"
    expect 1
    [[ "$output" == *"Permission denied"* ]]
    [ "$("$C" --json status m | jq .refusal)" = null ]
    run "$C" run -p SystemCallReport=no -p SystemCallFilter=~mkdir -- mkdir "$T/a"
    expect 159
}

@test "a process without root talks too, and a member of its group sees it" {
    run "$C" run --name m -p User=nobody -p SystemCallFilter=~mkdir:EACCES -- mkdir /tmp/never
    expect 1
    [ "$(refusal m call)" = mkdir ]
}

@test "calls are refused and told while the agent dies and comes again, and after an upgrade" {
    "$C" start --name l -p SystemCallFilter=~mkdir:EACCES -- bash -c 'while :; do mkdir /tmp/never 2>&1 | grep -q "Permission denied" || exit 9; done'
    eventually at_least l 3
    for _ in 1 2 3; do
        kill -KILL "$(core)"
        eventually "$C" ping
        before=$(refusal l times)
        eventually at_least l $((before + 3))
        is l state running
    done
    "$C" reexec
    before=$(refusal l times)
    eventually at_least l $((before + 3))
    is l state running
    "$C" stop l
    # Those of ended ones are let go, and wake nobody.
    for _ in 1 2 3; do
        run "$C" run -p SystemCallFilter=~mkdir:EACCES -- true
        expect 0
    done
    [ "$(find /proc/"$(core)"/fd -lname '*seccomp*' | wc -l)" -eq 0 ]
    eventually at_rest "$(core)"
}

@test "a call that is refused while there is no agent waits for the next one" {
    mkfifo "$T/go"
    "$C" start --name w -p SystemCallFilter=~mkdir:EACCES -- bash -c "read -r _ <$T/go; mkdir $T/a 2>$T/said; echo \$? >$T/status"
    eventually is w state running
    kill -STOP "$AGENT"
    kill -KILL "$(core)"
    echo >"$T/go"
    eventually pgrep -x -f "mkdir $T/a"
    pid=$(pgrep -x -f "mkdir $T/a")
    # 83 is mkdir, in which it waits.
    eventually grep -q '^83 ' "/proc/$pid/syscall"
    [ ! -e "$T/status" ]
    kill -CONT "$AGENT"
    eventually test -s "$T/status"
    [ "$(cat "$T/status")" = 1 ]
    grep -q "Permission denied" "$T/said"
    eventually "$C" ping
    [ "$(refusal w call)" = mkdir ]
    [ ! -d "$T/a" ]
}

@test "one that cannot be executed and may not end by itself is ended, and says why" {
    for report in yes no; do
        for what in EPERM kill; do
            run timeout 20 "$C" start --name e -p SystemCallReport=$report -p SystemCallFilter='~exit_group exit' \
                -p SystemCallErrorNumber=$what -- /nonexistent/program
            expect 1
            [[ "$output" == *"exec: /nonexistent/program: No such file or directory"* ]]
        done
    done
    [ "$("$C" --json list | jq -s length)" -eq 0 ]
}

@test "many at once of a user who may have few files open are started all" {
    for i in $(seq 40); do
        "$C" run -p User=nobody -p LimitNOFILE=4 -p SystemCallFilter=~mkdir:EPERM -- true &
        pids[i]=$!
    done
    for i in $(seq 40); do
        wait "${pids[i]}"
    done
    # With none to spare there is no room for a listener, and the filter is the same.
    run "$C" run --name few -p LimitNOFILE=3 -p SystemCallFilter=~open -p SystemCallFilter=~openat -- true
    expect 159
    is few cause system-call
}

@test "of kinds of calls sixteen are told, and the others counted" {
    "$C" run --name v -p SystemCallFilter='~@swap @clock @mount @reboot @raw-io getsid getpgid getpgrp:EPERM' -p SystemCallErrorNumber=EPERM -- python3 -c '
import ctypes
call = ctypes.CDLL(None).syscall
for _ in range(100):
    for number in (167, 168, 164, 227, 159, 305, 165, 166, 155, 161, 428, 429, 430, 431, 432, 442, 169, 172, 173, 124, 121, 111):
        call(number, 0, 0, 0, 0, 0, 0)'
    [ "$("$C" --json status v | jq '.refusal | length')" -eq 16 ]
    [ "$("$C" --json status v | jq .refused_further)" -gt 100 ]
    run "$C" status v
    [[ "$output" == *" calls of further kinds"* ]]
    [ "$("$C" events | grep -c 'v refused')" -eq 16 ]
}

@test "many that are refused without end keep neither the agent nor each other from the rest" {
    for i in 1 2 3 4 5 6 7 8; do
        "$C" start --name "flood$i" -p SystemCallFilter=~getppid:EPERM -- python3 -c '
import ctypes
call = ctypes.CDLL(None).getppid
while True:
    call()'
    done
    for i in 1 2 3 4 5 6 7 8; do
        eventually at_least "flood$i" 1000
    done
    # Somebody else is refused a call now and then, and does not wait for those.
    run timeout 60 "$C" run --name calm -p SystemCallFilter=~mkdir:EACCES -- bash -c "for _ in 1 2 3 4 5 6 7 8 9; do mkdir $T/a; done; echo on"
    expect 0
    [[ "$output" == *on ]]
    for _ in 1 2 3; do
        run timeout 20 "$C" run -- true
        expect 0
    done
    [ "$("$C" events | grep -c refused)" -eq 9 ]
    for i in 1 2 3 4 5 6 7 8; do
        is "flood$i" state running
    done
}
