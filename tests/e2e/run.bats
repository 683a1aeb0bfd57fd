#!/usr/bin/env bats
# A process joined to the caller: its streams, its signals, its terminal, and the agent's death.
# shellcheck disable=SC2016

load helper

# Runs the shell script of the arguments in a terminal of tmux, 91 columns by 23 lines; what it is to
# show goes to the screen.
terminal() {
    printf '%s\n' 'trap : INT' "$@" 'sleep 1000' >"$T/session"
    tmux -S "$T/tmux" -u -f /dev/null new-session -d -x 91 -y 23 "sh $T/session" 3>&-
}
shows() {
    tmux -S "$T/tmux" capture-pane -p | grep -qE -- "$1"
}
expect_screen() {
    eventually shows "$1" || { tmux -S "$T/tmux" capture-pane -p; return 1; }
}
keys() {
    tmux -S "$T/tmux" send-keys "$@"
}

@test "run -t: a terminal of its own, of this one's size, resized with it; this one is as before afterwards" {
    terminal 'stty -g >'"$T"'/before' \
        "$C run -t --name in-tty -- sh -c 'tty; stty size; trap \"stty size\" WINCH; while :; do sleep 0.05; done'" \
        'echo "status $?"; stty -g >'"$T/after; echo over"
    expect_screen '^/dev/pts/'
    expect_screen '^2[23] 91$'
    tmux -S "$T/tmux" resize-window -x 77 -y 20
    expect_screen ' 77$'
    # The program's own terminal makes the signal.
    keys C-c
    expect_screen 'status 130$'
    expect_screen '^over$'
    [ "$(cat "$T/before")" = "$(cat "$T/after")" ]
    is in-tty signal 2
}

@test "run -t: what is typed arrives, its end too, and output is not cut off" {
    terminal "$C run -t -- sh -c 'read line; echo got \$line; cat; seq 1 2000; echo the end'" 'echo "status $?"'
    keys hello Enter
    expect_screen '^got hello$'
    keys C-d
    expect_screen '^the end$'
    expect_screen '^status 0$'
}

@test "run in a terminal: Ctrl-C ends the program and everything that it started" {
    terminal "$C run --name joined -- sh -c 'sleep 1000 & echo ready; sleep 1000; echo never'" 'echo "status $?"'
    expect_screen '^ready$'
    keys C-c
    expect_screen 'status 130$'
    [[ "$(tmux -S "$T/tmux" capture-pane -p)" != *never* ]]
    [ -z "$(find "$CGROUP" -name '*-joined')" ]
}

@test "run in a pipe: large input and output arrive whole, an early end is told by SIGPIPE" {
    head -c 3000000 /dev/urandom >"$T/in"
    run bash -o pipefail -c "'$C' run -- sh -c 'cat; exit 3' <$T/in | cmp - $T/in"
    expect 3
    "$C" run --name pipe -- yes | head -n 1 >/dev/null
    eventually is pipe signal 13
    [ "$(printf 'c\nb\na\n' | "$C" run -- sort | "$C" run -- tr -d '\n')" = abc ]
    # Standard streams that the caller does not have.
    run bash -c "'$C' run -- sh -c 'echo out; exit 4' <&-"
    expect 4
    [ "$output" = out ]
}

@test "signals are passed on before and after, and a stopped agent loses none" {
    "$C" run --name all -- sh -c '
        for s in HUP INT QUIT USR1 USR2; do trap "echo $s" $s; done
        trap "echo TERM; exit 9" TERM
        echo ready; while :; do sleep 0.02; done' >"$T/got" 3>&- &
    runner=$!
    eventually grep -q ready "$T/got"
    for signal in HUP QUIT USR1 USR2; do
        kill -s "$signal" "$runner"
        eventually grep -qx "$signal" "$T/got"
    done
    agent=$(core)
    kill -STOP "$agent"
    kill -TERM "$runner"
    kill -CONT "$agent"
    status=0
    wait "$runner" || status=$?
    [ "$status" -eq 9 ]
    grep -qx TERM "$T/got"
}

@test "run, wait, events and start --wait outlive the agent's death and tell the end" {
    program="while [ ! -e $T/go ]; do sleep 0.05; done; echo said; exit 21"
    "$C" run --name a -- sh -c "$program" >"$T/a" 3>&- &
    ran=$!
    "$C" start --wait --name b -- sh -c "$program" >"$T/b" 3>&- &
    started=$!
    eventually is a state running
    eventually is b state running
    "$C" wait a >"$T/wait" 3>&- &
    waited=$!
    "$C" --json events -f --since 0 >"$T/events" 3>&- &
    follower=$!
    eventually grep -q '"b"' "$T/events"
    kill -KILL "$(core)"
    eventually "$C" ping
    touch "$T/go"
    for pid in "$ran" "$started" "$waited"; do
        status=0
        wait "$pid" || status=$?
        [ "$status" -eq 21 ] || { echo "$status"; cat "$T/a" "$T/b" "$T/wait"; return 1; }
    done
    [ "$(cat "$T/a")" = said ]
    eventually sh -c "[ \$(grep -c '\"status\":21' $T/events) -eq 2 ]"
    kill "$follower"
    wait "$follower" || true
}

@test "a caller that is killed leaves its process alone, and the process can be stopped" {
    "$C" run --name left -- sh -c 'sleep 1000' 3>&- &
    runner=$!
    eventually is left state running
    pid=$("$C" --json status left | jq .pid)
    kill -KILL "$runner"
    wait "$runner" || true
    is left state running
    run "$C" stop left
    expect 0
    [ ! -e "/proc/$pid" ]
}
