#!/usr/bin/env bats
# A member of the agent's group who wants more than is his: root, another's output, environment or
# signals. Each attempt is a test, and none works.

load helper

# Who he is; the group is games.
UID_M=12345

setup_file() {
    prepare
    chmod 755 "$T"
    mkdir "$T/his" "$T/tools"
    chown "$UID_M:$UID_M" "$T/his"
    printf '[Agent]\nGroup=games\n' >"$T/conf"
    PASSED_TO_THE_AGENT=agents-secret start_agent --config "$T/conf"
    cp /usr/bin/id "$T/tools/id"
    chmod 4755 "$T/tools/id"
    cp /usr/bin/cat "$T/tools/cat"
    chmod 4755 "$T/tools/cat"
    printf 'roots-secret\n' >"$T/secret"
    chmod 600 "$T/secret"
    "$C" start --name victim -p Environment=KEY=victims-secret -- \
        sh -c 'echo output-secret; while :; do sleep 1000; done' argument-secret
    setpriv --reuid 12347 --regid 12347 --groups 60 -- "$C" start --name other -p Environment=KEY=others-secret \
        -- sh -c 'echo output-secret; sleep 1000'
    VICTIM=$("$C" --json status victim | jq .pid)
    export T GROUP CGROUP AGENT VICTIM
}

teardown_file() {
    is victim state running || { sweep; return 1; }
    stop_agent || { sweep; return 1; }
    rm -rf "$T"
}

setup() { cd /; }

# After each attempt root's process is as it was, and nothing of his lies where he may not write.
teardown() {
    [ "$("$C" --json status victim | jq -r '"\(.pid) \(.state)"')" = "$VICTIM running" ]
    [ ! -e "$T/made" ] && [ ! -e /etc/holden-made ]
    [ "$(cat "$T/secret")" = roots-secret ]
}

member() {
    setpriv --reuid "$UID_M" --regid "$UID_M" --groups "60,$UID_M" -- "$C" "$@"
}

# The attempt was refused, or failed, and said nothing that is secret.
fails() {
    [ "$status" -ne 0 ] || { echo "it worked: $output"; return 1; }
    keeps_secrets
}
keeps_secrets() {
    [[ "$output" != *-secret* && "$output" != *root:* ]] || { echo "it tells: $output"; return 1; }
}
# Refused as not permitted.
not_permitted() {
    expect 5
    [ "${#lines[@]}" -eq 1 ]
    keeps_secrets
}
# What runs has no more rights than he has.
harmless() {
    run member run "$@" -- sh -c 'grep -E "^(Uid|CapEff|CapPrm|CapAmb|NoNewPrivs):" /proc/self/status'
    if [ "$status" -ne 0 ]; then
        keeps_secrets
        return
    fi
    [ "$output" = "Uid:	$UID_M	$UID_M	$UID_M	$UID_M
CapPrm:	0000000000000000
CapEff:	0000000000000000
CapAmb:	0000000000000000
NoNewPrivs:	1" ] || { echo "he has: $output"; return 1; }
}

# ---- to be root ----

@test "to run as root, or as another" {
    for setting in User=root User=0 User=nobody Group=root Group=shadow SupplementaryGroups=shadow; do
        run member start -p "$setting" true
        not_permitted
    done
    run member start -p User=12347 -p Group=12347 true
    not_permitted
}
@test "to have a capability" {
    for setting in AmbientCapabilities=CAP_SETUID AmbientCapabilities='~'; do
        run member start -p "$setting" true
        not_permitted
    done
    harmless -p CapabilityBoundingSet='~'
}
@test "to gain rights by a program of root's with the set-user-ID bit" {
    run member run -- "$T/tools/id" -u
    [ "$output" = "$UID_M" ]
    run member run -- "$T/tools/cat" "$T/secret"
    fails
}
@test "to be without no_new_privs" {
    harmless -p NoNewPrivileges=no
}
@test "to have a command with full rights before, beside or behind the main one" {
    for prefix in + '!' '!!'; do
        for property in ExecStartPre ExecStartPost ExecStop ExecStopPost ExecReload ExecCondition; do
            run member start --name lifted -p "$property=$prefix/usr/bin/touch $T/made" -- sleep 1000
            [ "$prefix" != + ] || not_permitted
            [ "$status" -ne 0 ] || member stop lifted || true
        done
    done
}
@test "to have the commands around the main one run as somebody else" {
    member start --name around -p "ExecStartPre=/bin/sh -c 'id -u >>$T/his/ids'" \
        -p "ExecStartPost=/bin/sh -c 'id -u >>$T/his/ids'" -p "ExecStop=/bin/sh -c 'id -u >>$T/his/ids'" \
        -p "ExecStopPost=/bin/sh -c 'id -u >>$T/his/ids'" -p "ExecReload=/bin/sh -c 'id -u >>$T/his/ids'" \
        sleep 1000
    eventually sh -c "[ \$(wc -l <$T/his/ids) -eq 2 ]"
    # By root as well as by himself.
    "$C" reload around
    member reload around
    "$C" stop around
    [ "$(wc -l <"$T/his/ids")" -eq 6 ]
    [ "$(sort -u "$T/his/ids")" = "$UID_M" ]
}
@test "to be made up as a user whose number another has" {
    harmless -p DynamicUser=yes
    run member start -p DynamicUser=yes -p User=daemon true
    fails
}
@test "to have another root directory, with a program of his as root's" {
    mkdir -p "$T/his/root/bin"
    harmless -p RootDirectory="$T/his/root"
}
@test "to have the kernel read a file system that he wrote" {
    : >"$T/his/image"
    run member run -p RootImage="$T/his/image" -- true
    not_permitted
    run member run -p RootImageOptions=ro -- true
    not_permitted
}
@test "to be in a user namespace with rights outside" {
    run member run -p PrivateUsers=yes -- sh -c "cat $T/secret; kill -0 $VICTIM && echo killed; mount -t tmpfs none /mnt && echo mounted"
    [[ "$output" != *killed* && "$output" != *mounted* ]]
    keeps_secrets
}
@test "to mount something of root's where he can read it" {
    for setting in BindPaths="$T/secret:/mnt" BindReadOnlyPaths="$T/secret:/mnt" "BindPaths=/root:/mnt"; do
        run member run -p "$setting" -- sh -c 'cat /mnt /mnt/.bashrc; ls /mnt'
        keeps_secrets
        [[ "$output" != *.bashrc$'\n'* ]]
    done
}
@test "to hide what a program with the set-user-ID bit asks" {
    harmless -p TemporaryFileSystem=/etc
    run member run -p TemporaryFileSystem=/etc -- "$T/tools/id" -u
    [[ "$output" != 0 ]]
}
@test "to enter a network of somebody else's" {
    for path in /proc/1/ns/net "/proc/$VICTIM/ns/net" "/proc/$AGENT/ns/net"; do
        run member run -p NetworkNamespacePath="$path" -- true
        fails
    done
}
@test "to have the keeper's keys" {
    harmless -p KeyringMode=inherit
    harmless -p KeyringMode=shared
}
@test "to have a label" {
    for setting in AppArmorProfile=unconfined SELinuxContext=system_u:system_r:init_t:s0 SmackProcessLabel=_; do
        run member start -p "$setting" true
        fails
    done
}
@test "to be scheduled before all others" {
    for setting in CPUSchedulingPolicy=fifo IOSchedulingClass=realtime Nice=-1 OOMScoreAdjust=-1 LimitNICE=40 \
        LimitRTPRIO=1 MemoryMin=1M CPUWeight=1000; do
        run member start -p "$setting" true
        not_permitted
    done
}
@test "to have a part of the tree of cgroups" {
    for setting in Delegate=yes Slice=his.slice DisableControllers=cpu; do
        run member start -p "$setting" true
        not_permitted
    done
    run member constrain -p MemoryMax=1 -- -.slice
    not_permitted
}
@test "to have devices" {
    run member run -p DeviceAllow='/dev/sda rw' -p DevicePolicy=auto -- head -c 1 /dev/vda
    fails
    harmless -p DeviceAllow='char-* rwm'
}

# ---- through files ----

@test "to write to a file of root's as its output" {
    for how in truncate append file; do
        for stream in StandardOutput StandardError; do
            run member start -p "$stream=$how:$T/made" true
            expect 1
            run member run -p "$stream=$how:$T/secret" -- echo his
            [ "$(cat "$T/secret")" = roots-secret ]
        done
    done
}
@test "to read a file of root's as its input" {
    for path in "$T/secret" /etc/shadow; do
        run member run -p StandardInput="file:$path" -- cat
        keeps_secrets
    done
    run member start --name reads -p StandardInput="file:$T/secret" cat
    fails
}
@test "to write to a file of root's through a link of his" {
    ln -sfn "$T/secret" "$T/his/link"
    ln -sfn "$T/made" "$T/his/new"
    for link in link new; do
        run member start -p StandardOutput="truncate:$T/his/$link" true
        expect 1
    done
}
@test "to change the link while it is opened" {
    printf his >"$T/his/file"
    chown "$UID_M" "$T/his/file"
    (while [ ! -e "$T/his/enough" ]; do
        ln -sfn "$T/his/file" "$T/his/swapped"
        ln -sfn "$T/made" "$T/his/swapped"
    done) 3>&- &
    local swapper=$!
    for _ in $(seq 40); do
        member start --name race -p StandardOutput="append:$T/his/swapped" true || true
        member wait race || true
        member reset race || true
    done >/dev/null 2>&1
    touch "$T/his/enough"
    wait "$swapper"
    [ ! -e "$T/made" ]
}
@test "to begin in a directory of root's" {
    mkdir -p "$T/closed"
    chmod 700 "$T/closed"
    run member start -p WorkingDirectory="$T/closed" true
    expect 1
    keeps_secrets
}
@test "to have a file of root's read for its environment" {
    for path in "$T/secret" /etc/shadow; do
        run member start -p EnvironmentFile="$path" -- env
        fails
    done
}
@test "to have a file of root's read as a unit, a profile or a credential" {
    run member apply "$T/secret"
    fails
    run member verify /etc/shadow
    fails
    run member start -p SeccompProfile="$T/secret" true
    fails
    run member run -p LoadCredential="a:$T/secret" -- sh -c 'cat $CREDENTIALS_DIRECTORY/a'
    fails
    # By a directory, and by a link.
    ln -sfn "$T/secret" "$T/his/credential"
    run member run -p LoadCredential="a:$T/his/credential" -- sh -c 'cat $CREDENTIALS_DIRECTORY/a'
    fails
}
@test "to have the agent's environment" {
    run member run -p PassEnvironment=PASSED_TO_THE_AGENT -- env
    keeps_secrets
    run member run -- env
    keeps_secrets
}
@test "to have a directory of root's given to him" {
    for property in RuntimeDirectory StateDirectory CacheDirectory LogsDirectory ConfigurationDirectory; do
        for name in ../made made/../.. /made . holden; do
            run member start -p "$property=$name" true
            fails
        done
    done
    [ "$(stat -c %u /run /var/lib /var/cache /var/log /etc | sort -u)" = 0 ]
}
@test "to read what the agent keeps" {
    for path in "$T/state" "$T/state/records" "$T/state/logs" "$T/state/events"; do
        run setpriv --reuid "$UID_M" --regid "$UID_M" --groups 60 -- cat "$path"/* "$path"
        fails
        run setpriv --reuid "$UID_M" --regid "$UID_M" --groups 60 -- ls "$path"
        fails
    done
}
@test "to write to what the agent keeps" {
    for path in "$T/state" "$T/state/records" "$T/state/logs" "$CGROUP" "$CGROUP/agent"; do
        run setpriv --reuid "$UID_M" --regid "$UID_M" --groups 60 -- touch "$path/made"
        fails
    done
    run setpriv --reuid "$UID_M" --regid "$UID_M" --groups 60 -- rm -f "$HOLDEN_SOCKET"
    fails
    [ -S "$HOLDEN_SOCKET" ]
}

# ---- another's process ----

@test "to give orders to another's process by its name" {
    for verb in status stop kill wait freeze thaw restart reset reload logs "constrain -p Nice=19" stats security; do
        for name in victim other; do
            # shellcheck disable=SC2086
            run member ${verb%% *} $name ${verb#"${verb%% *}"}
            not_permitted
        done
    done
}
@test "to give orders to another's process by its number" {
    for verb in status stop kill freeze restart reset logs; do
        run member "$verb" "$VICTIM"
        not_permitted
    done
    for pid in 1 "$AGENT" "$(core)"; do
        run member kill "$pid"
        fails
    done
}
@test "to have another's process by taking its name" {
    run member start --name victim sleep 1000
    fails
    run member run --name other -- true
    fails
}
@test "to see another's process" {
    for words in list "list -a" "list -u" "--json list" stats events "--json events" slices "monitor --once"; do
        # shellcheck disable=SC2086
        run member $words
        [[ "$output" != *victim* && "$output" != *other* ]] || { echo "$words: $output"; return 1; }
        keeps_secrets
    done
}
@test "to follow another's events" {
    member --json events -f >"$T/followed" 3>&- &
    local follower=$!
    eventually sh -c "'$C' --json self | jq -e '.clients > 1'"
    "$C" start --name seen -- sh -c 'exit 0'
    "$C" wait seen
    member run --name his-own -- true
    eventually grep -q his-own "$T/followed"
    kill "$follower"
    wait "$follower" || true
    [ "$(grep -c 'seen\|victim' "$T/followed")" = 0 ]
}
@test "to read another's environment, arguments and memory" {
    for file in environ mem maps fd/1 cwd; do
        run setpriv --reuid "$UID_M" --regid "$UID_M" --groups 60 -- cat "/proc/$VICTIM/$file"
        fails
    done
    run member run -- cat "/proc/$VICTIM/environ"
    fails
}
@test "to signal another's process by itself" {
    run member run -- sh -c "kill $VICTIM || kill $AGENT || kill $(core)"
    fails
}
@test "to end another's process by its cgroup" {
    local cgroup
    cgroup=$(cgroup_mount)$(sed -n s/^0:://p "/proc/$VICTIM/cgroup")
    run member run -- sh -c "echo 1 >$cgroup/cgroup.kill"
    fails
    run member run -- sh -c "echo 1 >$cgroup/cgroup.freeze"
    fails
    run member run -- sh -c "echo \$\$ >$cgroup/cgroup.procs"
    fails
}
@test "to leave his cgroup" {
    run member run -- sh -c "echo \$\$ >$(cgroup_mount)/cgroup.procs"
    fails
    run member run -- sh -c "echo \$\$ >$CGROUP/cgroup.procs"
    fails
    run member run -- sh -c "mkdir $CGROUP/made"
    fails
}
@test "to call another's process his own by a file of pids" {
    printf '%s\n' "$VICTIM" >"$T/his/pid"
    chown "$UID_M" "$T/his/pid"
    run member start --name forks -p Type=forking -p PIDFile="$T/his/pid" -p TimeoutStartSec=2s -- sh -c 'sleep 1000 &'
    [ "$status" -eq 0 ] && member stop forks
    [ "$status" -ne 0 ] || [ "$("$C" --json status forks | jq .pid)" != "$VICTIM" ]
}
@test "to call another's process his own by a notice" {
    run member start --name says -p Type=notify -p TimeoutStartSec=2s -- \
        sh -c "systemd-notify --ready MAINPID=$VICTIM; sleep 1000"
    [ "$("$C" --json status says | jq .pid)" != "$VICTIM" ]
    member stop says || true
}
@test "to speak in another's name" {
    local before
    before=$("$C" --json status victim)
    run setpriv --reuid "$UID_M" --regid "$UID_M" --groups 60 -- env NOTIFY_SOCKET="$HOLDEN_SOCKET.notify" \
        systemd-notify --ready STATUS=his MAINPID=1
    [ "$("$C" --json status victim | jq 'del(.. | .cpu?, .usage?, .runtime?)')" = \
        "$(jq 'del(.. | .cpu?, .usage?, .runtime?)' <<<"$before")" ]
}
@test "to have his fds taken for more than they are" {
    # A directory, the agent's own socket, a closed one.
    run member run -- cat </
    fails
    run member run -- sh -c 'cat <&0' <"$T/his"
    fails
    run member run -- true <&-
    [ "$status" -le 125 ]
    run member run -- sh -c 'ls -l /proc/self/fd'
    [[ "$output" != *"$T/state"* && "$output" != *"$HOLDEN_SOCKET"* && "$output" != *records* ]]
}
@test "to type into the terminal of whoever runs something of his" {
    # TIOCSTI is 0x5412; by perl, which any Debian has.
    run timeout 20 script -qec "setpriv --reuid $UID_M --regid $UID_M --groups 60 -- $C run -- perl -e 'ioctl(STDIN, 0x5412, \"x\") and print \"typed\"'" /dev/null </dev/null
    [[ "$output" != *typed* ]]
}

# ---- by words ----

@test "to have a name that is a path" {
    for name in . .. ../made /made a/b 'a/../b' "$(printf 'a%.0s' {1..300})"; do
        run member start --name "$name" true
        expect 2
    done
}
@test "to write a line of the log, or a field of the journal, himself" {
    local before
    before=$(wc -l <"$T/agent.log")
    for name in $'a\nagent: user 0 asked' $'a\e[2Jb' $'a\tb' $'a\rb'; do
        run member start --name "$name" true
        expect 2
        for setting in SyslogIdentifier Environment=A Slice User WorkingDirectory=/; do
            run member start -p "$setting=$name" -- true
            [ "$setting" = Environment=A ] || fails
        done
        run member stop "$name"
        fails
    done
    # Every line of it is the agent's.
    [ "$(tail -n +"$((before + 1))" "$T/agent.log" | grep -cE $'^[^a]|\e|user 0 asked$')" = 0 ]
}
@test "to order the agent itself about" {
    for words in reexec "reset -- -.slice" "slices"; do
        # shellcheck disable=SC2086
        run member $words
        not_permitted
    done
}
@test "to make it one's own by restarting what is root's" {
    "$C" start --name roots-once true
    "$C" wait roots-once
    run member restart roots-once
    not_permitted
    run member reset roots-once
    not_permitted
    "$C" reset roots-once
}
