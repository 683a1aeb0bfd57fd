#!/usr/bin/env bats
# The commands of a service beside its main one: ExecStartPost=, ExecReload=, ExecStop= and
# ExecStopPost=.

load helper

# Starts an agent's process "web" from a unit with these lines.
apply() {
    printf '[Service]\n%s\n' "$1" >"$T/web.service"
    run "$C" apply "$T/web.service"
}

said() {
    tr '\n' ' ' <"$T/said"
}

has_said() {
    grep -q "$1" "$T/said" 2>/dev/null
}

gone() {
    [ "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '*-web' | wc -l)" -eq 0 ]
}

@test "ExecStop runs first and knows the main process; then the signal; ExecStopPost last" {
    apply "Environment=WHO=me
ExecStart=/bin/sh -c 'trap \"echo term >>$T/said; exit 0\" TERM; echo \$\$\$\$ >$T/main; : >$T/up; while :; do sleep 0.02; done'
ExecStop=/bin/sh -c 'echo \"stop \$\$1 \$\$MAINPID \$\$SERVICE_RESULT \$\${EXIT_CODE-none} \$\$2\" >>$T/said' sh \$MAINPID \${WHO}-\${MAINPID}-\$\$x
ExecStop=-/bin/sh -c 'echo two >>$T/said; exit 3'
ExecStopPost=/bin/sh -c 'echo \"post \$\$# \$\${MAINPID-none} \$\$SERVICE_RESULT \$\$EXIT_CODE \$\$EXIT_STATUS\" >>$T/said' sh \$MAINPID
ExecStopPost=/bin/sh -c 'sleep 1000 & echo last >>$T/said'"
    expect 0
    eventually test -e "$T/up"
    pid=$(cat "$T/main")
    run "$C" stop web
    expect 0
    gone
    [ "$(said)" = "stop $pid $pid success none me-$pid-\$x two term post 0 none success exited 0 last " ] || { said; return 1; }
    is web state stopped
    [ "$("$C" --json status web | jq -r .explanation)" = "stopped by user 0; exited with status 0" ]
}

@test "after an end of its own both run, and know how it ended" {
    apply "ExecStart=/bin/sh -c 'exit 7'
ExecStop=/bin/sh -c 'echo \"stop \$\${MAINPID-none} \$\$EXIT_CODE \$\$EXIT_STATUS\" >>$T/said'
ExecStopPost=/bin/sh -c 'echo \"post \$\$SERVICE_RESULT \$\$EXIT_CODE \$\$EXIT_STATUS\" >>$T/said'"
    expect 0
    eventually is web state failed
    [ "$(said)" = "stop none exited 7 post exit-code exited 7 " ] || { said; return 1; }
    is web status 7
    is web cause exited
    rm "$T/said"
    apply "ExecStart=/bin/sh -c 'kill -SEGV \$\$\$\$'
ExecStopPost=/bin/sh -c 'echo \"post \$\$SERVICE_RESULT \$\$EXIT_CODE \$\$EXIT_STATUS\" >>$T/said'"
    expect 0
    eventually is web state failed
    [[ "$(said)" =~ ^post\ (signal\ killed|core-dump\ dumped)\ SEGV\ $ ]] || { said; return 1; }
    gone
}

@test "wait waits for them, and a restart begins anew" {
    run "$C" start --name web -p ExecStopPost="/bin/sh -c 'echo post >>$T/said'" --wait true
    expect 0
    [ "$(said)" = "post " ]
    run "$C" run -p ExecStopPost="/bin/sh -c 'echo again >>$T/said'" -- sh -c 'exit 5'
    expect 5
    [ "$(said)" = "post again " ]
    run "$C" start --name two -p ExecStop="/bin/sh -c 'echo stop >>$T/said'" -p ExecStopPost="/bin/sh -c 'echo over >>$T/said'" sleep 1000
    expect 0
    run "$C" restart two
    expect 0
    is two state running
    run "$C" stop two
    expect 0
    [ "$(said)" = "post again stop over stop over " ]
}

@test "after a start that fails only ExecStopPost runs" {
    apply "ExecStartPre=/bin/sh -c 'exit 4'
ExecStart=/bin/sleep 1000
ExecStop=/bin/sh -c 'echo stop >>$T/said'
ExecStopPost=/bin/sh -c 'echo \"post \$\$SERVICE_RESULT \$\${EXIT_CODE-none}\" >>$T/said'"
    expect 1
    one_line 'cannot start web: ExecStartPre: /bin/sh exited with status 4$'
    [ "$(said)" = "post exit-code none " ] || { said; return 1; }
    is web state failed
    rm "$T/said"
    apply "ExecStart=/no/such/program
ExecStop=/bin/sh -c 'echo stop >>$T/said'
ExecStopPost=/bin/sh -c 'echo post >>$T/said'"
    expect 1
    one_line 'cannot start web: exec: /no/such/program: No such file or directory$'
    [ "$(said)" = "post " ] || { said; return 1; }
    rm "$T/said"
    apply "Type=notify
ExecStart=/bin/true
ExecStopPost=/bin/sh -c 'echo \"post \$\$SERVICE_RESULT\" >>$T/said'"
    expect 1
    one_line 'cannot start web: Type: it ended without having said READY=1$'
    [ "$(said)" = "post protocol " ] || { said; return 1; }
    gone
}

@test "one that fails is told, and what follows is done all the same" {
    apply "ExecStart=/bin/sleep 1000
ExecStop=/bin/sh -c 'exit 9'
ExecStop=/bin/sh -c 'echo never >>$T/said'
ExecStopPost=/no/such/program"
    expect 0
    run "$C" stop web
    expect 0
    gone
    [ ! -e "$T/said" ]
    is web state failed
    is web cause stopped
    [ "$("$C" --json status web | jq -r .explanation)" = "stopped by user 0; ended by SIGTERM; ExecStop: /bin/sh exited with status 9" ]
    grep -q 'web: ExecStopPost: exec: /no/such/program: No such file' "$T/agent.log"
    "$C" reset web
    apply "ExecStart=/bin/sleep 1000
ExecStopPost=/no/such/program"
    expect 0
    "$C" stop web
    [ "$("$C" --json status web | jq -r .explanation)" = "stopped by user 0; ended by SIGTERM; ExecStopPost: exec: /no/such/program: No such file or directory" ]
}

@test "what takes too long is ended, and nothing of it is left" {
    apply "TimeoutStopSec=200ms
ExecStart=/bin/sh -c 'trap \"\" TERM; : >$T/up; while :; do sleep 0.02; done'
ExecStop=/bin/sh -c 'trap \"\" TERM; while :; do sleep 0.02; done'
ExecStop=/bin/sh -c 'echo never >>$T/said'
ExecStopPost=/bin/sh -c 'echo \"post \$\$SERVICE_RESULT\" >>$T/said; sleep 1000'
ExecStopPost=/bin/sh -c 'echo never >>$T/said'"
    expect 0
    eventually test -e "$T/up"
    run "$C" stop web
    expect 0
    gone
    [ "$(said)" = "post timeout " ] || { said; return 1; }
    is web state failed
    [[ "$("$C" --json status web | jq -r .explanation)" = *"; ExecStop: /bin/sh did not end within TimeoutStopSec=" ]]
    "$C" reset web
    rm "$T/said"
    # Whoever kills does not wait for it.
    apply "ExecStart=/bin/sleep 1000
ExecStop=/bin/sh -c ': >$T/stops; exec sleep 1000'
ExecStopPost=/bin/sh -c 'echo post >>$T/said'"
    expect 0
    "$C" stop web 3>&- &
    stopping=$!
    eventually test -e "$T/stops"
    run "$C" stop --timeout 0 web
    expect 0
    wait "$stopping"
    gone
    [ "$(said)" = "post " ] || { said; return 1; }
}

@test "an agent that dies during any of them loses nothing" {
    apply "ExecStart=/bin/sh -c 'trap \"echo term >>$T/said; exit 3\" TERM; : >$T/up; while :; do sleep 0.02; done'
ExecStop=/bin/sh -c 'echo 1 >>$T/said; until [ -e $T/go1 ]; do sleep 0.02; done'
ExecStop=/bin/sh -c 'echo 2 >>$T/said; until [ -e $T/go2 ]; do sleep 0.02; done'
ExecStopPost=/bin/sh -c 'echo 3 \$\$EXIT_STATUS >>$T/said; until [ -e $T/go3 ]; do sleep 0.02; done'
ExecStopPost=/bin/sh -c 'echo 4 \$\$EXIT_STATUS >>$T/said; until [ -e $T/go4 ]; do sleep 0.02; done'"
    expect 0
    eventually test -e "$T/up"
    "$C" stop web >"$T/out" 2>&1 3>&- &
    stopping=$!
    for step in 1 2 3 4; do
        eventually has_said "^$step"
        if [ "$step" -eq 3 ]; then
            run "$C" reexec
            expect 0
        else
            before=$(core)
            touch "$T/go$step"
            kill -KILL "$before"
            eventually "$C" ping
        fi
        touch "$T/go$step"
    done
    wait "$stopping" || { cat "$T/out"; return 1; }
    gone
    [ "$(said)" = "1 2 term 3 3 4 3 " ] || { said; return 1; }
    is web state stopped
    is web status 3
}

@test "keeper and agent killed together: it goes on, and all is gone in the end" {
    apply "ExecStart=/bin/sleep 1000
ExecStop=/bin/sh -c ': >$T/stops; exec sleep 1000'
ExecStopPost=/bin/sh -c 'echo post >>$T/said'"
    expect 0
    "$C" stop web >"$T/out" 2>&1 3>&- &
    stopping=$!
    eventually test -e "$T/stops"
    kill -KILL "$AGENT" "$(core)"
    wait "$AGENT" || true
    start_agent
    eventually is web state failed
    gone
    [ "$(said)" = "post " ] || { said; return 1; }
    wait "$stopping" || true
}

@test "when the agent stops, they run too" {
    apply "ExecStart=/bin/sleep 1000
ExecStop=/bin/sh -c 'echo stop >>$T/said'
ExecStopPost=/bin/sh -c 'echo post >>$T/said'"
    expect 0
    stop_agent
    [ "$(said)" = "stop post " ] || { said; return 1; }
}

@test "ExecStartPost runs once it has started, and its failure is that of the start" {
    apply "ExecStart=/bin/sh -c 'trap \"echo term >>$T/said; exit 0\" TERM; : >$T/up; while :; do sleep 0.02; done'
ExecStartPost=/bin/sh -c 'until [ -e $T/up ]; do sleep 0.02; done; kill -0 \$\$MAINPID && echo \"post \$\${SERVICE_RESULT-none}\" >>$T/said'
ExecStartPost=-/bin/sh -c 'exit 3'
ExecStartPost=/bin/sh -c 'sleep 0.1; echo last >>$T/said'
ExecStop=/bin/sh -c 'echo stop >>$T/said'"
    expect 0
    [ "$(said)" = "post none last " ] || { said; return 1; }
    is web state running
    "$C" stop web
    [[ "$(said)" = *" stop term " ]] || { said; return 1; }
    rm "$T/said" "$T/up"
    apply "ExecStart=/bin/sh -c 'trap \"echo term >>$T/said; exit 0\" TERM; : >$T/up; while :; do sleep 0.02; done'
ExecStartPost=/bin/sh -c 'until [ -e $T/up ]; do sleep 0.02; done; exit 4'
ExecStartPost=/bin/sh -c 'echo never >>$T/said'
ExecStop=/bin/sh -c 'echo never >>$T/said'
ExecStopPost=/bin/sh -c 'echo post >>$T/said'"
    expect 1
    one_line 'cannot start web: ExecStartPost: /bin/sh exited with status 4$'
    eventually is web state failed
    [ "$(said)" = "term post " ] || { said; return 1; }
    is web cause setup
    [ "$("$C" --json status web | jq -r .explanation)" = "its start failed; ExecStartPost: /bin/sh exited with status 4" ]
    gone
    rm "$T/said"
    apply "TimeoutStartSec=200ms
ExecStart=/bin/sleep 1000
ExecStartPost=/bin/sleep 1000"
    expect 1
    one_line 'cannot start web: ExecStartPost: /bin/sleep did not end within TimeoutStartSec=$'
    eventually is web state failed
    gone
}

@test "ExecStartPost waits for what Type says, and comes after a oneshot" {
    apply "Type=notify
NotifyAccess=all
ExecStart=/bin/sh -c 'until [ -e $T/go ]; do sleep 0.02; done; echo ready >>$T/said; systemd-notify --ready || kill \$\$\$\$; exec sleep 1000'
ExecStartPost=/bin/sh -c 'echo post >>$T/said'"  3>&- &
    applied=$!
    eventually is web state starting
    [ ! -e "$T/said" ]
    touch "$T/go"
    wait "$applied"
    eventually is web state running
    [ "$(said)" = "ready post " ] || { said; return 1; }
    "$C" stop web
    rm "$T/said"
    apply "Type=oneshot
ExecStart=/bin/sh -c 'echo main >>$T/said'
ExecStartPost=/bin/sh -c 'echo post >>$T/said'
ExecStop=/bin/sh -c 'echo stop >>$T/said'"
    expect 0
    eventually is web state exited
    [ "$(said)" = "main post stop " ] || { said; return 1; }
    rm "$T/said"
    apply "Type=oneshot
ExecStart=/bin/sh -c 'exit 2'
ExecStartPost=/bin/sh -c 'echo post >>$T/said'
ExecStop=/bin/sh -c 'echo stop >>$T/said'"
    [ ! -e "$T/said" ]
    is web state failed
}

@test "an agent that dies during ExecStartPost goes on; a stop ends it" {
    apply "ExecStart=/bin/sleep 1000
ExecStartPost=/bin/sh -c 'echo 1 >>$T/said; until [ -e $T/go1 ]; do sleep 0.02; done'
ExecStartPost=/bin/sh -c 'echo 2 >>$T/said; until [ -e $T/go2 ]; do sleep 0.02; done'" 3>&- &
    applied=$!
    eventually has_said 1
    is web state starting
    kill -KILL "$(core)"
    eventually "$C" ping
    is web state starting
    touch "$T/go1"
    eventually has_said 2
    before=$(core)
    touch "$T/go2"
    kill -KILL "$before"
    eventually "$C" ping
    wait "$applied"
    eventually is web state running
    [ "$(said)" = "1 2 " ] || { said; return 1; }
    "$C" stop web
    rm "$T/said"
    "$C" start --name two -p ExecStartPost="/bin/sh -c 'echo 3 >>$T/said; exec sleep 1000'" -p ExecStop="/bin/sh -c 'echo never >>$T/said'" sleep 1000 >"$T/out" 2>&1 3>&- &
    started=$!
    eventually has_said 3
    run "$C" stop two
    expect 0
    status=0
    wait "$started" || status=$?
    [ "$status" -ne 0 ]
    grep -q 'cannot start two: ' "$T/out"
    is two state stopped
    [ "$(said)" = "3 " ] || { said; return 1; }
}

@test "reload runs ExecReload, waits for it and tells of its failure" {
    apply "ExecStart=/bin/sh -c 'trap \"echo hup >>$T/said\" HUP; : >$T/up; while :; do sleep 0.02; done'
ExecReload=/bin/kill -HUP \$MAINPID
ExecReload=/bin/sh -c 'until grep -q hup $T/said; do sleep 0.02; done; echo done >>$T/said; [ ! -e $T/bad ]'"
    expect 0
    eventually test -e "$T/up"
    run "$C" reload web
    expect 0
    one_line '^reloaded web$'
    [ "$(said)" = "hup done " ] || { said; return 1; }
    is web state running
    touch "$T/bad"
    run "$C" reload web
    expect 1
    one_line 'cannot reload web: ExecReload: /bin/sh exited with status 1$'
    is web state running
    "$C" stop web
    is web state stopped
    run "$C" reload web
    expect 1
    "$C" start --name plain sleep 1000
    run "$C" reload plain
    expect 1
    one_line 'cannot reload plain: ExecReload: plain has none; where a signal does it: kill -s HUP plain$'
}

@test "reload outlives the agent, ends with its time, and with a stop" {
    "$C" start --name web -p TimeoutStartSec=5s -p ExecReload="/bin/sh -c 'echo 1 >>$T/said; until [ -e $T/go ]; do sleep 0.02; done'" sleep 1000
    "$C" reload web >"$T/out" 2>&1 3>&- &
    reloading=$!
    eventually has_said 1
    kill -KILL "$(core)"
    eventually "$C" ping
    touch "$T/go"
    wait "$reloading" || { cat "$T/out"; return 1; }
    [ "$(said)" = "1 " ] || { said; return 1; }
    "$C" start --name slow -p TimeoutStartSec=200ms -p ExecReload="sleep 1000" sleep 1000
    run "$C" reload slow
    expect 1
    one_line 'ExecReload: sleep did not end within TimeoutStartSec=$'
    is slow state running
    "$C" start --name two -p ExecReload="/bin/sh -c 'echo 2 >>$T/said; exec sleep 1000'" sleep 1000
    "$C" reload two >"$T/out" 2>&1 3>&- &
    reloading=$!
    eventually has_said 2
    run "$C" reload two
    expect 1
    one_line 'two is being reloaded already$'
    run "$C" stop two
    expect 0
    status=0
    wait "$reloading" || status=$?
    [ "$status" -ne 0 ]
    grep -q 'two is being stopped$' "$T/out"
    is two state stopped
}

@test "in a unit an end by SIGTERM and its like is a clean one, but not of a oneshot" {
    for signal in HUP INT PIPE TERM; do
        apply "IgnoreSIGPIPE=no
ExecStart=/bin/sh -c 'kill -$signal \$\$\$\$'
ExecStopPost=/bin/sh -c 'echo \$\$SERVICE_RESULT \$\$EXIT_STATUS >>$T/said'"
        expect 0
        eventually is web state exited
        [ "$(said)" = "success $signal " ] || { said; return 1; }
        rm "$T/said"
    done
    apply "ExecStart=/bin/sh -c 'kill -USR1 \$\$\$\$'"
    eventually is web state failed
    apply "Type=oneshot
ExecStart=/bin/sh -c 'kill -TERM \$\$\$\$'"
    eventually is web state failed
    "$C" start --name own sleep 1000
    "$C" kill own
    eventually is own state failed
}
