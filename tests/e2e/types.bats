#!/usr/bin/env bats
# When a start is answered, by Type=.

load helper

setup() {
    prepare
    start_agent
}

# A daemon as they used to be: $1 runs in the background and leaves its pid in $T/pid, the parent ends.
daemon() {
    cat >"$T/daemon" <<DAEMON
#!/bin/sh
$1 &
echo \$! >$T/pid.new
mv $T/pid.new $T/pid
$2
DAEMON
    chmod 755 "$T/daemon"
}

@test "Type=forking: the process that its parent leaves behind is the main one" {
    daemon "sh -c 'until [ -e $T/go ]; do sleep 0.05; done; exit 7'" 'sleep 1000 & exit 0'
    run "$C" start --name web -p Type=forking -p PIDFile="$T/pid" "$T/daemon"
    expect 0
    one_line "^started web \(pid $(cat "$T/pid")\)$"
    is web state running
    is web pid "$(cat "$T/pid")"
    # Another agent takes it over with its status, as any other.
    kill -KILL "$(core)"
    eventually "$C" ping
    is web pid "$(cat "$T/pid")"
    touch "$T/go"
    eventually is web state failed
    is web status 7
}

@test "Type=forking without PIDFile: the one that falls to the keeper; a stop leaves nothing" {
    daemon "sh -c 'sleep 1000 & wait'" 'exit 0'
    run "$C" start --name web -p Type=forking "$T/daemon"
    expect 0
    one_line "^started web \(pid $(cat "$T/pid")\)$"
    run "$C" stop web
    expect 0
    is web state stopped
    [ ! -e "/proc/$(cat "$T/pid")" ]
    run "$C" restart web
    expect 0
    is web pid "$(cat "$T/pid")"
}

@test "Type=forking: what is waited for is in the record, and no longer than TimeoutStartSec" {
    cat >"$T/late" <<LATE
#!/bin/sh
(until [ -e $T/go ]; do sleep 0.05; done; sh -c 'echo \$\$ >$T/pid; exec sleep 1000') &
exit 0
LATE
    chmod 755 "$T/late"
    "$C" start --name web -p Type=forking -p PIDFile="$T/pid" "$T/late" >"$T/out" 2>&1 3>&- &
    asked=$!
    eventually is web state starting
    eventually sh -c "grep -q . $CGROUP/*-web/cgroup.procs"
    kill -KILL "$(core)"
    eventually "$C" ping
    is web state starting
    touch "$T/go"
    wait "$asked" || { cat "$T/out"; return 1; }
    grep -q "^started web (pid $(cat "$T/pid"))" "$T/out"
    run "$C" stop web
    expect 0
    rm -f "$T/go" "$T/pid"
    run "$C" start --name slow -p Type=forking -p PIDFile="$T/pid" -p TimeoutStartSec=200ms "$T/late"
    expect 1
    one_line "it was not ready within TimeoutStartSec=: PIDFile=$T/pid is not there"
    is slow state failed
    [ "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '*-slow' | wc -l)" -eq 0 ]
}

@test "Type=forking: a pid that is not its own is never taken, and who leaves nobody has failed" {
    sleep 1000 3>&- &
    other=$!
    echo "$other" >"$T/pid"
    run "$C" start --name web -p Type=forking -p PIDFile="$T/pid" -p TimeoutStartSec=200ms \
        sh -c 'sleep 1000 & exit 0'
    expect 1
    one_line "it was not ready within TimeoutStartSec=: PIDFile=$T/pid names pid $other, which is not in its cgroup"
    kill -0 "$other"
    kill "$other"
    echo none >"$T/pid"
    run "$C" start --name web -p Type=forking -p PIDFile="$T/pid" -p TimeoutStartSec=200ms \
        sh -c 'sleep 1000 & exit 0'
    one_line "PIDFile=$T/pid does not hold a pid"
    ln -sf "$T/daemon" "$T/pid"
    run "$C" start --name web -p Type=forking -p PIDFile="$T/pid" -p TimeoutStartSec=200ms \
        sh -c 'sleep 1000 & exit 0'
    one_line "PIDFile=$T/pid is a symbolic link, which is not followed"
    run "$C" start --name web -p Type=forking -p TimeoutStartSec=200ms sh -c 'sleep 1000 & sleep 1000 & exit 0'
    one_line '2 processes were left behind; PIDFile= would say which is the main one'
    run "$C" start --name web -p Type=forking -p TimeoutStartSec=200ms sleep 1000
    one_line 'its first process, pid [0-9]*, had not ended'
    run "$C" start --name none -p Type=forking true
    expect 1
    one_line 'its main process ended and left none behind'
    run "$C" start --name bad -p Type=forking sh -c 'exit 3'
    expect 1
    one_line 'before it was ready: exited with status 3'
    run "$C" start --name init -p Type=forking -p PrivatePIDs=yes true
    expect 1
    one_line 'with PrivatePIDs='
}

@test "Type=forking: the main process is found in a cgroup below, and beside very many" {
    cat >"$T/daemon" <<DAEMON
#!/bin/sh
mkdir $CGROUP/*-web/below
sh -c 'echo \$\$ >$CGROUP/'*'-web/below/cgroup.procs; echo \$\$ >$T/pid; exec sleep 1000' &
until [ -s $T/pid ]; do sleep 0.02; done
DAEMON
    chmod 755 "$T/daemon"
    run "$C" start --name web -p Type=forking "$T/daemon"
    expect 0
    is web pid "$(cat "$T/pid")"
    run "$C" stop web
    expect 0
    rm "$T/pid"
    run "$C" start --name web -p Type=forking -p PIDFile="$T/pid" "$T/daemon"
    expect 0
    is web pid "$(cat "$T/pid")"
    # A new keeper proves it by its cgroup.
    first=$(core)
    kill -KILL "$AGENT"
    wait "$AGENT" || true
    eventually ended "$first"
    start_agent
    is web pid "$(cat "$T/pid")"
    is web state running
    run "$C" stop web
    expect 0
    [ -z "${HOLDEN_VM:-}" ] || return 0
    # More than a page of pids.
    daemon "sh -c 'for i in \$(seq -s \" \" 600); do sleep 1000 & done; : >$T/all; wait'" \
        "until [ -e $T/all ]; do sleep 0.02; done"
    run "$C" start --name many -p Type=forking "$T/daemon"
    expect 0
    is many pid "$(cat "$T/pid")"
    run "$C" stop many
    expect 0
}

@test "Type=forking: how a main process ends that is another's child is told as far as it can be known" {
    cat >"$T/daemon" <<DAEMON
#!/bin/sh
sh -c 'sh -c "until [ -e $T/go ]; do sleep 0.02; done; exit 7" & echo \$! >$T/pid; echo \$\$ >$T/parent; wait; sleep 1000' &
until [ -s $T/parent ]; do sleep 0.02; done
DAEMON
    chmod 755 "$T/daemon"
    run "$C" start --name told -p Type=forking -p PIDFile="$T/pid" "$T/daemon"
    expect 0
    is told pid "$(cat "$T/pid")"
    touch "$T/go"
    eventually is told state failed
    is told explanation 'it ended, and its parent, which is not the agent, was told how'
    rm "$T/go" "$T/pid" "$T/parent"
    # One whose parent has ended falls to the keeper.
    run "$C" start --name left -p Type=forking -p PIDFile="$T/pid" "$T/daemon"
    expect 0
    kill -KILL "$(cat "$T/parent")"
    eventually ended "$(cat "$T/parent")"
    touch "$T/go"
    eventually is left state failed
    is left status 7
    # Also with another agent since.
    rm "$T/go" "$T/pid" "$T/parent"
    run "$C" start --name again -p Type=forking -p PIDFile="$T/pid" "$T/daemon"
    expect 0
    kill -KILL "$(core)"
    eventually "$C" ping
    kill -KILL "$(cat "$T/parent")"
    eventually ended "$(cat "$T/parent")"
    touch "$T/go"
    eventually is again state failed
    is again status 7
}

@test "Type=oneshot is waited for by start too" {
    run "$C" start --name once -p Type=oneshot sh -c 'exit 4'
    expect 4
}

# A process of Type=notify that says what standard input would, once $T/go is there.
notifier() {
    cat >"$T/notifier" <<NOTIFIER
#!/usr/bin/env python3
import os, socket, sys, time
while not os.path.exists("$T/go"):
    time.sleep(0.02)
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
to.connect(os.environ["NOTIFY_SOCKET"])
def say():
    to.send(b"STATUS=half way\n")
    to.send(b"$1")
if "child" in sys.argv and os.fork() == 0:
    say()
    os._exit(0)
elif "child" not in sys.argv:
    say()
open("$T/said", "w").close()
time.sleep(1000)
NOTIFIER
    chmod 755 "$T/notifier"
}

@test "Type=oneshot: TimeoutStartSec= bounds the main command too, over the agent's death" {
    run "$C" start --name long -p Type=oneshot -p TimeoutStartSec=200ms sleep 1000
    [ "$status" -ne 0 ]
    [[ "$output" == *"it reached TimeoutStartSec=200ms" ]]
    is long cause time-limit
    "$C" start --name longer -p Type=oneshot -p TimeoutStartSec=2s sleep 1000 >"$T/out" 2>&1 3>&- &
    eventually is longer state running
    kill -KILL "$(core)"
    status=0
    wait "$!" || status=$?
    [ "$status" -ne 0 ]
    grep -q 'it reached TimeoutStartSec=2s' "$T/out"
}

@test "Type=forking without PIDFile: the one left behind is found also when the keeper was killed" {
    daemon "sh -c 'until [ -e $T/go ]; do sleep 0.05; done'" "until [ -e $T/on ]; do sleep 0.05; done; exit 0"
    "$C" start --name web -p Type=forking "$T/daemon" >"$T/out" 2>&1 3>&- &
    starter=$!
    eventually test -e "$T/pid"
    first=$(core)
    kill -KILL "$AGENT"
    wait "$AGENT" || true
    eventually ended "$first"
    : >"$T/on"
    start_agent
    eventually is web state running
    is web pid "$(cat "$T/pid")"
    wait "$starter"
    "$C" stop web
}

@test "Type=notify: a start is answered when the process has said READY=1, whoever waited for it" {
    notifier 'READY=1'
    "$C" start --name web -p Type=notify "$T/notifier" >"$T/out" 2>&1 3>&- &
    asked=$!
    eventually is web state starting
    eventually sh -c "grep -q . $CGROUP/*-web/cgroup.procs"
    kill -KILL "$(core)"
    eventually "$C" ping
    is web state starting
    run "$C" reexec
    expect 0
    touch "$T/go"
    wait "$asked" || { cat "$T/out"; return 1; }
    grep -q '^started web ' "$T/out"
    is web state running
    run "$C" stop web
    expect 0
    run "$C" start --name quick -p Type=notify "$T/notifier"
    expect 0
    is quick state running
}

@test "Type=notify: what is said while there is no agent is not lost" {
    notifier 'READY=1'
    "$C" start --name web -p Type=notify "$T/notifier" >"$T/out" 2>&1 3>&- &
    asked=$!
    eventually is web state starting
    before=$(core)
    kill -STOP "$before"
    touch "$T/go"
    eventually test -e "$T/said"
    kill -KILL "$before"
    wait "$asked" || { cat "$T/out"; return 1; }
    eventually is web state running
}

@test "Type=notify: what an orphan has said that ended while there was no agent is heard" {
    cat >"$T/orphan" <<ORPHAN
#!/usr/bin/env python3
import os, socket, sys, time
if os.fork() == 0:
    if os.fork() != 0:
        os._exit(0)
    while not os.path.exists("$T/go"):
        time.sleep(0.02)
    to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    to.connect(os.environ["NOTIFY_SOCKET"])
    to.send(b"READY=1")
    open("$T/said", "w").close()
    os._exit(0)
os.wait()
open("$T/up", "w").close()
time.sleep(1000)
ORPHAN
    chmod 755 "$T/orphan"
    "$C" start --name web -p Type=notify -p NotifyAccess=all -p TimeoutStartSec=20s "$T/orphan" >"$T/out" 2>&1 3>&- &
    asked=$!
    eventually test -e "$T/up"
    eventually is web state starting
    before=$(core)
    strace -qq -o "$T/trace" -e trace=clone -e inject=clone:error=EAGAIN -p "$AGENT" 3>&- &
    tracer=$!
    eventually sh -c "grep -q '^TracerPid:.*[1-9]' /proc/$AGENT/status"
    kill -KILL "$before"
    eventually grep -q EAGAIN "$T/trace"
    touch "$T/go"
    eventually test -e "$T/said"
    kill "$tracer"
    wait "$tracer" || true
    wait "$asked" || { cat "$T/out"; return 1; }
    is web state running
}

notify_is_there() {
    [ -S "$HOLDEN_SOCKET.notify" ]
}

@test "Type=notify: a socket that is deleted, moved or replaced is made again, and nothing in it is lost" {
    notifier 'READY=1'
    touch "$T/go"
    rm "$HOLDEN_SOCKET.notify"
    eventually notify_is_there
    run "$C" start --name one -p Type=notify "$T/notifier"
    expect 0
    : >"$T/file"
    mv "$T/file" "$HOLDEN_SOCKET.notify"
    eventually notify_is_there
    run "$C" start --name two -p Type=notify "$T/notifier"
    expect 0
    # While there is no agent to take it, and after something was said that none has heard.
    rm "$T/go" "$T/said"
    "$C" start --name three -p Type=notify "$T/notifier" >"$T/out" 2>&1 3>&- &
    asked=$!
    eventually is three state starting
    before=$(core)
    kill -STOP "$before"
    touch "$T/go"
    eventually test -e "$T/said"
    rm "$HOLDEN_SOCKET.notify"
    eventually notify_is_there
    kill -KILL "$before"
    wait "$asked" || { cat "$T/out"; return 1; }
    run "$C" start --name four -p Type=notify "$T/notifier"
    expect 0
    run "$C" reexec
    expect 0
    mv "$HOLDEN_SOCKET.notify" "$T/elsewhere"
    eventually notify_is_there
    rm "$T/elsewhere"
    run "$C" start --name five -p Type=notify "$T/notifier"
    expect 0
    [ "$(stat -c %a "$HOLDEN_SOCKET.notify")" = 777 ]
}

@test "Type=notify: only who may be heard is, in time; an end before that has failed" {
    touch "$T/go"
    notifier 'READY=1'
    run "$C" start --name child -p Type=notify -p TimeoutStartSec=1s "$T/notifier" child
    expect 1
    one_line 'TimeoutStartSec=: READY=1 came from pid [0-9]*, which is not the main one: NotifyAccess=all would'
    run "$C" start --name all -p Type=notify -p NotifyAccess=all "$T/notifier"
    expect 0
    notifier 'READY=10'
    run "$C" start --name wrong -p Type=notify -p TimeoutStartSec=1s "$T/notifier"
    expect 1
    one_line 'it was not ready within TimeoutStartSec=: it has not said READY=1'
    is wrong state failed
    run "$C" start --name early -p Type=notify true
    expect 1
    one_line 'it ended without having said READY=1'
}

# A process of Type=notify that says, one datagram for each, what is put into $T/say as a file, and
# takes the file away then. Lines of it are Python literals.
speaker() {
    mkdir -p "$T/say"
    cat >"$T/speaker" <<SPEAKER
#!/usr/bin/env python3
import ast, os, signal, socket, sys, time
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
to.connect(os.environ["NOTIFY_SOCKET"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(int("${1:-0}")))
if "late" not in sys.argv:
    to.send(b"READY=1")
while True:
    for name in sorted(os.listdir("$T/say")):
        if not name.endswith(".new"):
            to.send(ast.literal_eval(open("$T/say/" + name).read()))
            os.unlink("$T/say/" + name)
    if os.path.exists("$T/end"):
        sys.exit(int("${1:-0}"))
    time.sleep(0.01)
SPEAKER
    chmod 755 "$T/speaker"
}

# Has it say that (Python's escapes are understood), and waits until it has.
say() {
    printf 'b"%s"' "$1" >"$T/say/it.new"
    mv "$T/say/it.new" "$T/say/it"
    eventually is_said
}

is_said() {
    [ ! -e "$T/say/it" ]
}

@test "sd_notify: STATUS, ERRNO, BUSERROR and RELOADING are shown and told, over the agent's death" {
    speaker
    run "$C" start --name web -p Type=notify "$T/speaker"
    expect 0
    is web statement.state ready
    say 'STATUS=half\x1b[31m way\nERRNO=2\nBUSERROR=org.example.Broken'
    eventually is web statement.error 2
    is web statement.text "half$(printf '\033')[31m way"
    run "$C" status web
    expect 0
    grep -q '^  Status  *half\\x1b\[31m way$' <<<"$output"
    grep -q '^  Error  *2 (No such file or directory)$' <<<"$output"
    grep -q '^  Bus error  *org.example.Broken$' <<<"$output"
    [[ "$output" != *$'\033'* ]]
    run "$C" events
    grep -q 'web said .*: ready; half\\x1b\[31m way; No such file or directory; org.example.Broken$' <<<"$output"
    # What is not UTF-8, and what is too long, is passed over.
    say 'STATUS=\xff\xfe'
    say "STATUS=$(head -c 5000 /dev/zero | tr '\0' x)"
    say 'RELOADING=1'
    eventually is web statement.state reloading
    is web state running
    is web statement.text "half$(printf '\033')[31m way"
    run "$C" status web
    grep -q '^  It says  *reloading$' <<<"$output"
    kill -KILL "$(core)"
    eventually "$C" ping
    is web statement.state reloading
    is web statement.error 2
    say 'STATUS=last'
    say 'STATUS=very last'
    run "$C" reexec
    expect 0
    is web statement.text 'very last'
    say 'READY=1\nSTATUS='
    eventually is web statement.state ready
    is web statement.text null
    run "$C" stop web
    expect 0
    is web statement.state null
    is web statement.error 2
    run "$C" restart web
    expect 0
    is web statement.error null
}

@test "sd_notify: STOPPING=1 is a stop that nobody asked for, and has TimeoutStopSec" {
    speaker 3
    run "$C" start --name web -p Type=notify -p TimeoutStopSec=20s -p ExecStop="touch $T/stopped" "$T/speaker"
    expect 0
    say 'STOPPING=1'
    eventually is web state stopping
    is web statement.state stopping
    kill -KILL "$(core)"
    eventually "$C" ping
    is web state stopping
    touch "$T/end"
    eventually is web state failed
    is web cause exited
    is web status 3
    [ ! -e "$T/stopped" ]
    rm "$T/end"
    run "$C" start --name slow -p Type=notify -p TimeoutStopSec=200ms "$T/speaker"
    expect 0
    say 'STOPPING=1'
    eventually is slow state failed
    is slow explanation 'it had said STOPPING=1 and did not end within TimeoutStopSec='
}

@test "sd_notify: EXTEND_TIMEOUT_USEC= puts off TimeoutStartSec, TimeoutStopSec and RuntimeMaxSec" {
    speaker
    printf 'b"EXTEND_TIMEOUT_USEC=60000000"' >"$T/say/it"
    "$C" start --name web -p Type=notify -p TimeoutStartSec=2s "$T/speaker" late >"$T/out" 2>&1 3>&- &
    asked=$!
    eventually is_said
    eventually sh -c "[ \"\$('$C' --json status web | jq .statement.extended)\" != null ]"
    kill -KILL "$(core)"
    eventually "$C" ping
    eventually sh -c "[ \"\$('$C' --json status web | jq .runtime)\" -gt 2500000 ]"
    is web state starting
    say 'READY=1'
    wait "$asked" || { cat "$T/out"; return 1; }
    is web state running
    is web statement.extended null
    say 'STOPPING=1\nEXTEND_TIMEOUT_USEC=1'
    run "$C" stop web
    expect 0
    run "$C" start --name short -p Type=notify -p RuntimeMaxSec=1s -p TimeoutStopSec=500ms "$T/speaker"
    expect 0
    say 'EXTEND_TIMEOUT_USEC=60000000'
    eventually sh -c "[ \"\$('$C' --json status short | jq .runtime)\" -gt 1500000 ]"
    is short state running
    say 'STOPPING=1'
    eventually is short state stopping
    say 'EXTEND_TIMEOUT_USEC=60000000'
    before=$("$C" --json status short | jq .runtime)
    eventually sh -c "[ \"\$('$C' --json status short | jq .runtime)\" -gt $((before + 1000000)) ]"
    is short state stopping
    touch "$T/end"
    eventually is short state exited
}

@test "sd_notify: NotifyAccess= has a process of another type heard; without it none is" {
    speaker
    run "$C" start --name web -p NotifyAccess=main "$T/speaker"
    expect 0
    say 'STATUS=here'
    eventually is web statement.text here
    run "$C" stop web
    expect 0
    run "$C" start --name deaf -p Environment=NOTIFY_SOCKET="$HOLDEN_SOCKET.notify" "$T/speaker"
    expect 0
    say 'STATUS=here'
    run "$C" start --name heard -p Type=notify "$T/speaker"
    expect 0
    is deaf statement null
}

# A process that hands over to a child of its own and then does as $1 says: the child waits for $T/go
# and exits with 7.
successor() {
    cat >"$T/successor" <<SUCCESSOR
#!/usr/bin/env python3
import os, socket, sys, time
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
to.connect(os.environ["NOTIFY_SOCKET"])
main = os.fork()
if main == 0:
    while not os.path.exists("$T/go"):
        time.sleep(0.01)
    os._exit(7)
open("$T/main", "w").write(str(main))
$1
SUCCESSOR
    chmod 755 "$T/successor"
}

@test "sd_notify: MAINPID= makes another process of the cgroup the main one, over the agent's death" {
    successor 'to.send(b"READY=1\nMAINPID=%d" % main)'
    for each in core keeper; do
        rm -f "$T/go"
        run "$C" start --name "$each" -p Type=notify "$T/successor"
        expect 0
        eventually is "$each" pid "$(cat "$T/main")"
        is "$each" state running
        if [ "$each" = core ]; then
            kill -KILL "$(core)"
        else
            first=$(core)
            kill -KILL "$AGENT"
            wait "$AGENT" || true
            eventually ended "$first"
            start_agent
        fi
        eventually "$C" ping
        is "$each" pid "$(cat "$T/main")"
        is "$each" state running
        touch "$T/go"
        eventually is "$each" state failed
        [ "$each" = keeper ] || is "$each" status 7
    done
}

@test "sd_notify: MAINPID= said while there is no agent is heard before the end of who said it" {
    successor "
open('$T/up', 'w').close()
while not os.path.exists('$T/say'): time.sleep(0.01)
to.send(b'MAINPID=%d' % main)"
    run "$C" start --name web -p NotifyAccess=main "$T/successor"
    expect 0
    eventually test -e "$T/up"
    first=$("$C" --json status web | jq .pid)
    before=$(core)
    kill -STOP "$before"
    touch "$T/say"
    eventually sh -c "grep -q '^State:.*Z' /proc/$first/status"
    kill -KILL "$before"
    eventually "$C" ping
    is web pid "$(cat "$T/main")"
    is web state running
    eventually ended "$first"
    touch "$T/go"
    eventually is web status 7
}

@test "sd_notify: MAINPID= of who is not in the cgroup is refused with one line, and the old one stays" {
    sleep 1000 3>&- &
    other=$!
    successor "
for pid in $other, 0, 1, 4194303: to.send(b'MAINPID=%d' % pid)
to.send(b'READY=1')
to.send(b'MAINPID=%d' % main)
while not os.path.exists('$T/end'): time.sleep(0.01)
sys.exit(3)"
    run "$C" start --name web -p Type=notify "$T/successor"
    expect 0
    eventually is web pid "$(cat "$T/main")"
    [ "$(grep -c "passed over what pid [0-9]* says: MAINPID=$other: it is not in the process's cgroup" "$T/agent.log")" -eq 1 ]
    kill "$other"
    # The first one is one like any other by now: its end is nobody's.
    parent=$(awk '{ print $4 }' "/proc/$(cat "$T/main")/stat")
    touch "$T/end"
    eventually ended "$parent"
    is web state running
    touch "$T/go"
    eventually is web state failed
    is web status 7
}
