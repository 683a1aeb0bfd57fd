#!/usr/bin/env bats
# Each system call of a start and a stop made to fail in turn, and the agent killed at each: every time
# a clear error or a recovery, and nothing leaked. HOLDEN_FAULTS=1 tries all of them, 10 each tenth
# (usual). Not in the emulated machine, where a traced start takes minutes.
# shellcheck disable=SC2030,SC2031

load helper

STRIDE=${HOLDEN_FAULTS:-10}
SETTINGS=(-p UMask=077 -p Nice=1 -p CPUAffinity=0 -p OOMScoreAdjust=100 -p LimitNOFILE=100 -p User=nobody
    -p AmbientCapabilities=CAP_CHOWN -p CapabilityBoundingSet=CAP_CHOWN -p WorkingDirectory=/tmp
    -p NoNewPrivileges=yes -p SystemCallFilter=~mkdir -p StandardInput=file:/dev/null)

setup() {
    ! [[ "$BIN" == *sanitize* ]] || skip "the leak sanitizer cannot be traced"
    [ -z "${HOLDEN_VM:-}" ] || skip "tried natively; under emulation a traced start takes minutes"
    prepare
}

traced() {
    ! grep -q '^TracerPid:[[:space:]]*0$' "/proc/$1/status"
}
# How many descriptors a process has, but for the timer that the event loop makes at its first need.
descriptors() {
    find "/proc/$1/fd" -mindepth 1 -printf '%l\n' 2>/dev/null | grep -vc timerfd
}
has_descriptors() {
    [ "$(descriptors "$1")" -eq "$2" ]
}

# Traces process $1 with the other arguments until untrace().
trace() {
    local pid=$1
    shift
    strace -qq -p "$pid" "$@" 2>"$T/strace.err" 3>&- &
    TRACER=$!
    eventually traced "$pid"
}
untrace() {
    kill "$TRACER" 2>/dev/null || true
    wait "$TRACER" || true
}

# One life under the fault: starts f and stops it. Their exit statuses go to STARTED and STOPPED.
live() {
    STARTED=0 STOPPED=0
    timeout "$LIMIT" "$C" start --name f "${SETTINGS[@]}" -- sleep 1000 >"$T/out" 2>"$T/err" || STARTED=$?
    timeout "$LIMIT" "$C" stop f >"$T/stop.out" 2>"$T/stop.err" || STOPPED=$?
}

# What the caller was told is true, in one line, and no answer was left out.
told() {
    case $STARTED in
    0) grep -q '^started f ' "$T/out" ;;
    1 | 3) [ ! -s "$T/out" ] && [ "$(wc -l <"$T/err")" -eq 1 ] ;;
    *) false ;;
    esac || { echo "start: $STARTED: $(cat "$T/out" "$T/err")"; return 1; }
    case $STOPPED in
    0) grep -q '^stopped f' "$T/stop.out" ;;
    1 | 3 | 4) [ "$(wc -l <"$T/stop.err")" -eq 1 ] ;;
    *) false ;;
    esac || { echo "stop: $STOPPED: $(cat "$T/stop.out" "$T/stop.err")"; return 1; }
}

# Nothing but agent and keeper is left once all that is still known is stopped.
nothing_left() {
    local name
    for name in $("$C" list | awk 'NR > 1 { print $1 }'); do
        "$C" stop --timeout 0 "$name" >/dev/null || return 1
    done
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*')" ] || { find "$CGROUP"; return 1; }
    [ "$(pgrep -c -P "$AGENT")" -eq 1 ] || { ps --ppid "$AGENT" -o pid,stat,args; return 1; }
}

# fault WHO CALL N WHAT: an agent of its own whose N-th CALL has WHAT done to it.
fault() {
    local who=$1 call=$2 number=$3 what=$4 pid keeper_fds core_fds core_pid
    start_agent
    core_pid=$(core)
    pid=$AGENT
    [ "$who" = keeper ] || pid=$core_pid
    keeper_fds=$(descriptors "$AGENT")
    core_fds=$(descriptors "$core_pid")
    trace "$pid" -f -e "trace=$call" -e "inject=$call:$what:when=$number" -o /dev/null
    live
    untrace
    eventually "$C" ping || return 1
    told || return 1
    nothing_left || return 1
    [ "$(core)" -ne "$core_pid" ] || eventually has_descriptors "$core_pid" "$core_fds" ||
        { ls -l "/proc/$core_pid/fd"; return 1; }
    eventually has_descriptors "$AGENT" "$keeper_fds" || { ls -l "/proc/$AGENT/fd"; return 1; }
    stop_agent
}

# Prints "CALL N" for each system call that one life takes of the agent or of the keeper and its
# child: N counts within each process.
calls_of() {
    local who=$1 pid
    start_agent
    pid=$AGENT
    [ "$who" = keeper ] || pid=$(core)
    trace "$pid" -f -o "$T/calls"
    live
    untrace
    stop_agent
    told
    sed -nE 's/^([0-9]+) +([a-z0-9_]+)\(.*/\1 \2/p' "$T/calls" | awk '{ print $2, ++seen[$0] }' | sort -u
}

# Does WHAT to each STRIDE-th line of the calls on standard input, but for those that the expression
# excludes.
each_of() {
    local who=$1 what=$2 not=$3 call number at=0 failed=0
    while read -r call number; do
        [[ "$call" =~ ^($not)$ ]] && continue
        ((at++ % STRIDE == 0)) || continue
        fault "$who" "$call" "$number" "$what" >"$T/said" 2>&1 || {
            echo "$who: $call #$number $what:"
            cat "$T/said" "$T/agent.log"
            failed=$((failed + 1))
            sweep >/dev/null 2>&1 || true
            rm -rf "$T/state" "$HOLDEN_SOCKET"
            AGENT=
        }
        : >"$T/agent.log"
    done
    echo "$at calls, every ${STRIDE}th: $failed failed"
    [ "$failed" -eq 0 ]
}

# A close that does not take place leaks by itself, and what waits must come back.
@test "a system call of the keeper or the child fails" {
    calls_of keeper >"$T/list"
    [ "$(wc -l <"$T/list")" -gt 30 ]
    each_of keeper error=ENOMEM 'close|poll|waitid|restart_syscall|exit_group|rt_sigreturn|brk|mmap|access|newfstatat|fstat|mprotect|munmap|arch_prctl' <"$T/list"
}

@test "a system call of the agent fails" {
    calls_of agent >"$T/list"
    [ "$(wc -l <"$T/list")" -gt 60 ]
    each_of agent error=ENOMEM 'close|epoll_wait|restart_syscall|exit_group|rt_sigreturn' <"$T/list"
}

@test "the agent is killed at a system call" {
    calls_of agent >"$T/list"
    each_of agent signal=KILL 'restart_syscall|exit_group|rt_sigreturn' <"$T/list"
}
