#!/usr/bin/env bats
# What the monitor's screen looks like, in a terminal of tmux: recordings that stand still, compared
# with tests/e2e/screens. HOLDEN_SCREENS=write writes these anew.

load helper
bats_require_minimum_version 1.5.0

M=$BIN/monitor
SCREENS=$ROOT/tests/e2e/screens
# LeakSanitizer finds ncurses' own.
! sanitized || export ASAN_OPTIONS=detect_leaks=0

# No agent: it is all recorded.
setup() {
    prepare
    : >"$T/agent.log"
    "$TESTS/recording" "$T" ten.rec two.rec
}

capture() {
    tmux -S "$T/tmux" capture-pane -p
}

keys() {
    tmux -S "$T/tmux" send-keys "$@"
}

shows() {
    capture | grep -qE -- "$1"
}

# Runs the monitor with the arguments in a terminal of 80x24.
open_monitor() {
    TZ=UTC tmux -S "$T/tmux" -u -f /dev/null new-session -d -x 80 -y 24 \
        "TZ=UTC LC_ALL=${LOCALE:-C.UTF-8} $M --replay $* --paused 2>$T/err" 3>&-
    eventually shows '^holden replay'
}

is_like() {
    capture | cmp -s - "$1"
}

# Whether two looks in a row see the same, which is no guess: it is compared afterwards.
rests() {
    capture >"$T/look"
    sleep 0.2
    is_like "$T/look"
}

# Compares the screen with the file of that name at each of three sizes.
compare() {
    local file size status=0
    for size in 80x24 120x40 200x60; do
        file=$SCREENS/$1.$size
        tmux -S "$T/tmux" resize-window -x "${size%x*}" -y "${size#*x}"
        if [ "${HOLDEN_SCREENS:-}" = write ]; then
            mkdir -p "$SCREENS"
            eventually rests
            capture >"$file"
        elif ! eventually is_like "$file" >/dev/null; then
            echo "$1 at $size is another:"
            capture | diff "$file" - || status=1
        fi
    done
    tmux -S "$T/tmux" kill-server
    rm -f "$T/tmux"
    return "$status"
}

@test "the table, and a process near its limits" {
    open_monitor "$T/ten.rec" --at 9min --sort name
    keys End Up
    compare table
}

@test "a process that its quota holds back, and ended ones" {
    open_monitor "$T/ten.rec" --at 10min --sort name --all
    keys Home Down Down Down Down
    compare throttled
}

@test "the beginning of a recording" {
    open_monitor "$T/ten.rec" --at 0
    compare beginning
}

@test "trees by slice and by user" {
    open_monitor "$T/ten.rec" --at 5min --sort name
    keys t Down
    compare slices
    open_monitor "$T/ten.rec" --at 5min --sort name
    keys t t Home
    compare users
}

@test "help" {
    open_monitor "$T/ten.rec"
    keys '?'
    compare help
}

@test "the menu of columns" {
    open_monitor "$T/ten.rec" --sort name
    keys S Up Up
    compare menu
}

@test "a filter that is being typed, and one that nothing matches" {
    open_monitor "$T/ten.rec" --at 9min --sort name
    keys / c h
    compare filter
    open_monitor "$T/ten.rec" --at 9min --sort name
    keys / x y z Enter
    compare nothing
}

@test "plain ASCII" {
    LOCALE=C open_monitor "$T/ten.rec" --at 9min --sort name
    keys End Up
    compare ascii
    run ! grep -lP '[^\n -~]' "$SCREENS"/ascii.*
}

@test "several agents, one of them gone" {
    open_monitor "$T/two.rec" --at 1min --sort name
    keys End
    compare agents
}

@test "without the pane" {
    open_monitor "$T/ten.rec" --at 9min
    keys Enter
    compare plain
}

@test "colours mean something" {
    open_monitor "$T/ten.rec" --at 9min --sort name
    line() { tmux -S "$T/tmux" capture-pane -ep | grep -F "$1"; }
    eventually sh -c "tmux -S $T/tmux capture-pane -p | grep -q cache"
    [[ "$(line batch)" == *36m*frozen*36m*1220* ]]
    [[ "$(line cache)" == *32m*running*33m*473M/500M* ]]
    [[ "$(line checksums)" == *33m*' 20.2'* ]]
    [[ "$(line flaky)" == *33m*backoff* ]]
    keys a
    eventually shows broken
    [[ "$(line broken)" == *31m*failed*31m*broken* ]]
}

@test "ten thousand processes fit into 32 MB, ten minutes of each" {
    ! sanitized || skip "sanitizers need memory of their own"
    "$TESTS/recording" "$T" many.rec
    open_monitor "$T/many.rec" --at 10min --sort name
    eventually shows '^10000 processes: 10000 running'
    keys t
    eventually shows 'app.slice: 10000 processes'
    keys t t End
    eventually shows ' process-10000'
    pid=$(tmux -S "$T/tmux" list-panes -F '#{pane_pid}')
    [ "$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")" -le 32768 ]
}

@test "no size breaks the screen, and keys move a replay" {
    open_monitor "$T/ten.rec" --at 9min
    for size in 1x1 2x2 5x3 20x6 40x10 79x23 300x100 500x20 80x24; do
        tmux -S "$T/tmux" resize-window -x "${size%x*}" -y "${size#*x}"
        keys Down Enter t
    done
    eventually shows '^holden replay 9:00 of 10:00, paused'
    keys Right Right
    eventually shows '^holden replay 9:20 of 10:00, paused'
    keys Left
    eventually shows '^holden replay 9:10 of 10:00, paused'
    keys s
    eventually shows 'this is a recording'
    keys ']' ']' ']' ']' ']' p
    eventually shows '^holden replay 10:00 of 10:00, 32x'
    keys q
    eventually test ! -s "$T/err"
}
