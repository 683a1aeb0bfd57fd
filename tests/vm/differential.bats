#!/usr/bin/env bats
# The same unit files under systemd 252 and under Holden: what processes see of themselves must agree, field
# by field. The sets of settings are in differential.sets, what looks in probe.c and battery.c, what compares
# in compare, and the differences that are meant in differential.known, with their reasons.

load ../e2e/helper

UNITS=/run/systemd/system
# Where the agent keeps things in earnest.
export TMPDIR=/run
WORLD=/diff

# Under the limits that systemd gives a unit unless told.
setup() {
    ulimit -Sn 1024
    prepare
    start_agent
}

# The paths of probe.c, and what the settings name.
make_world() {
    mkdir -p "$WORLD"/{a/b,new,locked} "$WORLD"/root/{diff/a,tmp,var/tmp,run,proc,sys,dev,usr,etc} \
        /run/diff/out
    : >"$WORLD/a/file"
    chmod 755 "$WORLD/a/file"
    echo words >"$WORLD/file"
    ln -s a "$WORLD/link"
    chmod 700 "$WORLD/locked"
    printf 'ONE=from the file\nTWO="quoted words"\n# THREE=3\nFOUR=a \\\n  b\n' >"$WORLD/environment"
    cp "$TESTS/probe" "$TESTS/battery" "$WORLD/"
    cp "$TESTS/probe" "$TESTS/battery" "$WORLD/root/diff/"
    modprobe loop
    truncate -s 16M "$WORLD/image"
    mke2fs -q -t ext4 -d "$WORLD/root" "$WORLD/image"
    # One for each: systemd 252 gives each unit a loop device of its own, and two would write to one file.
    local image
    for image in image-options image-devices image-strict; do
        cp --sparse=always "$WORLD/image" "$WORLD/$image"
    done
    ip netns add diff
}

unmake_world() {
    ip netns del diff
    rm -rf "$WORLD" /run/diff "$UNITS"/diff-*.service
    rm -rf /var/{lib,cache,log}/diff-{own,user,other,strict} /etc/diff-own
    systemctl daemon-reload
}

# Writes a unit file for each set.
make_units() {
    local machine='' kind
    for kind in mnt net ipc uts user pid cgroup time; do
        machine+=" $kind=$(readlink "/proc/1/ns/$kind")"
    done
    awk -v units="$UNITS" -v world="$WORLD" -v machine="$machine" '
        /^#/ || !NF { next }
        /^\[/ {
            name = substr($1, 2)
            sub(/\]$/, "", name)
            file = units "/diff-" name ".service"
            print "[Service]\nType=oneshot\nStandardOutput=append:/run/diff/out/" name >file
            print "ExecStart=" world "/probe" machine >file
            if ($2 == "calls]")
                print "ExecStart=" world "/battery" >file
            next
        }
        { print >file }' "$ROOT/tests/vm/differential.sets"
    systemctl daemon-reload
}

# Keeps what has been written as $T/$1.
keep() {
    mv /run/diff/out "$T/$1"
    mkdir /run/diff/out
}

# The ways to end: "NAME COMMAND | SETTINGS", separated by semicolons.
endings() {
    cat <<'ENDINGS'
end-zero /bin/true | Type=oneshot
end-three /bin/sh -c "exit 3" | Type=oneshot
end-three-meant /bin/sh -c "exit 3" | Type=oneshot;SuccessExitStatus=3 SIGUSR1
end-three-service /bin/sh -c "exit 3" | Type=exec
end-signal /bin/sh -c "kill -USR1 $$$$" | Type=oneshot
end-signal-meant /bin/sh -c "kill -USR1 $$$$" | Type=oneshot;SuccessExitStatus=USR1
end-term /bin/sh -c "kill -TERM $$$$" | Type=oneshot
end-term-service /bin/sh -c "kill -TERM $$$$" | Type=exec
end-pipe-service /bin/sh -c "kill -PIPE $$$$" | Type=exec;IgnoreSIGPIPE=no
end-pipe-ignored /bin/sh -c "kill -PIPE $$$$" | Type=exec
end-late /bin/sleep 1000 | Type=exec;RuntimeMaxSec=1
end-watchdog /bin/sleep 1000 | Type=exec;WatchdogSec=1
end-watchdog-signal /bin/sleep 1000 | Type=exec;WatchdogSec=1;WatchdogSignal=TERM
end-before /bin/true | Type=oneshot;ExecStartPre=/bin/false
end-before-ignored /bin/true | Type=oneshot;ExecStartPre=-/bin/false
stop-plain /diff/heed | Type=exec
stop-mixed /diff/heed | Type=exec;KillMode=mixed
stop-signal /diff/heed | Type=exec;KillSignal=SIGHUP
stop-mixed-signal /diff/heed | Type=exec;KillMode=mixed;KillSignal=QUIT
stop-user /diff/heed | Type=exec;User=daemon;KillSignal=SIGUSR1
ENDINGS
}

# Writes a unit file for each ending, and what two processes write down of the signals that they get.
make_endings() {
    cat >"$WORLD/heed" <<'HEED'
#!/bin/sh
heed() {
    for signal in HUP INT QUIT TERM USR1; do trap "echo $1 $signal; exit 0" $signal; done
    echo "$1 ready"
    sleep 1000 &
    wait
}
(heed child) &
heed main
HEED
    chmod 755 "$WORLD/heed"
    awk -F ' [|] ' -v units="$UNITS" '{
        name = $1
        sub(/ .*/, "", name)
        command = substr($1, length(name) + 2)
        gsub(/;/, "\n", $2)
        file = units "/diff-" name ".service"
        print "[Service]\nStandardOutput=append:/run/diff/out/" name "\nExecStart=" command "\n" $2 >file
    }' < <(endings)
    systemctl daemon-reload
}

# Both processes of every unit that is to be stopped heed signals.
all_heed() {
    [ "$(cat /run/diff/out/stop-* | grep -c ready)" -eq 10 ]
}

# What the processes of unit $1 have heard, and $2, how it ended.
ending() {
    echo "$1: $2; $(sort "/run/diff/out/$1" 2>/dev/null | paste -sd ,)"
}

systemd_endings() {
    local name
    for name; do
        ending "$name" "$(systemctl show -P Result "diff-$name" | sed 's/exit-code\|signal/failure/')"
    done
}

holden_endings() {
    local name
    for name; do
        ending "$name" "$("$C" --json status "diff-$name" | jq -r 'if .cause == "time-limit" then "timeout"
            elif .state == "failed" then "failure" else "success" end')"
    done
}

# Nothing of the units NAME... runs any more, under systemd and under Holden.
systemd_rests() {
    ! systemctl list-units --plain --no-legend --state=active,activating,deactivating 'diff-*' | grep -q .
}
holden_rests() {
    ! "$C" list | grep -q diff-
}

@test "what a process sees of itself agrees with systemd 252" {
    [ -d /run/systemd/system ] || skip "not booted with systemd"
    make_world
    make_units
    local units=("$UNITS"/diff-*.service)
    systemctl start "${units[@]##*/}" >"$T/systemd.log" 2>&1 || cat "$T/systemd.log"
    keep systemd
    rm -rf /var/{lib,cache,log}/diff-{own,user,other,strict} /etc/diff-own
    # systemd's own TERM, and two at a time, as it has two CPUs there too.
    local half=$((${#units[@]} / 2)) other
    TERM=vt220 "$C" apply "${units[@]:half}" >"$T/holden.log" 2>&1 3>&- &
    other=$!
    TERM=vt220 "$C" apply "${units[@]:0:half}" || true
    wait "$other" || cat "$T/holden.log"
    keep holden
    unmake_world
    local written=("$T"/systemd/*)
    [ "${#written[@]}" -ge "${#units[@]}" ]
    run "$ROOT/tests/vm/compare" "$ROOT/tests/vm/differential.known" "$T"/systemd/* "$T"/holden/*
    printf '%s\n' "${lines[@]}" | tail -1 >&3
    expect 0
}

@test "how a unit ends, and what its processes hear when it is stopped, agrees with systemd 252" {
    [ -d /run/systemd/system ] || skip "not booted with systemd"
    make_world
    make_endings
    local names=() units=()
    while read -r name _; do
        names+=("$name")
        units+=("$UNITS/diff-$name.service")
    done < <(endings)
    systemctl start "${units[@]##*/}" 2>/dev/null || true
    eventually all_heed
    systemctl stop 'diff-stop-*'
    eventually systemd_rests
    systemd_endings "${names[@]}" >"$T/systemd"
    keep heard
    "$C" apply "${units[@]}" >"$T/holden.log" 2>&1 || true
    eventually all_heed
    "$C" stop diff-stop-{plain,mixed,signal,mixed-signal,user}
    eventually holden_rests
    holden_endings "${names[@]}" >"$T/holden"
    systemctl reset-failed 'diff-*'
    unmake_world
    diff "$T/systemd" "$T/holden"
    [ "$(wc -l <"$T/holden")" -eq 18 ]
}

@test "what kind of machine this is agrees with systemd 252" {
    [ -d /run/systemd/system ] || skip "not booted with systemd"
    local kind
    kind=$(systemd-detect-virt)
    for word in "$kind" yes vm '!container' '!no' '!private-users'; do
        printf '[Unit]\nAssertVirtualization=%s\n[Service]\nType=oneshot\nExecStart=/bin/true\n' "$word" \
            >"$T/kind.service"
        run "$C" apply "$T/kind.service"
        expect 0
        systemd-analyze condition "AssertVirtualization=$word"
    done
}
