#!/usr/bin/env bats
# Landlock*Paths=: what they name is allowed, all else refused, to root and to others.
# shellcheck disable=SC2016

load helper

PROGRAMS='/usr /lib /lib64 /bin'

setup() {
    prepare
    start_agent
    mkdir "$T/in" "$T/out"
    chmod 1777 "$T/in" "$T/out"
    echo words >"$T/in/file"
    echo words >"$T/out/file"
    HAVE=()
    for path in $PROGRAMS; do
        HAVE+=("-$path")
    done
}

# Runs a line of shell under these settings and those before --; its streams are inherited.
within() {
    local settings=(-p "LandlockExecPaths=${HAVE[*]}" -p 'LandlockReadOnlyPaths=-/etc/ld.so.cache /dev/null')
    while [ "$1" != -- ]; do
        settings+=(-p "$1")
        shift
    done
    run "$C" run "${settings[@]}" -- sh -c "$2"
}

@test "what is named can be read, written, executed; nothing else can" {
    local user
    for user in root nobody; do
        within User=$user LandlockReadOnlyPaths="$T/in" -- "cat $T/in/file; ls $T/in; cat $T/out/file; ls $T/out; echo x >$T/in/made"
        [ "${lines[0]}" = words ]
        [ "${lines[1]}" = file ]
        [ "$(grep -c 'Permission denied' <<<"$output")" -eq 3 ] || { echo "$user: $output"; return 1; }
        [ ! -e "$T/in/made" ]
        within User=$user LandlockReadWritePaths="$T/in" -- "echo $user >$T/in/made && mkdir $T/in/d && mv $T/in/made $T/in/d/ && cat $T/in/d/made && rm -r $T/in/d; echo x >$T/out/made; rm -f $T/out/file; ln $T/in/file $T/out/linked"
        [ "${lines[0]}" = "$user" ]
        [ ! -e "$T/out/made" ]
        [ ! -e "$T/out/linked" ]
        [ -e "$T/out/file" ]
        [ ! -e "$T/in/d" ]
    done
}

@test "only what is named can be executed, and a start that cannot says why" {
    cp /bin/true "$T/in/program"
    within LandlockReadOnlyPaths="$T/in" -- "$T/in/program"
    expect 126
    within LandlockExecPaths="$T/in" -- "$T/in/program"
    expect 0
    run "$C" run -p LandlockReadOnlyPaths=/ -- true
    expect 1
    one_line 'exec: true: Permission denied; LandlockExecPaths= must name it'
}

@test "who is not root gains nothing by set-user-id programs, and can add no more than it has" {
    within User=nobody LandlockReadOnlyPaths=/proc -- 'grep NoNewPrivs /proc/self/status'
    [[ "$output" == *1 ]]
    # Root keeps its right to set-user-id programs.
    within LandlockReadOnlyPaths=/proc -- 'grep NoNewPrivs /proc/self/status'
    [[ "$output" == *0 ]]
    within LandlockReadOnlyPaths=/proc NoNewPrivileges=yes -- 'grep NoNewPrivs /proc/self/status'
    [[ "$output" == *1 ]]
    # Neither mounts nor what a child of it does get around them.
    within -- "mount --bind $T/out /mnt; unshare -m true; (cat $T/out/file)"
    [ "$status" -ne 0 ]
    [[ "$output" != *words* ]]
}

@test "beside a filter, a mount table of its own and a restart they hold" {
    within LandlockReadOnlyPaths="$T/in" SystemCallFilter=@system-service ProtectHome=yes -- "cat $T/in/file; cat $T/out/file"
    [ "${lines[0]}" = words ]
    [[ "${lines[1]}" == *denied* ]]
    "$C" start --name web -p "LandlockExecPaths=${HAVE[*]}" -p LandlockReadOnlyPaths="-/etc/ld.so.cache $T/in" -- \
        sh -c "cat $T/in/file; cat $T/out/file; sleep 1000"
    "$C" restart web
    eventually grep -q denied <("$C" logs web)
    "$C" --json status web | jq -e ".properties.LandlockReadOnlyPaths == [\"-/etc/ld.so.cache\", \"$T/in\"]"
    "$C" stop web
}

@test "a path that is missing is refused by name, unless a - lets it be" {
    run "$C" run -p LandlockExecPaths=/ -p "LandlockReadWritePaths=/tmp $T/missing" -- true
    expect 1
    one_line "LandlockReadWritePaths: $T/missing: No such file or directory"
    run "$C" run -p LandlockExecPaths=/ -p "LandlockReadWritePaths=/tmp -$T/missing" -- true
    expect 0
    local value
    for value in relative /a/.. '"/open'; do
        run "$C" run -p "LandlockExecPaths=$value" -- true
        expect 2
        one_line LandlockExecPaths
    done
}
