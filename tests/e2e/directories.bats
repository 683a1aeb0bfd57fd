#!/usr/bin/env bats
# Directories that a process has by name: RuntimeDirectory= and its like.
# shellcheck disable=SC2016,SC2030,SC2031

load helper

setup() {
    prepare
    D=holden-test-$$-$BATS_TEST_NUMBER
    start_agent
}

leftovers() {
    local place
    for place in /run /var/lib /var/cache /var/log /etc; do
        rm -rf "${place:?}/$D" "$place/private/$D" "$place/$D-link"
    done
}

@test "each kind is made in its place, belongs to the user, and is named in the environment" {
    see User=nobody RuntimeDirectory="$D" StateDirectory="$D" CacheDirectory="$D" LogsDirectory="$D" \
        ConfigurationDirectory="$D" CacheDirectoryMode=0700 \
        'env | grep _DIRECTORY= | sort; for d in $RUNTIME_DIRECTORY $STATE_DIRECTORY $CACHE_DIRECTORY $LOGS_DIRECTORY $CONFIGURATION_DIRECTORY; do stat -c "%U:%a %n" $d; done; touch $STATE_DIRECTORY/x'
    expect 0
    [ "$output" = "CACHE_DIRECTORY=/var/cache/$D
CONFIGURATION_DIRECTORY=/etc/$D
LOGS_DIRECTORY=/var/log/$D
RUNTIME_DIRECTORY=/run/$D
STATE_DIRECTORY=/var/lib/$D
nobody:755 /run/$D
nobody:755 /var/lib/$D
nobody:700 /var/cache/$D
nobody:755 /var/log/$D
root:755 /etc/$D" ]
    # The runtime directory alone is gone with it.
    [ ! -e "/run/$D" ]
    [ -e "/var/lib/$D/x" ] && [ -d "/var/cache/$D" ] && [ -d "/var/log/$D" ] && [ -d "/etc/$D" ]
}

@test "several names, paths, and links" {
    see User=nobody RuntimeDirectory="$D/a/b $D/c:$D-link $D/c:$D/deep/link" \
        'echo $RUNTIME_DIRECTORY; cd /run; stat -c "%U:%a %n" '"$D $D/a $D/a/b $D/c; readlink $D-link $D/deep/link; touch $D/deep/link/x; ls $D/c"
    expect 0
    [ "$output" = "/run/$D/a/b:/run/$D/c
root:755 $D
root:755 $D/a
nobody:755 $D/a/b
nobody:755 $D/c
$D/c
../../$D/c
x" ]
    # What is above the innermost directory stays, as with systemd.
    [ ! -e "/run/$D/a/b" ] && [ ! -e "/run/$D/c" ] && [ ! -L "/run/$D-link" ] && [ -d "/run/$D/a" ]
}

@test "an assignment of one's own wins" {
    see StateDirectory="$D" Environment="STATE_DIRECTORY=/mine" 'env | grep STATE_DIRECTORY'
    [ "$output" = STATE_DIRECTORY=/mine ]
}

@test "a tree that belongs to somebody else is given away, links in it are not followed" {
    mkdir -p "/var/lib/$D/sub/deep"
    : >"/var/lib/$D/sub/file"
    : >"$T/outside"
    : >"$T/linked"
    chown daemon "$T/linked"
    ln -s "$T/outside" "/var/lib/$D/link"
    chmod u+s "/var/lib/$D/sub/file"
    see User=nobody StateDirectory="$D" StateDirectoryMode=0750 "cd /var/lib; stat -c '%U:%a %n' $D $D/sub $D/sub/deep $D/sub/file; stat -c %U $D/link"
    expect 0
    [ "$output" = "nobody:750 $D
nobody:755 $D/sub
nobody:755 $D/sub/deep
nobody:644 $D/sub/file
nobody" ]
    [ "$(stat -c %U "$T/outside")" = root ]
    # Where the owner is right already, nothing below is looked at.
    chown root "/var/lib/$D/sub/file"
    see User=nobody StateDirectory="$D" "stat -c %U /var/lib/$D/sub/file"
    [ "$output" = root ]
}

@test "a file of somebody else's that has another name is not given away" {
    mkdir "/var/lib/$D"
    : >"/var/lib/$D/theirs"
    chown daemon "/var/lib/$D/theirs"
    ln "/var/lib/$D/theirs" "/var/lib/$D/second"
    see User=nobody StateDirectory="$D" "stat -c %U /var/lib/$D /var/lib/$D/theirs"
    expect 0
    [ "$output" = "nobody
daemon" ]
}

@test "what configures it stays as it is" {
    mkdir -m 0711 "/etc/$D"
    see User=nobody ConfigurationDirectory="$D" ConfigurationDirectoryMode=0700 "stat -c %U:%a /etc/$D"
    [ "$output" = root:711 ]
}

@test "something else in the way: one line, and nothing is followed" {
    mkdir "$T/elsewhere"
    ln -s "$T/elsewhere" "/var/lib/$D"
    see User=nobody StateDirectory="$D" true
    expect 1
    one_line "StateDirectory: /var/lib/$D: something that is no directory"
    see User=nobody StateDirectory="$D/in" true
    expect 1
    one_line "StateDirectory: /var/lib/$D/in: something that is no directory"
    [ "$(stat -c %U "$T/elsewhere")" = root ]
    [ -z "$(ls "$T/elsewhere")" ]
    rm "/var/lib/$D"
    : >"/var/lib/$D"
    see StateDirectory="$D" true
    one_line "StateDirectory: /var/lib/$D: something that is no directory"
    rm "/var/lib/$D"
    mkdir "/var/lib/$D-link"
    see StateDirectory="$D:$D-link" true
    rmdir "/var/lib/$D-link"
    one_line "StateDirectory: /var/lib/$D-link: no link can be made"
}

@test "what is no name: refused, also where another client asks" {
    local value
    for value in /abs .. a/../b private private/x 'a:/b' 'a:..' 'a:' '"' "$(printf 'x%.0s' {1..300})"; do
        run "$C" run -p StateDirectory="$value" -- true
        [ "$status" -ne 0 ]
        one_line 'StateDirectory'
    done
    run "$C" run -p ConfigurationDirectory=a:b -- true
    expect 2
    one_line 'ConfigurationDirectory=a:b: there is no link'
    run "$C" run -p StateDirectoryMode=99 -- true
    expect 2
    run "$C" run -p RuntimeDirectoryPreserve=maybe -- true
    expect 2
    one_line 'no, restart, yes'
    # An empty value takes all back; doubled slashes and . are taken out.
    see StateDirectory=.. StateDirectory= true
    expect 2
    see StateDirectory="$D" StateDirectory= 'echo "${STATE_DIRECTORY-none}"'
    [ "$output" = none ]
    see StateDirectory="./$D//a/./" 'echo $STATE_DIRECTORY'
    [ "$output" = "/var/lib/$D/a" ]
}

@test "RuntimeDirectoryPreserve" {
    "$C" start --name keeps -p RuntimeDirectory="$D" -- sh -c 'echo run >>$RUNTIME_DIRECTORY/x; exec sleep 60'
    eventually test -e "/run/$D/x"
    "$C" restart keeps
    eventually test -e "/run/$D/x"
    [ "$(wc -l <"/run/$D/x")" -eq 1 ]
    "$C" stop keeps
    [ ! -e "/run/$D" ]
    "$C" start --name again -p RuntimeDirectory="$D" -p RuntimeDirectoryPreserve=restart -- sh -c 'echo run >>$RUNTIME_DIRECTORY/x; exec sleep 60'
    eventually test -e "/run/$D/x"
    "$C" restart again
    eventually grep -c '^run' "/run/$D/x"
    two() { [ "$(wc -l <"/run/$D/x")" -eq 2 ]; }
    eventually two
    "$C" stop again
    [ ! -e "/run/$D" ]
    "$C" run -p RuntimeDirectory="$D" -p RuntimeDirectoryPreserve=yes -- true
    [ -d "/run/$D" ]
}

@test "it is removed whatever the agent goes through, and however it ends" {
    "$C" start --name dies -p RuntimeDirectory="$D" -- sleep 60
    kill -KILL "$(core)"
    eventually "$C" ping
    [ -d "/run/$D" ]
    "$C" kill -s KILL dies
    eventually test ! -e "/run/$D"
    # While there is no agent.
    "$C" start --name alone -p RuntimeDirectory="$D" -- sleep 60
    pid=$("$C" --json status alone | jq .pid)
    agent=$(core)
    kill -STOP "$agent"
    kill -KILL "$pid"
    kill -KILL "$agent"
    eventually test ! -e "/run/$D"
    # After a step of its set-up that fails.
    run "$C" run -p RuntimeDirectory="$D" -- /nonexistent
    expect 1
    [ ! -e "/run/$D" ]
    # Between the commands before the main one it stays.
    run "$C" run -p RuntimeDirectory="$D" -p ExecStartPre="touch /run/$D/x" -- sh -c 'ls $RUNTIME_DIRECTORY'
    [ "$output" = x ]
    [ ! -e "/run/$D" ]
}

@test "much of it, deep or broad, holds nobody up and goes too" {
    "$C" start --name much -p RuntimeDirectory="$D" -- perl -e 'chdir $ENV{RUNTIME_DIRECTORY}; for (1 .. 2000) { open F, ">f$_" } for (1 .. 1500) { mkdir "d"; chdir "d" } exec "sleep", "60"'
    asleep() { [ "$(cat "/proc/$("$C" --json status much | jq .pid)/comm")" = sleep ]; }
    eventually asleep
    "$C" stop much
    [ ! -e "/run/$D" ]
    nothing_left() { [ -z "$(find /run -maxdepth 1 -name '.holden-removed-*')" ]; }
    eventually nothing_left
}

@test "what is mounted in it is left alone, and said" {
    "$C" start --name mounted -p RuntimeDirectory="$D" -- sleep 60
    mkdir -p "/run/$D/m"
    mount -t tmpfs none "/run/$D/m"
    : >"/run/$D/m/kept"
    "$C" stop mounted
    [ -e "/run/$D/m/kept" ]
    umount "/run/$D/m"
    grep -q "RuntimeDirectory: /run/$D cannot be removed: Device or resource busy" "$T/agent.log"
}

@test "written to under ProtectSystem=strict, seen under another root and under what hides the place" {
    see User=nobody ProtectSystem=strict RuntimeDirectory="$D" StateDirectory="$D/a" CacheDirectory="$D" LogsDirectory="$D" \
        'for d in $RUNTIME_DIRECTORY $STATE_DIRECTORY $CACHE_DIRECTORY $LOGS_DIRECTORY; do touch $d/x && echo $d; done; touch /var/lib/x 2>/dev/null || echo strict'
    expect 0
    [ "$output" = "/run/$D
/var/lib/$D/a
/var/cache/$D
/var/log/$D
strict" ]
    see TemporaryFileSystem=/var/lib:ro StateDirectory="$D" "ls /var/lib; ls /var/lib/$D; touch /var/lib/$D/y"
    expect 0
    [[ "$output" == "$D"*a* ]]
    mkdir "$T/root" "$T/root/bin" "$T/root/lib" "$T/root/lib64" "$T/root/usr"
    run "$C" run -p RootDirectory="$T/root" -p BindReadOnlyPaths='/bin /lib /lib64 /usr' -p StateDirectory="$D" -- sh -c 'ls $STATE_DIRECTORY'
    expect 0
    [[ "$output" == *y* ]]
}

@test "without rights to these places: refused, with the property's name" {
    local property
    stop_agent
    printf '[Agent]\nGroup=games\n' >"$T/agent.conf"
    start_agent --config "$T/agent.conf"
    for property in RuntimeDirectory StateDirectory CacheDirectory LogsDirectory ConfigurationDirectory; do
        run setpriv --reuid 12345 --regid 12345 --groups 60 -- "$C" run -p "$property=$D" -- true
        expect 5
        one_line "only root may set $property="
    done
}

@test "in a unit file, with specifiers" {
    cat >"$T/dirs@.service" <<END
[Service]
User=nobody
RuntimeDirectory=$D/%i
StateDirectory=$D/%i
ExecStart=/bin/sh -c 'echo \$\$RUNTIME_DIRECTORY \$\$STATE_DIRECTORY'
Type=oneshot
END
    run "$C" apply "$T/dirs@one.service"
    expect 0
    run "$C" logs dirs@one
    [ "$output" = "/run/$D/one /var/lib/$D/one" ]
}
