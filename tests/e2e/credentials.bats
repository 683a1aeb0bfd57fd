#!/usr/bin/env bats
# Credentials: what a process can read, and nobody else can; and that nothing of them is left.
# shellcheck disable=SC2016,SC2030,SC2031

load helper

@test "SetCredential: a file that its user alone can read, and that nobody can write" {
    see User=nobody SetCredential='a:one\ntwo' SetCredential=b: SetCredential=a:three \
        'echo $CREDENTIALS_DIRECTORY; cd $CREDENTIALS_DIRECTORY; stat -c "%U %a %s %n" . a b | sed "s/ [0-9]* \.$/ ./"; cat a; echo; (chmod 700 .; touch a; touch x) 2>&1 | grep -cE "Read-only|denied"; chmod 700 . 2>&1 || true'
    expect 0
    [[ "${lines[0]}" == "$T/credentials/"* ]]
    [ "${lines[1]}" = "nobody 500 ." ]
    [ "${lines[2]}" = "nobody 400 5 a" ]
    [ "${lines[3]}" = "nobody 400 0 b" ]
    [ "${lines[4]}" = three ]
    [ "${lines[5]}" = 3 ]
    [[ "${lines[6]}" == *Read-only* ]]
    [ -z "$(ls -A "$T/credentials")" ]
    [ "$(stat -f -c %T "$T/credentials")" = ramfs ]
    # Another user can neither read nor list.
    "$C" start --name other -p User=nobody -p SetCredential=a:secret -- sleep 60
    run setpriv --reuid 12345 --clear-groups -- cat "$T/credentials/other/a"
    [[ "$output" == *"Permission denied"* ]]
    run setpriv --reuid 12345 --clear-groups -- ls "$T/credentials"
    [[ "$output" == *"Permission denied"* ]]
    "$C" stop other
    [ ! -e "$T/credentials/other" ]
}

@test "without credentials there is nothing of them" {
    see 'echo "${CREDENTIALS_DIRECTORY-none}"'
    [ "$output" = none ]
    [ ! -e "$T/credentials" ]
}

@test "LoadCredential: files, directories, what is missing, what is stored" {
    printf 'binary\0\377bytes' >"$T/file"
    mkdir -p "$T/dir/sub" "$T/store"
    echo x >"$T/dir/one"
    echo y >"$T/dir/sub/two"
    echo z >"$T/store/kept"
    export CREDENTIALS_DIRECTORY=$T/store
    see LoadCredential="f:$T/file" LoadCredential="d:$T/dir" LoadCredential=kept LoadCredential=named:kept LoadCredential=nowhere \
        'cd $CREDENTIALS_DIRECTORY; ls; od -An -c f; cat d_one d_sub_two kept named'
    unset CREDENTIALS_DIRECTORY
    expect 0
    [ "${lines[*]:0:5}" = "d_one d_sub_two f kept named" ]
    [[ "$output" == *'\0 377'* ]]
    [ "${lines[*]: -4}" = "x y z z" ]
    # What is set holds where the file is missing, and else what is loaded.
    see LoadCredential="f:$T/missing" SetCredential=f:default SetCredential=g:default LoadCredential="g:$T/dir/one" 'cat $CREDENTIALS_DIRECTORY/f; echo; cat $CREDENTIALS_DIRECTORY/g'
    [ "$output" = "default
x" ]
    see LoadCredential="f:$T/missing" true
    expect 2
    one_line "LoadCredential=f:$T/missing: .*No such file"
}

@test "bad input: one line" {
    local value
    for value in a :b /:x a/b:c '.:x' '..:x' 'a b:c' "$(printf 'x%.0s' {1..300}):y"; do
        run "$C" run -p SetCredential="$value" -- true
        expect 2
        one_line 'SetCredential'
    done
    for value in '' a: a:b/c ":/x" "a:$T/p"; do
        mkfifo "$T/p" 2>/dev/null || true
        [ -n "$value" ] || continue
        run timeout 10 "$C" run -p LoadCredential="$value" -- true
        expect 2
        one_line 'LoadCredential'
    done
    run "$C" run -p 'SetCredential=a:\q' -- true
    expect 2
    head -c 1048577 /dev/zero >"$T/big"
    run "$C" run -p LoadCredential="a:$T/big" -- true
    expect 2
    one_line 'larger than 1 MiB'
    head -c 600000 /dev/zero >"$T/half"
    run "$C" run -p LoadCredential="a:$T/half" -p LoadCredential="b:$T/half" -- true
    expect 2
    one_line 'larger than 1 MiB'
    see LoadCredential="a:$T/half" 'wc -c <$CREDENTIALS_DIRECTORY/a'
    [ "$output" = 600000 ]
    printf '[Service]\nExecStart=/bin/true\nLoadCredentialEncrypted=a:/x\n' >"$T/u.service"
    run "$C" verify "$T/u.service"
    [[ "$output" == *"u.service:3: LoadCredentialEncrypted=: not supported"* ]]
}

@test "they come again with a restart, and are gone whatever the agent goes through" {
    "$C" start --name keeps -p User=nobody -p SetCredential=a:secret -- sh -c 'cat $CREDENTIALS_DIRECTORY/a; exec sleep 60'
    once() { [ "$("$C" logs keeps)" = secret ]; }
    eventually once
    "$C" restart keeps
    twice() { [ "$("$C" logs keeps)" = secretsecret ]; }
    eventually twice
    kill -KILL "$(core)"
    eventually "$C" ping
    [ "$(cat "$T/credentials/keeps/a")" = secret ]
    "$C" restart keeps
    [ "$(cat "$T/credentials/keeps/a")" = secret ]
    agent=$(core)
    pid=$("$C" --json status keeps | jq .pid)
    kill -STOP "$agent"
    kill -KILL "$pid" "$agent"
    eventually test ! -e "$T/credentials/keeps"
    "$C" restart keeps
    [ "$(cat "$T/credentials/keeps/a")" = secret ]
    "$C" reexec
    "$C" stop keeps
    [ ! -e "$T/credentials/keeps" ]
    # A start that fails leaves none.
    run "$C" run --name fails -p SetCredential=a:b -- /nonexistent
    expect 1
    [ ! -e "$T/credentials/fails" ]
    run "$C" run --name fails -p SetCredential=a:b -p ReadOnlyPaths="$T/missing" -- true
    expect 1
    [ ! -e "$T/credentials/fails" ]
}

@test "the agent tells nobody what is in them" {
    "$C" start --name quiet -p SetCredential=a:s3cr3t -- sleep 60
    run "$C" status quiet
    [[ "$output" == *"SetCredential=a:(6 bytes)"* && "$output" != *s3cr3t* ]]
    run "$C" --json status quiet
    [[ "$output" != *s3cr3t* && "$output" == *'"name":"a"'* ]]
    "$C" restart quiet
    [ "$(cat "$T/credentials/quiet/a")" = s3cr3t ]
    "$C" stop quiet
}

@test "with a mount table of its own, only its own are seen" {
    "$C" start --name one -p SetCredential=a:b -- sleep 60
    see PrivateMounts=yes SetCredential=c:d "ls -A $T/credentials | wc -l; cat \$CREDENTIALS_DIRECTORY/c; (: >\$CREDENTIALS_DIRECTORY/c) 2>&1"
    [ "${lines[0]}" = 1 ]
    [[ "${lines[1]}" == d* && "$output" == *Read-only* ]]
    see PrivateMounts=yes "ls -A $T/credentials | wc -l"
    [ "$output" = 0 ]
    "$C" stop one
}

@test "a member's are its own; the caller's rights are what counts" {
    stop_agent
    printf '[Agent]\nGroup=games\n' >"$T/conf"
    start_agent --config "$T/conf"
    member() { setpriv --reuid 12345 --regid 12345 --groups 60,12345 -- "$C" "$@"; }
    run member run -p SetCredential=a:mine -- sh -c 'stat -c %u:%a $CREDENTIALS_DIRECTORY/a; cat $CREDENTIALS_DIRECTORY/a'
    expect 0
    [ "$output" = "12345:400
mine" ]
    run member run -p LoadCredential=a:/etc/shadow -- true
    expect 2
    one_line 'Permission denied'
}

@test "in a unit file: %d is the directory" {
    echo loaded >"$T/file"
    cat >"$T/cred.service" <<END
[Service]
User=nobody
LoadCredential=l:$T/file
SetCredential=%p-s:100%%%n
Environment=SECRET=%d/l
ExecStart=/bin/sh -c 'cat \$\${SECRET} %d/cred-s; [ %d = \$\$CREDENTIALS_DIRECTORY ]'
Type=oneshot
END
    run "$C" apply "$T/cred.service"
    expect 0
    run "$C" logs cred
    [ "${lines[0]}" = loaded ]
    [ "${lines[1]}" = "100%%%n" ]
}
