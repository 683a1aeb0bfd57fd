#!/usr/bin/env bats
# The monitor: one frame, JSON, and the live screen in a terminal of tmux.

load helper
bats_require_minimum_version 1.5.0

M=$BIN/monitor
# LeakSanitizer never comes to an end in a program whose terminal is gone, and finds ncurses' own.
! sanitized || export ASAN_OPTIONS=detect_leaks=0

# Opens a terminal of WIDTHxHEIGHT and runs the monitor in it with the other arguments. Its pid is in
# $T/pid, its exit status comes to $T/status, and what stty(1) says before and after to $T/before and
# $T/after.
open_monitor() {
    local size=$1
    shift
    cat >"$T/session" <<EOF
trap : INT
stty -g >"$T/before"
(
    trap : INT
    sh -c 'echo \$\$ >"$T/pid"; exec "\$@"' sh "$M" $*
    echo \$? >"$T/status"
) 2>"$T/monitor.err"
stty -g >"$T/after"
echo closed
sleep 1000
EOF
    tmux -S "$T/tmux" -u -f /dev/null new-session -d -x "${size%x*}" -y "${size#*x}" "sh $T/session" 3>&-
    eventually test -s "$T/pid"
}

screen() {
    tmux -S "$T/tmux" capture-pane -p "$@"
}

shows() {
    screen | grep -qE -- "$1"
}

hides() {
    ! shows "$1"
}

# Waits until the screen shows the expression; says what it shows where it does not.
expect_screen() {
    eventually shows "$1" || { echo "no '$1' on the screen:"; screen; return 1; }
}

expect_no() {
    eventually hides "$1" || { echo "still '$1' on the screen:"; screen; return 1; }
}

keys() {
    tmux -S "$T/tmux" send-keys "$@"
}

is_coloured() {
    screen -e | grep -qE $'\033\\[[0-9;]*3[0-7]'
}
is_ascii() {
    [ -z "$(screen | LC_ALL=C tr -d '\n -~')" ]
}

# The names in the table, in their order. NAME is the last column but for the command.
names() {
    screen | grep -oE '\b(web|db|cache)\b' | tr '\n' ' '
}
in_order() {
    [ "$(names)" = "$1 " ]
}

@test "one frame: who runs, sorted, with the CPU that each takes" {
    "$C" start --name idle sleep 1000
    "$C" start --name busy -- sh -c 'while :; do :; done'
    run -0 "$M" --once --interval 300ms
    [[ "${lines[0]}" == "holden agent "*"$HOLDEN_SOCKET" ]]
    [[ "${lines[1]}" == "2 processes: 2 running"* ]]
    [[ "${lines[2]}" =~ ^STATE\ +PID\ USER\ +CPU%\ MEMORY\ +TASKS\ +IO\ +STALL\ +TIME\ NAME\ COMMAND$ ]]
    [[ "${lines[3]}" =~ ^running\ +[0-9]+\ +root\ .*\ busy\ sh\ -c ]]
    [[ "${lines[4]}" =~ \ idle\ sleep\ 1000$ ]]
    [ "$(awk '/ busy / { print ($4 > 10) }' <<<"$output")" = 1 ]
    [ "$(awk '/ idle / { print ($4 < 5) }' <<<"$output")" = 1 ]
    run -0 "$M" --once --interval 50ms --sort name
    [[ "${lines[3]}" == *busy* ]]
    run -0 "$M" --once --interval 50ms --sort -NAME
    [[ "${lines[3]}" == *idle* ]]
}

@test "one frame shows limits beside what is used" {
    needs_controller memory
    "$C" start --name tight -p MemoryMax=64M -p TasksMax=9 sleep 1000
    run -0 "$M" --once --interval 50ms
    [[ "$output" =~ /64M\ .*\ 1/9\  ]]
}

@test "ended processes are shown with --all" {
    "$C" run --name gone false || true
    run -0 "$M" --once --interval 50ms
    [[ "$output" != *gone* ]]
    run -0 "$M" --once --interval 50ms -a
    [[ "$output" =~ failed\ .*\ gone ]]
}

@test "JSON: an object for each process and sample" {
    "$C" start --name one sleep 1000
    "$C" start --name two -- sh -c 'while :; do :; done'
    run -0 --separate-stderr "$M" --once --json --interval 200ms --sort name
    [ "${#lines[@]}" -eq 2 ]
    [ "$(jq -r .name <<<"$output" | tr '\n' ' ')" = "one two " ]
    [ "$(jq -s '[.[] | .id > 0 and .pid > 0 and .usage.at > 0 and (.rates.cpu | type) == "number"
        and .user_name == "root" and .sample == 2 and .time > 0 and .socket == env.HOLDEN_SOCKET
        and .state == "running"] | all' <<<"$output")" = true ]
    [ "$(jq -s '.[1].rates.cpu > 10' <<<"$output")" = true ]
}

@test "CSV: titles, then a line for each process and sample" {
    "$C" start --name one -- sh -c $': "a,b" \033[2J; sleep 1000'
    run -0 --separate-stderr "$M" --once --csv --interval 100ms
    [ "${#lines[@]}" -eq 2 ]
    python3 - "$HOLDEN_SOCKET" "$output" <<'END'
import csv, sys
row, = csv.DictReader(sys.argv[2].splitlines())
assert row["name"] == "one" and row["state"] == "running" and row["sample"] == "2", row
assert row["socket"] == sys.argv[1] and float(row["cpu"]) >= 0 and row["user_name"] == "root", row
assert row["command"] == 'sh -c : "a,b" ?[2J; sleep 1000', row
END
}

@test "lines: what is there, then only what changes" {
    "$C" start --name web sleep 1000
    "$M" --lines --interval 100ms >"$T/lines" 2>&1 3>&- &
    pid=$!
    eventually grep -qE '^1 process: 1 running' "$T/lines"
    eventually grep -qE '^[0-9:]{8} web: running' "$T/lines"
    "$C" start --name db sleep 1000
    eventually grep -qE '^[0-9:]{8} db: running \(pid' "$T/lines"
    "$C" freeze web
    eventually grep -qE '^[0-9:]{8} web: frozen' "$T/lines"
    "$C" stop web
    eventually grep -qE '^[0-9:]{8} web: stopped' "$T/lines"
    kill "$pid"
    wait "$pid"
    [ "$(grep -cE ' db: running$' "$T/lines")" -le 1 ]
    run ! grep -q $'\033' "$T/lines"
}

@test "several agents in one view; one that goes away" {
    "$C" start --name web sleep 1000
    "$BIN/agent" --socket "$T/b.sock" --state-dir "$T/state-b" --cgroup "/$GROUP-b" 2>>"$T/agent.log" 3>&- &
    other=$!
    eventually "$C" --socket "$T/b.sock" ping
    "$C" --socket "$T/b.sock" start --name web sleep 1000
    run -0 --separate-stderr "$M" --once --json --interval 100ms -s "$HOLDEN_SOCKET" -s "$T/b.sock"
    [ "$(jq -r .socket <<<"$output" | sort | xargs)" = "$HOLDEN_SOCKET $T/b.sock" ]
    open_monitor 110x16 --interval 200ms -s "$HOLDEN_SOCKET" -s "$T/b.sock" --sort name
    expect_screen '^holden 2 agents: agent, b'
    expect_screen '^2 processes: 2 running'
    expect_screen '^agent +running .* web'
    expect_screen '^b +running .* web'
    keys End f
    expect_screen '^b +frozen .* web'
    is web frozen null
    kill "$other"
    wait "$other"
    expect_screen '^holden 2 agents: agent, agent gone, reconnecting.* b'
    "$C" start --name db sleep 1000
    expect_screen '^agent +running .* db'
    run "$M" --once -s "$HOLDEN_SOCKET" -s "$T/b.sock"
    expect 3
    one_line "no agent at $T/b.sock"
}

@test "what is recorded is shown again as it was" {
    "$C" start --name web -- sh -c 'while :; do :; done'
    "$M" --json --interval 100ms --record "$T/record" >"$T/live" 3>&- &
    pid=$!
    eventually sh -c "[ \$(wc -l <$T/live) -ge 5 ]"
    kill "$pid"
    wait "$pid"
    [ "$(stat -c %a "$T/record")" = 600 ]
    stop_agent
    run -0 --separate-stderr "$M" --json --replay "$T/record"
    [ "$output" = "$(cat "$T/live")" ]
    [ -z "$stderr" ]
    run -0 --separate-stderr "$M" --once --json --replay "$T/record"
    [ "$output" = "$(tail -1 "$T/live")" ]
    head -c -20 "$T/record" >"$T/cut"
    run -0 --separate-stderr "$M" --once --replay "$T/cut"
    [[ "$stderr" == *"$T/cut was cut"* && "$(wc -l <<<"$stderr")" -eq 1 ]]
    printf 'HldnRec\n\002\0\0\0\0\0\0\0' >"$T/newer"
    for file in newer none agent.log; do
        run "$M" --replay "$T/$file"
        expect 1
        one_line "$T/$file"
    done
    start_agent
    run "$M" --record /nonexistent/file --once
    expect 1
    one_line 'cannot record to /nonexistent/file: No such file'
}

# That a browser has all that it needs: it is well-formed, without scripts and without addresses.
is_page() {
    python3 - "$1" "$2" <<'END'
import sys, xml.dom.minidom
page = xml.dom.minidom.parse(sys.argv[1])
charts = page.getElementsByTagName("svg")
assert len(charts) >= int(sys.argv[2]), len(charts)
for chart in charts:
    lines = [path for path in chart.getElementsByTagName("path") if path.getAttribute("class") == "line"]
    assert len(lines) == 1 and lines[0].getAttribute("d").startswith("M"), chart.toxml()
for tag in ("script", "img", "link", "iframe"):
    assert not page.getElementsByTagName(tag), tag
assert "default-src 'none'" in page.getElementsByTagName("meta")[1].getAttribute("content")
for link in page.getElementsByTagName("a"):
    place = link.getAttribute("href")[1:]
    assert any(h.getAttribute("id") == place for h in page.getElementsByTagName("h2")), place
END
}

@test "a report from a recording, and from watching" {
    "$TESTS/recording" "$T" ten.rec two.rec many.rec
    run -0 "$M" report -o "$T/ten.html" "$T/ten.rec"
    [ -z "$output" ]
    is_page "$T/ten.html" 30
    grep -q 'MemoryMax 48M' "$T/ten.html"
    grep -q 'held back by its quota' "$T/ten.html"
    run ! grep -q $'\033' "$T/ten.html"
    run -0 "$M" report -o "$T/web.html" "$T/ten.rec" web
    [ "$(grep -c '<h2' "$T/web.html")" -eq 1 ]
    run -0 "$M" report -o "$T/many.html" "$T/many.rec"
    grep -q '50 of 10000 processes' "$T/many.html"
    "$C" start --name web -- sh -c 'while :; do :; done # <b>&amp;'
    "$C" start --name db sleep 1000
    run -0 "$M" report --output="$T/live.html" --for 1s web
    is_page "$T/live.html" 1
    grep -q '&lt;b&gt;&amp;amp;' "$T/live.html"
    run ! grep -q 'db' "$T/live.html"
    run "$M" report -o "$T/none.html" --for 1s nobody
    expect 4
    one_line "no process nobody in $HOLDEN_SOCKET"
    for arguments in "web" "-o x" "-o x $T/ten.rec $T/two.rec" "-o x --for 0 web" "-o x -s y $T/ten.rec"; do
        # shellcheck disable=SC2086
        run "$M" report $arguments
        expect 2
        one_line .
    done
    run "$M" report -o /nonexistent/x "$T/ten.rec"
    expect 1
    one_line 'cannot write the report /nonexistent/x'
    [[ "$("$M" report --help)" == *--output* ]]
}

@test "JSON goes on, sample after sample, and outlives the agent" {
    "$C" start --name one sleep 1000
    "$M" --json --interval 100ms >"$T/stream" 2>"$T/stream.err" 3>&- &
    pid=$!
    eventually sh -c "jq -e 'select(.sample > 1 and .rates.cpu != null)' $T/stream"
    jq -e -s '.[0].sample == 1 and .[0].rates == {}' "$T/stream"
    before=$(core)
    kill -KILL "$before"
    eventually sh -c "[ \$($C --json self | jq .pid) != $before ]"
    count=$(wc -l <"$T/stream")
    eventually sh -c "[ \$(wc -l <$T/stream) -gt $((count + 2)) ]"
    kill "$pid"
    wait "$pid" || true
    [ ! -s "$T/stream.err" ]
}

@test "wrong usage and a missing agent: one line and the exit status" {
    for arguments in "--csv --json" "--replay x --record y" "--speed 100" "--nothing" "--sort nothing" "--interval 1ms" "--interval soon" "--interval" "word"; do
        # shellcheck disable=SC2086
        run "$M" $arguments
        expect 2
        one_line .
    done
    for arguments in "" --once --json; do
        run "$M" --socket "$T/none" ${arguments:+"$arguments"}
        expect 3
        one_line "no agent at $T/none"
    done
    run -0 env HOLDEN_SOCKET="$T/none" "$M" --help
    [[ "$output" == *--interval* && "$output" == *memory* && "$output" == *constrain* ]]
    run -0 env HOLDEN_SOCKET="$T/none" "$M" --version
    one_line '^holden [0-9]'
}

@test "without a terminal that can show a screen: one line with advice" {
    run "$M" </dev/null
    expect 2
    one_line 'terminal; use --once'
    for type in "" dumb no-such-terminal; do
        TERM=$type run script -qec "$M" /dev/null </dev/null
        expect 2
        [[ "$output" == *"TERM"*"use --once"* ]]
    done
}

@test "the screen shows what runs and follows what happens" {
    "$C" start --name web sleep 1000
    open_monitor 120x20 --interval 10
    expect_screen '^holden agent [0-9]+ \(.*\) at '
    expect_screen '^1 process: 1 running'
    expect_screen '^running +[0-9]+ root .* web +sleep 1000'
    "$C" start --name db sleep 1000
    expect_screen '^2 processes: 2 running'
    "$C" freeze web
    expect_screen '^frozen .* web '
    "$C" stop web
    expect_screen '^1 process: 1 running'
    expect_no ' web '
    keys q
    eventually test -s "$T/status"
    [ "$(cat "$T/status")" = 0 ]
}

@test "stop asks first; no leaves it, yes does it" {
    "$C" start --name web sleep 1000
    open_monitor 100x12
    expect_screen ' web '
    keys s
    expect_screen '^stop web and all its children\? \[y/n\]'
    keys n
    expect_no 'y/n'
    is web state running
    keys s
    expect_screen 'y/n'
    keys y
    expect_screen 'stopped web'
    is web state stopped
    expect_screen 'no processes'
    keys s
    expect_screen 'no process is selected'
}

@test "freeze and thaw act on the same process, wherever it sorts" {
    "$C" start --name busy -- sh -c 'while :; do :; done'
    "$C" start --name idle sleep 1000
    open_monitor 100x12 --interval 200ms
    expect_screen '^running .* [1-9][0-9.]+ .* busy'
    keys f
    expect_screen '^frozen .* busy'
    is busy frozen true
    expect_screen '^frozen .* 0.0 .* busy'
    keys f
    expect_screen '^running .* busy'
    [ "$("$C" --json status idle | jq .frozen)" != true ]
    [ "$("$C" --json status busy | jq .frozen)" != true ]
}

@test "constrain: a form that takes limits, refuses nonsense, and can be left" {
    "$C" start --name web sleep 1000
    open_monitor 120x12
    expect_screen ' web '
    keys c
    expect_screen '^constrain web .*\.\.\.\):$'
    keys 'NoSuch=1' Enter
    expect_screen '^no property NoSuch'
    expect_screen '^constrain web .*: NoSuch=1'
    keys C-u
    expect_no 'no property'
    keys Escape
    expect_no '^constrain web'
    keys c
    expect_screen '^constrain web'
    keys '100 50 TasksMax=77' Enter
    if has_controller memory; then
        expect_screen 'web: would be MemoryMax=100M .*CPUQuota=50%.*TasksMax=77'
        expect_screen '^constrain web so\? \[y/n\]'
        [ "$("$C" --json status web | jq .properties.MemoryMax)" = null ]
        keys y
        expect_screen 'web: MemoryMax=100M .*CPUQuota=50%.*TasksMax=77'
        [ "$("$C" --json status web | jq .properties.MemoryMax)" = 104857600 ]
        expect_screen '/100M .* 1/77 '
        keys c
        expect_screen '^constrain web'
        keys '200' Enter
        expect_screen '^constrain web so'
        keys n
        expect_no '^constrain web so'
        [ "$("$C" --json status web | jq .properties.MemoryMax)" = 104857600 ]
        keys u
        expect_screen 'web: MemoryMax=infinity .*TasksMax=infinity'
        expect_no '/100M'
        [ "$("$C" --json status web | jq .properties.MemoryMax)" != 104857600 ]
        keys u
        expect_screen 'no limits were changed from here'
    else
        expect_screen 'cannot constrain web: '
    fi
}

@test "a signal from the menu, after a question" {
    "$C" start --name web -- sh -c 'trap "echo heard hup" HUP; while :; do sleep 0.05; done'
    open_monitor 100x30
    expect_screen ' web '
    keys F9
    expect_screen '^15 SIGTERM'
    keys h Enter
    expect_screen '^send SIGHUP to web\? \[y/n\]'
    keys n
    expect_no 'y/n'
    keys x k Escape
    expect_no 'Send signal'
    keys x h Enter y
    expect_screen '^signalled web'
    expect_screen 'heard hup'
    expect_screen 'signalled: HUP'
    is web state running
}

@test "the mouse selects, sorts, scrolls and presses keys" {
    for i in {1..14}; do echo "start --name p$i sleep 1000"; done | xargs -L1 -P4 "$C" >/dev/null
    open_monitor 100x16 --sort name
    expect_screen ' p1 +sleep'
    # As xterm(1) tells of a press and a release: button, column and line, each 32 (or 33) higher.
    mouse() { keys -l "$(printf '\033[M%b%b%b' "\\$(printf %03o $((32 + $1)))" "\\$(printf %03o $((33 + $2)))" "\\$(printf %03o $((33 + $3)))")"; }
    click() { mouse 0 "$@"; mouse 3 "$@"; }
    line=$(screen | grep -n ' p12 ' | cut -d: -f1)
    click 5 $((line - 1))
    keys s
    expect_screen '^stop p12 '
    keys n
    line=$(screen | grep -n '^STATE' | cut -d: -f1)
    click 9 $((line - 1))
    keys Home s
    expect_screen '^stop p[0-9]+ '
    [ "$(screen | grep -oE '^stop p[0-9]+')" != "stop p12" ]
    keys n Home
    expect_screen '^s Stop'
    sixth=$(screen | grep -oE ' p[0-9]+ ' | sed -n '7s/ //gp')
    mouse 65 5 8
    mouse 65 5 8
    keys s
    expect_screen '^stop p[0-9]+ '
    [ "$(screen | grep -oE '^stop p[0-9]+')" = "stop $sixth" ]
    keys n
    expect_screen '^s Stop'
    click "$(($(screen | tail -1 | grep -bo 'Help' | cut -d: -f1)))" 15
    expect_screen '^Keys and columns'
}

@test "a tree by slice and by user, and a menu of columns" {
    "$C" start --name web -p Slice=app-web.slice sleep 1000
    "$C" start --name db -p Slice=app.slice -p User=nobody sleep 1000
    "$C" start --name cache sleep 1000
    open_monitor 100x20 --interval 200ms --sort name
    eventually in_order "cache db web"
    keys t
    expect_screen '\(no slice\): 1 process'
    expect_screen '^. app.slice: 2 processes, CPU'
    expect_screen '^  . app-web.slice: 1 process, CPU'
    keys Home s
    expect_screen 'no process is selected'
    keys Down s
    expect_screen '^stop cache'
    keys n t
    expect_screen 'nobody: 1 process'
    expect_screen 'root: 2 processes'
    keys t
    expect_no 'root: '
    keys S n
    expect_screen '^Sort by:'
    keys Enter R
    eventually in_order "web db cache"
}

@test "kill asks and ends it; restart starts it again" {
    "$C" start --name web sleep 1000
    open_monitor 100x12 --all
    expect_screen ' web '
    first=$("$C" --json status web | jq .pid)
    keys r
    expect_screen '^restart web\? \[y/n\]'
    keys y
    expect_screen 'restarted web \(pid [0-9]+\)'
    [ "$("$C" --json status web | jq .pid)" != "$first" ]
    first=$("$C" --json status web | jq .pid)
    keys K
    expect_screen 'SIGKILL\? \[y/n\]'
    keys Escape
    expect_no 'SIGKILL'
    keys K
    expect_screen 'SIGKILL\? \[y/n\]'
    keys y
    expect_screen '^(failed|stopped) .* web'
    keys s
    expect_screen 'cannot stop web: it has ended'
    keys r
    expect_screen '^restart web'
    keys y
    expect_screen 'restarted web \(pid [0-9]+\)'
    is web state running
    [ "$("$C" --json status web | jq .pid)" != "$first" ]
}

@test "sorting, filtering, ended ones, moving about, help" {
    "$C" start --name web sleep 1000
    "$C" start --name db sleep 1000
    "$C" start --name cache sleep 1000
    "$C" run --name over true
    open_monitor 100x16 --interval 200ms
    expect_screen ' db '
    keys N
    eventually in_order "cache db web"
    keys R
    eventually in_order "web db cache"
    keys T
    eventually in_order "web db cache"
    keys '<'
    keys '>'
    eventually in_order "web db cache"
    keys / c a
    expect_screen '^filter: ca'
    eventually in_order "cache"
    keys Enter
    expect_screen '1 match "ca"'
    keys / Escape
    eventually in_order "web db cache"
    keys a
    expect_screen '^exited .* over '
    keys a
    expect_no ' over '
    keys End s
    expect_screen '^stop cache'
    keys n Up s
    expect_screen '^stop db'
    keys n Home s
    expect_screen '^stop web'
    keys n '?'
    expect_screen '^Keys and columns'
    keys PgDn PgDn PgDn
    expect_screen '^STALL '
    keys Escape
    expect_screen '^STATE '
}

@test "an agent that is killed and comes back" {
    "$C" start --name web sleep 1000
    open_monitor 100x12 --interval 100ms
    before=$(core)
    expect_screen "^holden agent $before "
    kill -KILL "$before"
    eventually sh -c "[ \$($C --json self | jq .pid) != $before ]"
    expect_screen "^holden agent $(core) "
    expect_screen ' web '
    "$C" stop web
    expect_no ' web '
}

@test "no agent at all for a while" {
    "$C" start --name web sleep 1000
    open_monitor 100x12 --interval 100ms --all
    expect_screen ' web'
    stop_agent
    expect_screen '^holden agent gone, reconnecting\.\.\. '
    expect_screen '^stopped .* web'
    keys r
    expect_screen 'y/n'
    keys y
    expect_screen 'cannot restart web: the agent is gone'
    start_agent
    expect_screen '^holden agent [0-9]+ '
    expect_no ' web'
    "$C" start --name db sleep 1000
    expect_screen ' db '
}

@test "a silent agent holds up no key" {
    "$C" start --name web sleep 1000
    open_monitor 100x12 --interval 100ms
    expect_screen ' web '
    pid=$(core)
    kill -STOP "$pid"
    expect_screen '^holden agent silent for [0-9]+ s'
    keys '?'
    expect_screen '^Keys and columns'
    keys Escape
    kill -CONT "$pid"
    expect_screen "^holden agent $pid "
}

@test "any size of the terminal" {
    for i in 1 2 3; do "$C" start --name "process-with-a-name-$i" sleep 1000; done
    open_monitor 100x12 --interval 100ms
    expect_screen 'name-3'
    for size in 80x24 40x8 20x5 10x3 5x2 2x2 300x5 80x3 80x24; do
        tmux -S "$T/tmux" resize-window -x "${size%x*}" -y "${size#*x}"
        keys s n j k PageDown '?' Escape
    done
    expect_screen 'name-3'
    expect_screen '^s Stop'
    [ -e "/proc/$(cat "$T/pid")" ]
}

@test "the terminal is given back however it ends" {
    for way in q C-c TERM HUP; do
        rm -f "$T/pid" "$T/status" "$T/after"
        open_monitor 80x10
        expect_screen '^holden agent'
        case $way in
        q | C-c) keys $way ;;
        *) kill -$way "$(cat "$T/pid")" ;;
        esac
        expect_screen '^closed'
        [ "$(cat "$T/status")" = 0 ]
        cmp "$T/before" "$T/after"
        [ "$(tmux -S "$T/tmux" display-message -p '#{alternate_on} #{cursor_flag}')" = "0 1" ]
        tmux -S "$T/tmux" kill-server
        rm -f "$T/tmux"
    done
}

@test "a terminal that vanishes takes the monitor with it" {
    open_monitor 80x10
    expect_screen '^holden agent'
    tmux -S "$T/tmux" kill-server
    eventually test ! -e "/proc/$(cat "$T/pid")"
}

@test "colours, and none with NO_COLOR or --no-color" {
    "$C" start --name web sleep 1000
    open_monitor 80x10
    expect_screen ' web'
    is_coloured
    keys q
    expect_screen closed
    tmux -S "$T/tmux" kill-server
    for no in "--no-color" "NO_COLOR"; do
        rm -f "$T/pid" "$T/tmux"
        if [ $no = NO_COLOR ]; then NO_COLOR=1 open_monitor 80x10; else open_monitor 80x10 $no; fi
        expect_screen ' web'
        run ! is_coloured
        tmux -S "$T/tmux" kill-server
        eventually test ! -e "/proc/$(cat "$T/pid")"
    done
}

@test "what a process calls itself cannot steer the terminal" {
    "$C" start --name evil -- sh -c $': \033[2J\033[31mred\a wörld 日本; sleep 1000'
    LC_ALL=C.UTF-8 open_monitor 140x10 --interval 100ms
    expect_screen ' evil .*\?\[2J\?\[31mred\? wörld 日本'
    keys q
    expect_screen closed
    tmux -S "$T/tmux" kill-server
    rm -f "$T/pid" "$T/tmux"
    LC_ALL=C open_monitor 140x10 --interval 100ms
    expect_screen ' evil .*\?\[2J\?\[31mred\? w\?\?rld'
    is_ascii
    run -0 "$M" --once --interval 50ms
    [[ "$output" != *$'\033'* ]]
}

@test "who may not talk to the agent reads so, whenever the agent closes" {
    chmod 666 "$HOLDEN_SOCKET"
    for i in {1..20}; do
        run setpriv --reuid 12346 --regid 12346 --clear-groups -- "$M" --once
        expect 5
        one_line 'cannot reach the agent|refuses'
    done
}
