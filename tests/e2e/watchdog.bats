#!/usr/bin/env bats
# WatchdogSec=: who is silent too long is ended, and who reports is not.
# shellcheck disable=SC2016

load helper

# A main process that does what its arguments say, one after the other: words to the notify socket, or
# "sleep N", or "env" to print what it is told; then it waits.
write_speaker() {
    cat >"$T/speaker" <<'SPEAKER'
#!/usr/bin/env python3
import os, signal, socket, sys, time
def say(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
for word in sys.argv[1:]:
    if word == "env":
        print(os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID") == str(os.getpid()), flush=True)
    elif word.startswith("every "):
        while True:
            say("WATCHDOG=1")
            time.sleep(float(word[6:]))
    elif word.startswith("sleep "):
        time.sleep(float(word[6:]))
    elif word == "deaf":
        signal.signal(signal.SIGABRT, signal.SIG_IGN)
    else:
        say(word)
time.sleep(1000)
SPEAKER
    chmod 755 "$T/speaker"
}

setup() {
    prepare
    start_agent
    write_speaker
}

ended_by() {
    "$C" --json status "$1" | jq -e --arg cause "$2" --argjson signal "$3" \
        '.cause == $cause and .signal == $signal and .state == "failed"'
}

@test "who never reports is ended by SIGABRT, and its record says watchdog" {
    "$C" start --name dumb -p WatchdogSec=2s -p LimitCORE=0 -p ExecStop='/bin/touch /proc/self/nonsense' \
        -p ExecStopPost="/bin/sh -c 'echo \$SERVICE_RESULT >$T/result'" -- "$T/speaker" env
    run "$C" wait dumb
    [ "$status" -ne 0 ]
    ended_by dumb watchdog 6
    [[ "$("$C" --json status dumb | jq -r .explanation)" == "it did not say WATCHDOG=1 within 2s"* ]]
    [ "$(cat "$T/result")" = watchdog ]
    run "$C" logs dumb
    [[ "$output" == "2000000 True"* ]]
}

@test "who reports in time runs on; when it falls silent it is ended" {
    "$C" start --name lively -p WatchdogSec=1min -- "$T/speaker" WATCHDOG_USEC=1500000 'every 0.1'
    "$C" start --name tires -p WatchdogSec=1s -p WatchdogSignal=KILL -- "$T/speaker" WATCHDOG=1 'sleep 0.5' WATCHDOG=1
    run "$C" wait tires
    ended_by tires watchdog 9
    is lively state running
    "$C" stop lively
    is lively cause stopped
}

@test "what it says of its own time: WATCHDOG_USEC=, WATCHDOG=trigger" {
    "$C" start --name own -p NotifyAccess=main -p LimitCORE=0 -- "$T/speaker" WATCHDOG_USEC=300000
    run "$C" wait own
    ended_by own watchdog 6
    "$C" start --name pulls -p NotifyAccess=main -p LimitCORE=0 -- "$T/speaker" WATCHDOG=trigger
    run "$C" wait pulls
    ended_by pulls watchdog 6
    [ "$("$C" --json status pulls | jq -r .explanation)" = "it said WATCHDOG=trigger" ]
    # Who is not heard has no watchdog.
    "$C" start --name unheard -- "$T/speaker" env
    eventually sh -c "'$C' logs unheard | grep 'None False'"
}

@test "another root has the socket too: who reports from there runs on, who does not is ended" {
    make_root
    local rooted=(-p RootDirectory="$T/root" -p BindReadOnlyPaths="/usr $T/speaker" -p LimitCORE=0)
    "$C" start --name rooted "${rooted[@]}" -p Type=notify -p WatchdogSec=1s -- \
        "$T/speaker" READY=1 STATUS=below 'every 0.1'
    "$C" start --name bare "${rooted[@]}" -p MountAPIVFS=no -p WatchdogSec=1s -- \
        "$T/speaker" STATUS=bare WATCHDOG=1
    run "$C" wait bare
    ended_by bare watchdog 6
    is rooted state running
    is rooted statement.text below
    # It cannot be taken away from there.
    run "$C" run "${rooted[@]}" -p NotifyAccess=main -- sh -c "rm $HOLDEN_SOCKET.notify"
    [ "$status" -ne 0 ]
    [ -S "$HOLDEN_SOCKET.notify" ]
    # Who is not heard does not see it.
    run "$C" run "${rooted[@]}" -p MountAPIVFS=no -- sh -c "test -S $HOLDEN_SOCKET.notify"
    expect 1
    "$C" stop rooted
}

@test "TimeoutAbortSec= is the time for that signal; then all of it is killed" {
    "$C" start --name deaf -p NotifyAccess=main -p TimeoutAbortSec=200ms -p TimeoutStopSec=1h -- \
        "$T/speaker" deaf WATCHDOG=trigger
    run "$C" wait deaf
    ended_by deaf watchdog 9
}

@test "Type=notify is watched once it is ready" {
    "$C" start --name late -p Type=notify -p WatchdogSec=300ms -p LimitCORE=0 -- "$T/speaker" 'sleep 1' READY=1
    run "$C" wait late
    ended_by late watchdog 6
}

@test "a frozen process is not ended; a successor of the agent goes on watching" {
    "$C" start --name cold -p WatchdogSec=1min -p LimitCORE=0 -- "$T/speaker" WATCHDOG_USEC=900000 'every 0.05'
    eventually sh -c "'$C' --json status cold | jq -e .statement"
    "$C" freeze cold
    sleep 2
    is cold state running
    "$C" thaw cold
    "$C" start --name kept -p WatchdogSec=5s -p LimitCORE=0 -- "$T/speaker" WATCHDOG_USEC=1000000
    eventually sh -c "'$C' --json status kept | jq -e .statement"
    kill -KILL "$(core)"
    run "$C" wait kept
    ended_by kept watchdog 6
    is cold state running
}
