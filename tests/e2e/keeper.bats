#!/usr/bin/env bats
# The keeper: what it says of a crash, and its one agent per socket and state directory.

load helper

crashed() {
    grep -q "agent-core (pid $1) was killed by SIG$2" "$T/agent.log"
}

# The place of the core that the log names behind the signal, in parentheses.
place() {
    sed -nE "s/.*\(pid $1\) was killed by SIG[A-Z]+ \((.*)\); .*/\1/p" "$T/agent.log"
}

@test "a crash is one line with the signal, and with the core's place where there is a core" {
    stop_agent
    cd "$T"
    ulimit -c unlimited
    start_agent
    for signal in SEGV ABRT; do
        "$C" start --name "before-$signal" sleep 1000
        pid=$(core)
        kill "-$signal" "$pid"
        eventually crashed "$pid" "$signal"
        "$C" run -- true
        is "before-$signal" state running
        case $(place "$pid") in
        "core dumped: see "*) grep -q '^|.*systemd-coredump' /proc/sys/kernel/core_pattern ;;
        "core handed to "*) grep -q '^|' /proc/sys/kernel/core_pattern ;;
        "core dumped: "*) file=$(place "$pid") && file=${file#core dumped: } && [ -s "$file" ] && rm "$file" ;;
        *) false ;;
        esac
    done
}

@test "a crash without a core says nothing of one" {
    stop_agent
    ulimit -c 0
    start_agent
    pid=$(core)
    kill -SEGV "$pid"
    eventually crashed "$pid" SEGV
    grep -q "(pid $pid) was killed by SIGSEGV; starting it again in 0 ms" "$T/agent.log"
}
