#!/usr/bin/env bats
# DynamicUser=: users that are made up for a process, and what they own.
# shellcheck disable=SC2016,SC2030,SC2031

load helper

setup() {
    prepare
    D=holden-test-$$-$BATS_TEST_NUMBER
    start_agent
}

leftovers() {
    local place
    for place in /run /var/lib /var/cache /var/log; do
        rm -rf "${place:?}/$D" "$place/private/$D" "$place/$D-link"
        rmdir --ignore-fail-on-non-empty "$place/private" 2>/dev/null || true
    done
}

LOCKS=/run/systemd/dynamic-uid

# The user id that a process runs as.
uid_of() {
    "$C" --json status "$1" | jq .user
}

locked() {
    [ "$(cat "$LOCKS/$1")" = "$2" ] || return 1
    ! flock -n "$LOCKS/$1" true
}

free() {
    [ ! -e "$LOCKS/$1" ]
}

@test "a user is made up, locked while it is there, and shown by its name" {
    "$C" start --name "d$$" -p DynamicUser=yes sleep 1000
    uid=$(uid_of "d$$")
    [ "$uid" -ge 61184 ]
    [ "$uid" -le 65519 ]
    pid=$("$C" --json status "d$$" | jq .pid)
    [ "$(awk '/^(Uid|Gid):/ { print $2, $3, $4, $5 }' "/proc/$pid/status" | uniq)" = "$uid $uid $uid $uid" ]
    locked "$uid" "d$$"
    [ "$("$C" --json status "d$$" | jq -r .dynamic_user)" = "d$$" ]
    "$C" status "d$$" | grep -q "runs as d$$ ($uid, made up), started by root"
    "$C" list | grep -qE "^d$$ +[0-9]+ +[0-9]+ +d$$ "
    # What it implies is among its settings, whatever was asked for.
    "$C" --json status "d$$" | jq -e '.properties | .RemoveIPC and .PrivateTmp and .NoNewPrivileges and
        .RestrictSUIDSGID and .ProtectSystem == "strict" and .ProtectHome == "read-only"'
    # The same with a restart and with another agent.
    "$C" restart "d$$"
    [ "$(uid_of "d$$")" = "$uid" ]
    before=$(core)
    kill -KILL "$before"
    # Whoever tries a lock that nobody has has it for that long: the next agent comes first.
    eventually eval '[ "$(core)" != "$before" ]'
    locked "$uid" "d$$"
    [ "$(uid_of "d$$")" = "$uid" ]
    "$C" stop "d$$"
    free "$uid"
    # One that has ended may begin again, as the same user where that is free.
    "$C" restart "d$$"
    [ "$(uid_of "d$$")" = "$uid" ]
    "$C" stop "d$$"
    free "$uid"
}

@test "its name is that of User=, and is in the environment; no home is" {
    see DynamicUser=yes User=holden-new 'id -u; id -g; id -G; echo $USER $LOGNAME ${HOME-none} ${SHELL-none}'
    expect 0
    uid=${lines[0]}
    [ "$uid" -ge 61184 ]
    [ "$output" = "$uid
$uid
$uid
holden-new holden-new none none" ]
    see DynamicUser=yes User=holden-new Environment=USER=me Group=daemon SupplementaryGroups=games \
        'id -u; id -gn; echo $USER'
    expect 0
    [ "$output" = "$uid
daemon
me" ]
    # A name of a process that is none of a user's leads to one that is.
    "$C" start --name a.b@c -p DynamicUser=yes sleep 1000
    "$C" status a.b@c | grep -qE 'runs as _du[0-9a-f]{16} \('
}

@test "processes with one name for it share the user, others do not, nor what another has locked" {
    "$C" start --name a -p DynamicUser=yes -p User="u$$" sleep 1000
    uid=$(uid_of a)
    "$C" start --name b -p DynamicUser=yes -p User="u$$" sleep 1000
    "$C" start --name c -p DynamicUser=yes sleep 1000
    [ "$(uid_of b)" = "$uid" ]
    [ "$(uid_of c)" != "$uid" ]
    "$C" stop a
    locked "$uid" "u$$"
    "$C" stop b
    free "$uid"
    # Locked by somebody else, such as systemd.
    (
        flock -n 9
        exec 3>&-
        "$C" start --name d -p DynamicUser=yes -p User="u$$" sleep 1000
    ) 9>"$LOCKS/$uid"
    [ "$(uid_of d)" -ne "$uid" ]
    "$C" stop d
    # Or without a lock, but somebody runs as it.
    setpriv --reuid "$uid" --clear-groups sleep 1000 3>&- &
    sleeper=$!
    eventually sh -c "grep -q '^Uid:.$uid' /proc/$sleeper/status"
    "$C" start --name e -p DynamicUser=yes -p User="u$$" sleep 1000
    [ "$(uid_of e)" -ne "$uid" ]
    kill "$sleeper"
    rm -f "$LOCKS/$uid"
}

@test "who exists is used, with all the rest" {
    see DynamicUser=yes User=nobody StateDirectory="$D" NoNewPrivileges=no ProtectSystem=no \
        'id -un; grep NoNewPrivs /proc/self/status; touch /var/x; touch /tmp/x && echo tmp; cd $STATE_DIRECTORY; pwd -P; echo $HOME'
    expect 0
    [ "${lines[0]}" = nobody ]
    grep -qx 'NoNewPrivs:.1' <<<"$output"
    grep -q "touch: cannot touch '/var/x': Read-only file system" <<<"$output"
    grep -qx tmp <<<"$output"
    grep -qx "/var/lib/private/$D" <<<"$output"
    # root is not spared, either.
    see DynamicUser=yes User=root 'id -u; touch /etc/x'
    [ "${lines[0]}" = 0 ]
    grep -q 'Read-only file system' <<<"$output"
}

@test "what it leaves in IPC goes with it" {
    see DynamicUser=yes User="u$$" 'ipcmk -Q >/dev/null; touch /dev/shm/'"$D"'; stat -c %u /dev/shm/'"$D"
    expect 0
    uid=${lines[0]}
    [ ! -e "/dev/shm/$D" ]
    [ "$(awk -v "uid=$uid" '$8 == uid' /proc/sysvipc/msg)" = "" ]
    free "$uid"
}

@test "its directories are private, and seen where they always are" {
    mkdir -p /var/lib/private
    chmod 0700 /var/lib/private
    mkdir -p "/var/lib/private/$D/other"
    rm -r "/var/lib/private/$D"
    see DynamicUser=yes User="u$$" StateDirectory="$D/a $D/a/b $D/c:$D-link $D/c:$D/a/l" CacheDirectory="$D" \
        RuntimeDirectory="$D" 'echo $STATE_DIRECTORY $CACHE_DIRECTORY $RUNTIME_DIRECTORY
        cd /var/lib; touch '"$D/a/x $D/a/b/x $D-link/x $D/a/l/y /var/cache/$D/x /run/$D/x"' && echo made
        ls private; stat -c %U:%a private; touch private/x'
    expect 1
    [ "${lines[0]}" = "/var/lib/$D/a:/var/lib/$D/a/b:/var/lib/$D/c /var/cache/$D /run/$D" ]
    [ "${lines[1]}" = made ]
    [ "${lines[2]}" = "$D" ]
    [ "${lines[3]}" = root:755 ]
    grep -q "cannot touch 'private/x'" <<<"$output"
    [ "$(stat -c %U:%a /var/lib/private)" = root:700 ]
    [ "$(stat -c %U:%a /var/cache/private)" = root:700 ]
    [ "$(readlink "/var/lib/$D/a")" = "../private/$D/a" ]
    [ "$(readlink "/var/cache/$D")" = "private/$D" ]
    [ -e "/var/lib/$D/a/b/x" ]
    [ -e "/var/lib/private/$D/c/y" ]
    [ -L "/var/lib/private/$D/a/l" ]
    uid=$(stat -c %u "/var/lib/private/$D/a")
    [ "$uid" -ge 61184 ]
    [ "$(stat -c %u "/var/lib/private/$D/c/x")" = "$uid" ]
    [ ! -e "/run/$D" ]
    [ ! -e /run/private ]
    # Again, by another name and so as somebody else: all of it changes hands.
    see DynamicUser=yes User="v$$" StateDirectory="$D/a $D/c" 'id -u; cd $(echo $STATE_DIRECTORY | cut -d: -f1); stat -c %u . x b/x; rm x'
    expect 0
    [ "$(uniq <<<"$output" | wc -l)" = 1 ]
    [ "${lines[0]}" != "$uid" ]
}

@test "a directory moves in when DynamicUser= comes, and out when it goes" {
    see User=nobody StateDirectory="$D" 'echo text >$STATE_DIRECTORY/x'
    expect 0
    see DynamicUser=yes StateDirectory="$D" 'cat $STATE_DIRECTORY/x && echo more >>$STATE_DIRECTORY/x'
    expect 0
    [ "$output" = text ]
    [ -L "/var/lib/$D" ]
    [ -f "/var/lib/private/$D/x" ]
    [ "$(grep -c 'was moved to or from "private"' "$T/agent.log")" = 1 ]
    # Not again, where it is by now.
    see DynamicUser=yes StateDirectory="$D" true
    expect 0
    see User=nobody StateDirectory="$D" 'cat $STATE_DIRECTORY/x; stat -c %U $STATE_DIRECTORY $STATE_DIRECTORY/x'
    expect 0
    [ "$(tr '\n' ' ' <<<"$output")" = "text more nobody nobody " ]
    [ ! -L "/var/lib/$D" ]
    [ ! -e "/var/lib/private/$D" ]
    [ "$(grep -c 'was moved to or from "private"' "$T/agent.log")" = 2 ]
    # A link whose directory is gone is no more than that.
    ln -s "private/$D" "/var/cache/$D"
    see User=nobody CacheDirectory="$D" 'stat -c %U $CACHE_DIRECTORY'
    expect 0
    [ "$output" = nobody ]
    [ ! -L "/var/cache/$D" ]
}

@test "a runtime directory that is preserved is private, too, and one that is not goes at once" {
    "$C" start --name a -p DynamicUser=yes -p RuntimeDirectory="$D" -p RuntimeDirectoryPreserve=restart \
        sh -c 'touch $RUNTIME_DIRECTORY/x$$; sleep 1000'
    # Not before its shell has done so: the directory is there earlier.
    eventually sh -c "[ \$(ls /run/private/$D | wc -l) = 1 ]"
    [ -L "/run/$D" ]
    "$C" restart a
    eventually sh -c "[ \$(ls /run/private/$D | wc -l) = 2 ]"
    "$C" stop a
    [ ! -e "/run/private/$D" ]
    [ ! -L "/run/$D" ]
}

@test "what cannot be is refused in one line" {
    run "$C" start -p DynamicUser=perhaps true
    expect 2
    one_line 'DynamicUser=perhaps: expected yes or no'
    run "$C" start -p DynamicUser=yes -p User=no.name true
    expect 2
    one_line 'User=no.name: no such user, and no name for one who is made up: at most 31 letters'
    run "$C" start -p DynamicUser=yes -p User=4000000 true
    expect 2
    one_line 'User=4000000: no such user here'
    run "$C" start -p DynamicUser=no -p User=holden-new true
    expect 2
    one_line 'User=holden-new: no such user'
    run "$C" start -p DynamicUser=yes -p 'WorkingDirectory=~' true
    expect 2
    one_line 'no home directory is known'
    # In the way of its link.
    mkdir -p "/var/lib/private/$D"
    chmod 0700 /var/lib/private
    mkdir "/var/lib/$D"
    run "$C" start -p DynamicUser=yes -p StateDirectory="$D" true
    expect 1
    one_line 'StateDirectory: /var/lib/'"$D"': no link can be made: something else has that name'
    rmdir "/var/lib/$D"
    # Who may get in where files lie whose owner will be another.
    chmod 0755 /var/lib/private
    run "$C" start -p DynamicUser=yes -p StateDirectory="$D" true
    expect 1
    one_line 'StateDirectory: /var/lib/'"$D"': "private" above it must belong to root and be closed to all others: chmod 0700 it'
    chmod 0700 /var/lib/private
}

@test "a sandbox makes a user up, and with User= does without" {
    see Sandbox=strict 'id -u; touch /tmp/x && echo made; cat /etc/shadow'
    [ "${lines[0]}" -ge 61184 ]
    [ "${lines[1]}" = made ]
    grep -q 'cat: /etc/shadow: Permission denied' <<<"$output"
    see Sandbox=judge User=nobody 'id -un'
    expect 0
    [ "$output" = nobody ]
    see Sandbox=judge DynamicUser=no 'id -u'
    expect 0
    [ "$output" = 0 ]
    printf '[Service]\nExecStart=/bin/true\nDynamicUser=yes\n' >"$T/a.service"
    "$C" --json security "$T/a.service" >"$T/out"
    [ "$(jq -r 'select(.setting == "User" or .setting == "ProtectSystem" or .setting == "PrivateTmp") | .good' "$T/out" | sort -u)" = true ]
}
