#!/usr/bin/env bats
# The policy: every kind of caller, every request, their own processes and those of others; bounds; callers that
# are not who they were when they connected; and how its files are read.

load helper

setup() {
    prepare
    # Where the tree is may be hidden from what is started: in /tmp, say.
    cd /
    printf '[Agent]\nGroup=games\n' >"$T/conf"
    cat >"$T/policy.conf" <<'END'
[Rule ruled]
Users=12348
Verbs=start list log stop
Targets=any

[Rule ruled-own]
Users=12348
Verbs=restart
END
    start_agent --config "$T/conf" --policy "$T/policy.conf"
}

as() {
    setpriv --reuid "$1" --regid "$1" --groups "$2" -- "${@:3}"
}

# The six kinds of callers, in the order of the columns below.
KINDS=(root owner other ruled stranger namespace)
root() { "$@"; }
owner() { as 12345 60,12345 "$@"; }
other() { as 12347 60 "$@"; }
ruled() { as 12348 60 "$@"; }
stranger() { as 12346 12346 "$@"; }
namespace() { as 12345 60 unshare -U -r "$@"; }

# REQUEST: what each may, about its own, and about what is another's (the owner's; root's for the owner).
ABOUT='
status -                           yyyyny ynnynn
stats -                            yyyyny ynnynn
history -                          yyyyny ynnynn
security -                         yyyyny ynnynn
logs -                             yyyyny ynnynn
freeze -                           yyynny ynnnnn
thaw -                             yyynny ynnnnn
constrain - -p RuntimeMaxSec=1h    yyynny ynnnnn
reload -                           yyynny ynnnnn
kill -s CONT -                     yyynny ynnnnn
restart -                          yyyyny ynnnnn
stop -                             yyyyny ynnynn
wait -                             yyynny ynnnnn
reset -                            yyynny ynnnnn
'

# The same for requests that are about no process.
ALONE='
ping                               yyynny
start -- true                      yyyyny
run -- true                        yyyyny
list                               yyyyny
events                             yyynny
doctor                             yyynny
self                               yyynny
slices                             ynnnnn
status a.slice                     ynnnnn
constrain a.slice -p DisableControllers=io ynnnnn
reset a.slice                      ynnnnn
start -p User=bin -- true          ynnnnn
start -p Slice=a.slice -- true     ynnnnn
reload                             ynnnnn
reexec                             ynnnnn
'

# Fails unless the caller's request came out as the cell says: refused is exit status 5 and one line.
cell() {
    local kind=$1 allowed=$2 status=0 said
    said=$("$kind" "$C" "${@:3}" 2>&1 >/dev/null) || status=$?
    case $allowed:$status in
    n:5) [ "$(wc -l <<<"$said")" -eq 1 ] || { echo "$kind: ${*:3}: not one line: $said"; return 1; } ;;
    n:* | y:5 | y:2 | y:3) echo "$kind: ${*:3}: $allowed, but $status: $said" && return 1 ;;
    esac
}

# One caller's rows about one target.
about() {
    local kind=$1 index=$2 whose=$3 target=$4 own foreign words bad=0
    [ "$kind:$whose" != stranger:own ] || "$C" start --name "$target" sleep 1000
    while read -ra words; do
        [ "${#words[@]}" -gt 0 ] || continue
        own=${words[-2]} foreign=${words[-1]}
        words=("${words[@]:0:${#words[@]}-2}")
        for i in "${!words[@]}"; do
            [ "${words[i]}" != - ] || words[i]=$target
        done
        # Only what has ended can be waited for here, and forgotten.
        [ "${words[0]}" != wait ] || "$C" stop "$target" 2>/dev/null || true
        cell "$kind" "${!whose:index:1}" "${words[@]}" || bad=1
        CELLS=$((CELLS + 1))
    done <<<"$ABOUT"
    return "$bad"
}

@test "every kind of caller, every request, own and others': as the policy says" {
    CELLS=0
    local surprises=0 index kind
    for index in "${!KINDS[@]}"; do
        kind=${KINDS[index]}
        [ "$kind" = stranger ] || "$kind" "$C" start --name "own-$kind" sleep 1000
        about "$kind" "$index" own "own-$kind" || surprises=$((surprises + 1))
        case $kind in
        owner | namespace) "$C" start --name "foreign-$kind" sleep 1000 ;;
        *) owner "$C" start --name "foreign-$kind" sleep 1000 ;;
        esac
        about "$kind" "$index" foreign "foreign-$kind" || surprises=$((surprises + 1))
    done
    [ "$surprises" -eq 0 ]
    echo "$CELLS cells"
}

@test "requests about no process, by every kind of caller" {
    local index kind words bad=0 allowed
    "$C" constrain a.slice -p DisableControllers=io
    for index in "${!KINDS[@]}"; do
        kind=${KINDS[index]}
        while read -ra words; do
            [ "${#words[@]}" -gt 0 ] || continue
            allowed=${words[-1]}
            words=("${words[@]:0:${#words[@]}-1}")
            cell "$kind" "${allowed:index:1}" "${words[@]}" || bad=1
            eventually "$C" ping
        done <<<"$ALONE"
        "$C" constrain a.slice -p DisableControllers=io
    done
    [ "$bad" -eq 0 ]
}

@test "what is listed and told is what the caller may list and follow" {
    owner "$C" start --name mine sleep 1000
    "$C" start --name roots sleep 1000
    run other "$C" list
    [[ "$output" != *mine* && "$output" != *roots* ]]
    run ruled "$C" list
    [[ "$output" == *mine* && "$output" == *roots* ]]
    run owner "$C" --json events
    [[ "$output" == *mine* && "$output" != *roots* ]]
}

# ---- who it was when it connected ----

@test "a caller is who it was when it connected, whatever becomes of it" {
    local how
    for how in change inherit; do
        owner "$C" start --name "of-$how" sleep 1000
        run "$TESTS/caller" "$HOLDEN_SOCKET" "$how" 12347 60 "of-$how"
        expect 0
        [ "$output" = "done" ] || { echo "$how: $output"; return 1; }
    done
    "$C" start --name roots sleep 1000
    for how in pass reuse; do
        run "$TESTS/caller" "$HOLDEN_SOCKET" "$how" 12347 60 roots
        expect 0
        [[ "$output" == *'belongs to user 0; you are user 12347'* ]] || { echo "$how: $output"; return 1; }
        is roots state running
    done
}

# ---- bounds ----

# Puts a policy in force.
policy() {
    cat >"$T/policy.conf"
    "$C" reload
}

@test "a start within the rule's bounds, as its user, of its commands, in its sandbox" {
    policy <<'END'
[Rule deploy]
Users=12348
Verbs=start
RunAs=bin
Commands=/usr/bin/id /bin/sh
RuntimeMaxSec=1h
LimitNOFILE=100
Sandbox=service

[Rule control]
Users=12348
Verbs=list constrain stop
END
    [ "$(ruled "$C" run -p User=bin -- /usr/bin/id -un)" = bin ]
    [ "$(ruled "$C" run -p User=bin -- /usr/bin/id -G)" = "$(id -G bin)" ]
    run ruled "$C" run -- /usr/bin/id
    expect 5
    one_line 'rule deploy allows it only as bin'
    run ruled "$C" run -p User=bin -p Group=root -- /usr/bin/id
    expect 5
    run ruled "$C" run -p User=bin -p SupplementaryGroups=root -- /usr/bin/id
    expect 5
    run ruled "$C" run -p User=bin -- /bin/ls
    expect 5
    one_line 'rule deploy does not allow to execute /bin/ls'
    run ruled "$C" run -p User=bin -- id
    expect 5
    one_line 'whole path'
    run ruled "$C" run -p User=bin -p ExecStartPre=/bin/ls -- /usr/bin/id
    expect 5
    run ruled "$C" run -p User=bin -p RuntimeMaxSec=2h -- /usr/bin/id
    expect 5
    one_line 'rule deploy allows at most RuntimeMaxSec=1h, and 2h'
    run ruled "$C" run -p User=bin -p ProtectSystem=no -- /usr/bin/id
    expect 5
    one_line 'rule deploy demands ProtectSystem=full'
    run ruled "$C" run -p User=bin -p Sandbox=service -- /usr/bin/id
    expect 0
    run ruled "$C" run -p User=bin -p 'ExecStartPre=!/bin/sh' -- /usr/bin/id
    expect 5
    # What is not asked for is in force all the same, and stays so.
    ruled "$C" start -p User=bin --name bound -- /bin/sh -c 'sleep 1000 & wait'
    is bound properties.RuntimeMaxSec 3600000000
    local pid
    pid=$("$C" --json status bound | jq .pid)
    [ "$(awk '/^Max open files/ { print $5 }' "/proc/$pid/limits")" -le 100 ]
    grep -q '^NoNewPrivs:	1' "/proc/$pid/status"
    grep -q '^Seccomp:	2' "/proc/$pid/status"
    [ "$(stat -c %u "/proc/$pid")" = "$(id -u bin)" ]
    run ruled "$C" constrain bound -p RuntimeMaxSec=2h
    expect 5
    one_line 'rule deploy allows at most RuntimeMaxSec=1h'
    ruled "$C" constrain bound -p RuntimeMaxSec=30min
    run other "$C" stop bound
    expect 5
    # Another agent, and a restart, go by what is written down.
    kill -KILL "$(core)"
    eventually "$C" ping
    "$C" restart bound
    is bound properties.RuntimeMaxSec 1800000000
    [ "$(stat -c %u "/proc/$("$C" --json status bound | jq .pid)")" = "$(id -u bin)" ]
    ruled "$C" stop bound
}

@test "a user that is made up, in a sandbox that cannot be taken off" {
    policy <<'END'
[Rule contest]
Groups=games
Verbs=members
Sandbox=strict
END
    run other "$C" run -- sh -c 'id -u; ls /home 2>&1; touch /etc/x 2>&1'
    [ "${lines[0]}" -ge 61184 ]
    [[ "$output" != *12347* ]]
    run other "$C" run -p PrivateNetwork=no -- true
    expect 5
    one_line 'rule contest demands PrivateNetwork=yes'
    run other "$C" run -p BindPaths=/root -- true
    expect 5
    one_line 'only root may set BindPaths='
}

@test "a command that a rule names, as another user, does what it does whatever its caller sets" {
    printf "%s\n" "#!/bin/bash" "echo as" "id -un" >"$T/deploy"
    printf 'echo taken\n' >"$T/env"
    mkdir "$T/bin"
    printf '#!/bin/sh\necho taken\n' >"$T/bin/id"
    chmod 755 "$T/deploy" "$T/env" "$T/bin" "$T/bin/id"
    install -o bin -g bin -m 600 "$T/env" "$T/precious"
    policy <<END
[Rule deploy]
Users=12348
Verbs=start
RunAs=bin
Commands=$T/deploy
END
    run ruled "$C" run -p User=bin -p Environment=LANG=C -- "$T/deploy"
    expect 0
    [ "$output" = $'as\nbin' ]
    local setting
    for setting in "Environment=BASH_ENV=$T/env" "Environment=PATH=$T/bin" "ExecSearchPath=$T/bin" \
        "StandardOutput=truncate:$T/precious" "StandardInput=file:$T/precious" RemoveIPC=yes \
        SystemCallFilter=~getuid:EPERM; do
        run ruled "$C" start -p User=bin -p "$setting" -- "$T/deploy"
        [ "$status" -eq 5 ] || { echo "$setting: $status: $output"; return 1; }
        one_line "${setting%%=*}: rule deploy allows certain commands only"
    done
    [ "$(cat "$T/precious")" = 'echo taken' ]
}

@test "the time that a rule allows is not to be had by other settings, nor by what a process says" {
    policy <<'END'
[Rule contest]
Users=12348
Verbs=members
RuntimeMaxSec=1s
END
    run ruled "$C" start -p TimeoutStopSec=infinity -- sleep 1000
    expect 5
    one_line 'TimeoutStopSec: rule contest allows at most RuntimeMaxSec=1s'
    run ruled "$C" start -p SendSIGKILL=no -- sleep 1000
    expect 5
    run ruled "$C" start -p 'ExecStartPre=/bin/sleep 1000' -- true
    expect 1
    one_line 'did not end within TimeoutStartSec='
    ruled "$C" start --name talks -p Type=notify -p TimeoutStopSec=1s -- \
        perl -MIO::Socket::UNIX -e '
            my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ENV{NOTIFY_SOCKET}) or die;
            $s->send("READY=1\nEXTEND_TIMEOUT_USEC=1000000000"); sleep 1000'
    run ruled "$C" constrain talks -p TimeoutStopSec=infinity
    expect 5
    eventually is talks cause time-limit
}

# ---- asking ----

@test "policy check and policy test say what the request itself would be told" {
    "$C" start --name web sleep 1000
    run "$C" policy check 12348 stop web
    expect 0
    one_line '^allowed by rule ruled$'
    run "$C" policy check 12348 kill web
    expect 5
    one_line '^refused: no rule allows user 12348 to kill'
    run "$C" --json policy check 12347 stop root:web
    expect 5
    jq -e '.allowed == false and (.reason | contains("no rule names user 12347"))' <<<"$output"
    run "$C" policy check 12348 start -p User=root -- /bin/true
    expect 5
    run ruled "$C" policy check 12348 stop web
    expect 0
    run ruled "$C" policy check 12347 stop web
    expect 5
    one_line 'only root may ask about others'
    run "$C" policy check 12348 fly
    expect 1
    one_line 'no such verb'
    run "$C" policy check no-such-user stop
    expect 2
    one_line 'no such user'
    run "$C" policy check 12348 stop nothing
    expect 4
    run "$C" policy dance
    expect 2
    printf '%s\n' '# a table' 'allow:ruled 12348 stop root:web-1' 'refuse 12348 kill root:web-1' \
        'allow 12348 start --name x -- "/bin/a b" c' 'allow root reexec' >"$T/table"
    run "$C" policy test "$T/table"
    expect 0
    [ "$output" = '4 of 4 decisions as expected' ]
    echo 'allow 12348 reexec' >>"$T/table"
    run "$C" policy test "$T/table"
    expect 1
    [[ "${lines[0]}" == "$T/table:6: expected allow, but refused: no rule allows user 12348 to reexec"* ]]
    run "$C" --json policy test "$T/table"
    expect 1
    jq -e '.line == 6 and .decision.allowed == false' <<<"$output"
    echo 'perhaps 12348 reexec' >>"$T/table"
    run "$C" policy test "$T/table"
    expect 2
}

# ---- reading ----

@test "a bad file leaves the policy in force, and says so" {
    cp "$T/policy.conf" "$T/good"
    printf '[Rule x]\nUsers=12346\nVerbs=anything\n' >>"$T/policy.conf"
    run "$C" reload
    expect 1
    one_line 'policy.conf:11: Verbs=anything: there is no such verb.*what was in force so far stays'
    run ruled "$C" list
    expect 0
    run stranger "$C" ping
    expect 5
    run "$C" reexec
    expect 1
    grep -q 'policy.conf:11: Verbs=anything' "$T/agent.log"
    printf '[Rule x]\nUsers=12346\nVerbs=ping\n' >"$T/policy.conf"
    kill -HUP "$AGENT"
    eventually stranger "$C" ping
    run ruled "$C" stop nothing
    expect 4
    # In a file that somebody else could have written, nothing is a rule.
    chmod 666 "$T/policy.conf"
    run "$C" reload
    expect 1
    one_line 'must belong to root'
    chmod 644 "$T/policy.conf"
    mkdir "$T/policy.d"
    cp "$T/good" "$T/policy.d/10-more.conf"
    "$C" reload
    run ruled "$C" list
    expect 0
    [ "$(stat -c %a "$HOLDEN_SOCKET")" = 666 ]
    rm -r "$T/policy.d"
    : >"$T/policy.conf"
    "$C" reload
    [ "$(stat -c %a "$HOLDEN_SOCKET")" = 660 ]
    run stranger "$C" ping
    expect 5
    printf '[Agent]\nGroup=bin\n' >"$T/conf"
    "$C" reload
    run owner "$C" ping
    expect 5
    as 12345 2 "$C" ping
}

@test "a policy that is bad at the start lets nobody in but root" {
    stop_agent
    echo nonsense >"$T/policy.conf"
    start_agent --config "$T/conf" --policy "$T/policy.conf"
    run owner "$C" ping
    expect 5
    one_line 'policy could not be read'
    grep -q 'only root may do anything until it is right' "$T/agent.log"
    "$C" start --name still sleep 1000
    : >"$T/policy.conf"
    "$C" reload
    owner "$C" ping
}
