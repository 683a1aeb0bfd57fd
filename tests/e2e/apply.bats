#!/usr/bin/env bats
# Unit files: apply and verify.

load helper

# Writes a unit file from standard input.
unit() {
    mkdir -p "$(dirname "$T/$1")"
    cat >"$T/$1"
}

@test "apply starts what a unit file says, under the name of the unit" {
    unit web.service <<'UNIT'
[Unit]
Description=Web
After=network.target
[Service]
Environment="ONE=one" 'TWO=two two'
ExecStart=sh -c 'echo "$$0|$$1|$$2|$$3"; sleep 1000' $TWO ${TWO} %N
Nice=5
LimitNOFILE=100:200
[Install]
WantedBy=multi-user.target
UNIT
    run "$C" apply "$T/web.service"
    expect 0
    one_line '^started web \(pid [0-9]+\)$'
    pid=$("$C" --json status web | jq .pid)
    eventually grep -q . <("$C" logs web)
    [ "$("$C" logs web)" = "two|two|two two|web" ]
    [ "$(awk '/open files/ { print $4, $5 }' "/proc/$pid/limits")" = "100 200" ]
    [ "$(awk '{ print $19 }' "/proc/$pid/stat")" = 5 ]
    [ "$("$C" --json status web | jq -r .properties.TimeoutStopSec)" = 90000000 ]
}

@test "instances of a template, drop-ins over it, and --name" {
    unit job@.service <<'UNIT'
[Service]
Environment=A=file L=%i
ExecStart=/bin/sh -c 'echo $A $L %j; sleep 1000'
UNIT
    unit job@.service.d/10.conf <<<$'[Service]\nEnvironment=A=template'
    unit job@2.service.d/20.conf <<<$'[Service]\nEnvironment=A=instance'
    cd "$T"
    run "$C" apply job@1.service job@2.service
    expect 0
    eventually sh -c "[ \"\$('$C' logs job@1)\" = 'template 1 job' ]"
    eventually sh -c "[ \"\$('$C' logs job@2)\" = 'instance 2 job' ]"
    run "$C" apply --name other "$T/job@3.service"
    expect 0
    one_line '^started other '
    run "$C" apply "$T/job@.service"
    expect 1
    one_line 'job@.service: a template; name an instance'
    run "$C" apply --name x a.service b.service
    expect 2
}

@test "Type=oneshot is waited for, and its failure is told" {
    unit good.service <<<$'[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 0"'
    unit bad.service <<<$'[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 7"'
    unit ignored.service <<<$'[Service]\nType=oneshot\nExecStart=-/bin/sh -c "exit 7"'
    run "$C" apply "$T/good.service"
    expect 0
    is good state exited
    run "$C" apply "$T/bad.service"
    expect 1
    [[ "$output" == *"bad: exited with status 7"* ]]
    run "$C" apply "$T/ignored.service"
    expect 0
    is ignored state exited
    is ignored status 7
    unit listed.service <<<$'[Service]\nType=oneshot\nSuccessExitStatus=TEMPFAIL 8\nExecStart=/bin/sh -c "exit 8"
ExecStart=/bin/sh -c "exit 75"'
    run "$C" apply "$T/listed.service"
    expect 0
    is listed state exited
    is listed status 75
}

@test "a main command with the prefix - that fails, by status or signal, has ended well" {
    unit status.service <<<$'[Service]\nExecStart=-/bin/sh -c "exit 7"'
    unit signal.service <<<$'[Service]\nExecStart=-/bin/sh -c "kill -SEGV $$$$"'
    unit late.service <<<$'[Service]\nRuntimeMaxSec=100ms\nExecStart=-/bin/sleep 1000'
    run "$C" apply "$T/status.service" "$T/signal.service" "$T/late.service"
    expect 0
    eventually is status state exited
    is status status 7
    eventually is signal state exited
    is signal signal 11
    eventually is late state failed
    is late cause time-limit
}

@test "ExecStartPre runs first, in order and as confined; its failure is told and nothing else runs" {
    unit pre.service <<UNIT
[Service]
Environment=WHAT=two
ExecStartPre=-/bin/sh -c 'echo one >>$T/said; sleep 1000 & exit 3'
ExecStartPre=/bin/sh -c 'echo "\$\$0 \$\$(ulimit -n)" >>$T/said' \${WHAT} ; -/no/such/program
ExecStart=/bin/sh -c 'echo main >>$T/said; sleep 1000'
LimitNOFILE=77
UNIT
    run "$C" apply "$T/pre.service"
    expect 0
    one_line '^started pre '
    eventually grep -q main "$T/said"
    [ "$(tr '\n' ,  <"$T/said")" = "one,two 77,main," ]
    # What the first left behind is gone: the cgroup holds the main command and its sleep.
    [ "$(wc -l <"$(echo "$CGROUP"/*-pre)/cgroup.procs")" -le 2 ]
    run "$C" restart pre
    expect 0
    eventually sh -c "[ \$(grep -c main $T/said) -eq 2 ]"
    [ "$(grep -c one "$T/said")" -eq 2 ]
    unit bad.service <<<$'[Service]\nExecStartPre=/bin/sh -c "exit 4"\nExecStart=/bin/sleep 1000'
    run "$C" apply "$T/bad.service"
    expect 1
    one_line 'cannot start bad: ExecStartPre: /bin/sh exited with status 4$'
    is bad state failed
    unit slow.service <<<$'[Service]\nTimeoutStartSec=100ms\nExecStartPre=/bin/sleep 1000\nExecStart=/bin/true'
    run "$C" apply "$T/slow.service"
    expect 1
    one_line '/bin/sleep did not end within TimeoutStartSec='
}

@test "a stop during ExecStartPre asks first, and kills when the time is over" {
    unit pre.service <<UNIT
[Service]
KillSignal=SIGUSR1
TimeoutStopSec=20s
ExecStartPre=/bin/sh -c 'trap "echo asked >>$T/said; exit 0" USR1; : >$T/up; while :; do sleep 0.05; done'
ExecStart=/bin/touch $T/never
UNIT
    "$C" apply "$T/pre.service" >"$T/out" 2>&1 3>&- &
    applied=$!
    eventually test -e "$T/up"
    run "$C" stop pre
    expect 0
    [ "$(cat "$T/said")" = asked ]
    is pre state stopped
    status=0
    wait "$applied" || status=$?
    [ "$status" -eq 1 ]
    # A signal by hand is the command's alone, as with systemctl kill: it goes on with the next.
    rm "$T/up" "$T/said"
    "$C" apply "$T/pre.service" >"$T/out" 2>&1 3>&- &
    applied=$!
    eventually test -e "$T/up"
    run "$C" kill --signal USR1 pre
    expect 0
    wait "$applied"
    eventually test -e "$T/never"
    unit deaf.service <<UNIT
[Service]
TimeoutStopSec=100ms
ExecStartPre=/bin/sh -c 'trap "" TERM; : >$T/deaf; while :; do sleep 0.05; done'
ExecStart=/bin/true
UNIT
    "$C" apply "$T/deaf.service" >"$T/out" 2>&1 3>&- &
    applied=$!
    eventually test -e "$T/deaf"
    run "$C" stop deaf
    expect 0
    is deaf state stopped
    wait "$applied" || true
}

@test "several commands of a oneshot unit run in turn, up to the first that fails" {
    unit jobs.service <<UNIT
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo a >>$T/said' ; /bin/sh -c 'echo b >>$T/said'
ExecStart=-/bin/false
ExecStart=/bin/sh -c 'echo c >>$T/said'
UNIT
    run "$C" apply "$T/jobs.service"
    expect 0
    [ "$(tr -d '\n' <"$T/said")" = abc ]
    unit jobs.service <<<"[Service]"$'\nType=oneshot\nExecStart=/bin/false\n'"ExecStart=/bin/touch $T/never"
    run "$C" apply "$T/jobs.service"
    expect 1
    [ ! -e "$T/never" ]
    unit two.service <<<$'[Service]\nExecStart=/bin/true\nExecStart=/bin/true'
    run "$C" apply "$T/two.service"
    expect 1
    one_line 'more than one command in ExecStart='
}

@test "an agent that dies during ExecStartPre loses nothing, and SuccessExitStatus is one" {
    unit pre.service <<UNIT
[Service]
SuccessExitStatus=9 SIGUSR1
ExecStartPre=/bin/sh -c 'echo first >>$T/said'
ExecStartPre=/bin/sh -c 'echo second >>$T/said; touch $T/begun; until [ -e $T/go ]; do sleep 0.05; done'
ExecStart=/bin/sh -c 'exit 9'
UNIT
    "$C" apply "$T/pre.service" >"$T/out" 2>&1 3>&- &
    applied=$!
    eventually test -e "$T/begun"
    kill -KILL "$(core)"
    eventually "$C" ping
    touch "$T/go"
    status=0
    wait "$applied" || status=$?
    [ "$status" -eq 0 ] || { cat "$T/out"; return 1; }
    grep -q '^started pre ' "$T/out"
    # The new agent went on where the old one was.
    [ "$(cat "$T/said")" = $'first\nsecond' ]
    eventually is pre state exited
    is pre status 9
    [ "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '*-pre' | wc -l)" -eq 0 ]
}

@test "each command runs once, whatever becomes of the agent meanwhile" {
    unit many.service <<UNIT
[Service]
ExecStartPre=/bin/sh -c 'echo 1 >>$T/said; until [ -e $T/go1 ]; do sleep 0.02; done'
ExecStartPre=/bin/sh -c 'echo 2 >>$T/said; until [ -e $T/go2 ]; do sleep 0.02; done'
ExecStartPre=/bin/sh -c 'echo 3 >>$T/said'
ExecStartPre=/bin/sh -c 'echo 4 >>$T/said'
ExecStart=/bin/sh -c 'echo main >>$T/said; exec sleep 1000'
UNIT
    "$C" apply "$T/many.service" >"$T/out" 2>&1 3>&- &
    applied=$!
    eventually grep -q 1 "$T/said"
    run "$C" reexec
    expect 0
    is many state starting
    touch "$T/go1"
    eventually grep -q 2 "$T/said"
    before=$(core)
    touch "$T/go2"
    kill -KILL "$before"
    eventually "$C" ping
    wait "$applied" || { cat "$T/out"; return 1; }
    eventually grep -q main "$T/said"
    [ "$(tr '\n' ' ' <"$T/said")" = "1 2 3 4 main " ]
    is many state running
}

@test "conditions skip, assertions refuse" {
    unit a.service <<<$'[Unit]\nConditionPathExists=/none\n[Service]\nExecStart=/bin/true'
    run "$C" apply "$T/a.service"
    expect 0
    one_line '^skipped a: .*/a.service:2: ConditionPathExists=/none does not hold$'
    unit a.service <<<$'[Unit]\nAssertPathExists=/none\n[Service]\nExecStart=/bin/true'
    run "$C" apply "$T/a.service"
    expect 1
    one_line '/a.service:2: AssertPathExists=/none does not hold$'
    run "$C" status a
    expect 4
}

@test "what cannot be followed is said by file and line; one refused file starts none" {
    unit good.service <<<$'[Service]\nExecStart=/bin/sleep 1000'
    unit weak.service <<<$'[Service]\nExecStart=/bin/sleep 1000\nRootHash=abc'
    run "$C" apply "$T/good.service" "$T/weak.service"
    expect 1
    one_line "$T/weak.service:3: RootHash=: not supported"
    run "$C" status good
    expect 4
    unit warned.service <<<$'[Unit]\nOnFailure=x.service\n[Service]\nExecStart=/bin/sleep 1000'
    run "$C" apply --strict "$T/warned.service"
    expect 1
    one_line "$T/warned.service:2: OnFailure=: ignored: "
    run "$C" apply "$T/warned.service"
    expect 0
    [[ "${lines[0]}" == *"$T/warned.service:2: OnFailure=: ignored: "* ]]
    [[ "${lines[1]}" == "started warned "* ]]
    unit wrong.service <<<$'[Service]\nExecStart=/bin/sleep "1\n'
    run "$C" apply "$T/wrong.service"
    expect 1
    one_line "$T/wrong.service:2: ExecStart=: an open quote"
}

@test "a file cut anywhere starts all of it or nothing, with one line" {
    unit whole <<'UNIT'
[Service]
Type=oneshot
Environment="A=b c"
ExecStart=/bin/sh -c 'test "$$A" = "b c"' \
  ignored
UNIT
    size=$(stat -c %s "$T/whole")
    for ((n = 1; n < size; n += ${HOLDEN_VM:+20}+5)); do
        head -c "$n" "$T/whole" >"$T/cut.service"
        run "$C" apply "$T/cut.service"
        if [[ "$output" == *"$T/cut.service"* ]]; then
            expect 1
            one_line "^[a-z]*: $T/cut.service(:[0-9]+: |: )"
        else
            # A command of its own by now: it ran, whatever it did.
            [[ "$output" == *"started cut"* || "$output" == *"cannot start cut"* ]]
        fi
    done
}

@test "verify tells commands apart, knows the names of exit statuses, and a PIDFile below /run" {
    unit web.service <<UNIT
[Service]
ExecStartPre=/bin/a b
ExecStartPre=-/bin/c \\; d
ExecStart=/bin/e
PIDFile=web.pid
SuccessExitStatus=TEMPFAIL 250 SIGKILL
UNIT
    value() { "$C" --json verify "$T/web.service" | jq -r "select(.name == \"$1\").value"; }
    [ "$(value ExecStartPre)" = '/bin/a b ; -/bin/c \; d' ]
    [ "$(value PIDFile)" = /run/web.pid ]
    [ "$(value SuccessExitStatus)" = '75 250 SIGKILL SIGHUP SIGINT SIGTERM SIGPIPE' ]
    run "$C" apply ''
    expect 1
    one_line "^controller: '': an empty name; name a unit, such as web.service or web.slice$"
}

@test "verify shows each setting with its lines, and starts nothing" {
    unit web.service <<<$'[Unit]\nAfter=x.service\n[Service]\nExecStart=/bin/web %n\nTasksMax=5\nEnvironment=A=1\n'
    unit web.service.d/a.conf <<<$'[Service]\nTasksMax=7\nEnvironment=B=2'
    stop_agent
    run "$C" verify "$T/web.service"
    expect 0
    [[ "$output" =~ TasksMax\ +$T/web.service.d/a.conf:2\ +7 ]]
    [[ "$output" =~ Environment\ +$T/web.service:6,\ $T/web.service.d/a.conf:3\ +.*A=1\ B=2 ]]
    [[ "$output" =~ ExecStart\ +$T/web.service:4\ +/bin/web\ %n ]]
    [[ "$output" == *"$T/web.service:2: After=: ignored: "* ]]
    [ "$("$C" --json verify "$T/web.service" | jq -r 'select(.name == "TasksMax").from')" = \
        "$T/web.service.d/a.conf:2" ]
    [ "$("$C" --json verify "$T/web.service" | jq -r 'select(.verdict).directive')" = After ]
    run "$C" verify --strict "$T/web.service"
    expect 1
}

@test "the vocabulary is systemd's, whole" {
    systemd=/lib/systemd/systemd
    [ -x "$systemd" ] || skip "no systemd here to compare with"
    "$systemd" --version | grep -q '^systemd 252' || skip "another systemd than 252"
    "$systemd" --dump-configuration-items |
        awk -F= '/^\[/ { section = substr($0, 2, length($0) - 2) }
            /=/ && (section == "Unit" || section == "Service" || section == "Install" || section == "Slice") { print section, $1 }' |
        sort >"$T/systemd"
    "$C" --json properties --all | jq -r '.section + " " + .name' | sort >"$T/holden"
    [ "$(wc -l <"$T/systemd")" -gt 300 ]
    # All of systemd's are here; what is here beside them is Holden's own, which is a property.
    [ -z "$(comm -23 "$T/systemd" "$T/holden")" ] || { comm -23 "$T/systemd" "$T/holden"; return 1; }
    "$C" --json properties | jq -r '"Service " + .name, "Slice " + .name' | sort >"$T/properties"
    [ -z "$(comm -13 "$T/systemd" "$T/holden" | comm -23 - "$T/properties")" ]
    [ -z "$(uniq -d "$T/holden")" ]
}

@test "a unit of Type=forking starts, serves and stops unchanged" {
    cat >"$T/daemon" <<DAEMON
#!/bin/sh
sleep 1000 &
echo \$! >$T/pid
DAEMON
    chmod 755 "$T/daemon"
    unit fork.service <<UNIT
[Service]
Type=forking
PIDFile=$T/pid
ExecStartPre=/bin/true
ExecStart=!$T/daemon
KillMode=mixed
TimeoutStopSec=5
UNIT
    run "$C" apply "$T/fork.service"
    expect 0
    is fork pid "$(cat "$T/pid")"
    [ "$("$C" --json status fork | jq -r .properties.TimeoutStartSec)" = 90000000 ]
    run "$C" stop fork
    expect 0
    is fork state stopped
}
