#!/usr/bin/env bats
# Units that are not to run: ExecCondition=, Condition*= and Assert*=.

load helper

# Starts an agent's process "web" from a unit with these lines.
apply() {
    printf '[Service]\n%s\n' "$1" >"$T/web.service"
    run "$C" apply "$T/web.service"
}

said() {
    tr '\n' ' ' <"$T/said" 2>/dev/null
}

gone() {
    [ "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '*-web' | wc -l)" -eq 0 ]
}

@test "ExecCondition: 0 goes on, 1 to 254 skips without a failure, 255 and signals fail" {
    apply "ExecCondition=/bin/sh -c 'echo one >>$T/said'
ExecCondition=-/bin/sh -c 'echo two >>$T/said; exit 3'
ExecStartPre=/bin/sh -c 'echo pre >>$T/said'
ExecStart=/bin/sleep 1000"
    expect 0
    [ "$(said)" = "one two pre " ] || { said; return 1; }
    run "$C" stop web
    expect 0
    for code in 1 254; do
        rm -f "$T/said"
        apply "ExecCondition=/bin/sh -c 'exit $code'
ExecCondition=/bin/sh -c 'echo never >>$T/said'
ExecStartPre=/bin/sh -c 'echo never >>$T/said'
ExecStart=/bin/sleep 1000
ExecStop=/bin/sh -c 'echo never >>$T/said'
ExecStopPost=/bin/sh -c 'echo \"post \$\$SERVICE_RESULT\" >>$T/said'"
        expect 0
        one_line "^skipped web: ExecCondition: /bin/sh exited with status $code$"
        [ "$(said)" = "post exec-condition " ] || { said; return 1; }
        gone
        is web state exited
        is web cause skipped
        "$C" status web | grep -q "^web: skipped: ExecCondition: /bin/sh exited with status $code; ran"
    done
    apply "ExecCondition=/bin/sh -c 'exit 255'
ExecStart=/bin/sleep 1000"
    expect 1
    one_line 'cannot start web: ExecCondition: /bin/sh exited with status 255$'
    is web state failed
    apply "ExecCondition=/bin/sh -c 'kill -KILL \$\$\$\$'
ExecStart=/bin/sleep 1000"
    expect 1
    one_line 'cannot start web: ExecCondition: /bin/sh was ended by SIGKILL$'
    apply "ExecCondition=/no/such/program
ExecStart=/bin/sleep 1000"
    expect 1
    one_line 'cannot start web: ExecCondition: exec: /no/such/program: No such file or directory$'
    apply "TimeoutStartSec=200ms
ExecCondition=/bin/sleep 1000
ExecStart=/bin/sleep 1000"
    expect 1
    one_line 'cannot start web: ExecCondition: /bin/sleep did not end within TimeoutStartSec=$'
    gone
}

@test "a skip is told by every verb, and asked anew by a restart" {
    run "$C" start --name web -p ExecCondition="/bin/test -e $T/go" sleep 1000
    expect 0
    one_line 'skipped web: ExecCondition: /bin/test exited with status 1$'
    run "$C" run --name job -p ExecCondition=/bin/false echo ran
    expect 0
    [[ "$output" != *ran* ]]
    run "$C" start --wait --name waits -p ExecCondition=/bin/false true
    expect 0
    one_line 'skipped waits: '
    run "$C" --json start --name other -p ExecCondition=/bin/false true
    expect 0
    run "$C" restart web
    expect 0
    one_line 'skipped web: '
    touch "$T/go"
    run "$C" restart web
    expect 0
    is web state running
    rm "$T/go"
    run "$C" restart web
    expect 0
    one_line 'skipped web: '
    is web state exited
    is web restarts 3
    "$C" --json events | jq -e 'select(.name == "web" and .state == "exited" and .cause == "skipped")' >/dev/null
}

@test "a condition outlives the agent; what it says counts for the next one" {
    for code in 0 3; do
        rm -f "$T/go" "$T/up"
        "$C" start --name web -p ExecCondition="/bin/sh -c ': >$T/up; until [ -e $T/go ]; do sleep 0.02; done; exit $code'" \
            sleep 1000 >"$T/out" 2>&1 3>&- &
        asked=$!
        eventually test -e "$T/up"
        kill -KILL "$(core)"
        eventually "$C" ping
        is web state starting
        touch "$T/go"
        wait "$asked" || { cat "$T/out"; return 1; }
        if [ "$code" -eq 0 ]; then
            grep -q '^started web' "$T/out"
            "$C" stop web
        else
            grep -q '^skipped web: ExecCondition: /bin/sh exited with status 3$' "$T/out"
            is web cause skipped
        fi
    done
    # So it is where ExecStopPost= runs when the agent dies.
    rm -f "$T/go" "$T/up"
    "$C" start --name web -p ExecCondition=/bin/false \
        -p ExecStopPost="/bin/sh -c ': >$T/up; until [ -e $T/go ]; do sleep 0.02; done'" \
        sleep 1000 >"$T/out" 2>&1 3>&- &
    asked=$!
    eventually test -e "$T/up"
    kill -KILL "$(core)"
    eventually "$C" ping
    touch "$T/go"
    wait "$asked" || { cat "$T/out"; return 1; }
    grep -q '^skipped web: ExecCondition: /bin/false exited with status 1$' "$T/out" || { cat "$T/out"; return 1; }
    is web state exited
    is web cause skipped
}

@test "conditions about the machine and who asks: |, !, assertions, and what is none" {
    unit() {
        printf '[Unit]\n%s\n[Service]\nType=oneshot\nExecStart=/bin/true\n' "$1" >"$T/web.service"
        run "$C" apply "$T/web.service"
    }
    unit $'ConditionArchitecture=native\nConditionKernelVersion=>=2.6 <1000\nConditionUser=root\nConditionGroup=0\nConditionCPUs=>=1\nConditionMemory=>1M\nConditionHost=*\nConditionCapability=CAP_CHOWN\nConditionEnvironment=HOLDEN_SOCKET\nConditionOSRelease=ID!=x\nConditionKernelCommandLine=!no-such-word\nConditionSecurity=!smack\nAssertUser=@system\nAssertControlGroupController=!no-such'
    expect 0
    is web state exited
    unit $'ConditionArchitecture=|alpha\nConditionMemory=|>=1M'
    expect 0
    [[ "$output" == started* ]]
    unit $'ConditionArchitecture=|alpha\nConditionMemory=|!>=1M'
    expect 0
    one_line "^skipped web: $T/web.service:3: ConditionMemory=|!>=1M does not hold$"
    unit 'ConditionUser=nobody'
    expect 0
    one_line "^skipped web: $T/web.service:2: ConditionUser=nobody does not hold$"
    unit $'ConditionUser=nobody\nConditionUser='
    expect 0
    [[ "$output" == started* ]]
    unit 'AssertCPUs=>100000'
    expect 1
    one_line "$T/web.service:2: AssertCPUs=>100000 does not hold$"
    for line in 'ConditionMemory=much' 'AssertCapability=CAP_NONE' 'ConditionSecurity=locks' 'ConditionFirstBoot=perhaps' 'ConditionOSRelease=ID' 'ConditionIOPressure=system.slice:5%'; do
        unit "$line"
        expect 1
        one_line "$T/web.service:2: ${line%%=*}=: expected "
    done
    unit 'AssertVirtualization=no-such-kind'
    expect 1
    one_line "$T/web.service:2: AssertVirtualization=no-such-kind does not hold$"
}
