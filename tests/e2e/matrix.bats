#!/usr/bin/env bats
# Every setting with every kind of bad value: one line that names it, the right exit status, and nothing that
# runs.

load helper

# What a setting is given: kind, a tab, the value as $'...' has it.
KINDS='empty	
huge	99999999999999999999999999
negative	-1
not-utf8	\xff\xfe
wrong-unit	5 parsecs
control	a\tb\x01c
quote	"
long	'$(printf 'x%.0s' {1..5000})

# Those whose values are numbers, times or sizes, which none of these kinds is.
NUMBERS='MemoryMax MemoryHigh CPUQuota CPUWeight TasksMax IOWeight RuntimeMaxSec TimeoutStopSec OOMScoreAdjust
    LimitNOFILE LimitCORE LimitCPU LimitNICE TimerSlackNSec UMask KillSignal CPUSchedulingPriority'

# Makes directories in /var, /run and /etc, so that these are only verified.
makes_directories() {
    [[ "$1" =~ ^(Runtime|State|Cache|Logs|Configuration)Directory$ ]]
}

settings() {
    "$C" properties --json | jq -r .name
}

# Fails unless the outcome of one cell is a good one.
judge() {
    local cell=$1 name=$2 status=$3 said=$4 control=$'*[\001-\037\177]*'
    case $status in
    0) [ -z "$said" ] || { echo "$cell: succeeds and says $said"; return 1; } ;;
    1 | 2)
        [[ "$said" == 'controller: '*"$name"* ]] || { echo "$cell: does not name it: $said"; return 1; }
        # shellcheck disable=SC2053 # a pattern
        [[ "$said" != $control ]] || { echo "$cell: more than one line, or raw: $said"; return 1; }
        ;;
    *) echo "$cell: exit status $status: $said" && return 1 ;;
    esac
}

@test "a start with a bad value for each setting" {
    local cells=0 kind text value name names status said
    names=$(settings)
    while IFS=$'\t' read -r kind text; do
        [[ $kind =~ ^(huge|not-utf8|control)$ ]] || continue
        eval "value=\$'$text'"
        for name in $names; do
            ! makes_directories "$name" || continue
            status=0
            said=$(timeout 20 "$C" start --wait -p "$name=$value" -- true 2>&1 >"$T/out") || status=$?
            judge "$name, $kind" "$name" "$status" "$said"
            [ "$kind" != not-utf8 ] || [ "$status" -eq 2 ] || { echo "$name takes what is not UTF-8"; return 1; }
            cells=$((cells + 1))
        done
    done <<<"$KINDS"
    [ "$cells" -gt 400 ]
    [ "$("$C" list | wc -l)" -eq 1 ]
}

@test "a unit file with a bad value of each kind for each setting: each is told by its line" {
    local kind text value name said refused written
    while IFS=$'\t' read -r kind text; do
        eval "value=\$'$text'"
        printf '[Service]\nExecStart=/bin/true\n' >"$T/all.service"
        for name in $(settings); do
            printf '%s=%s\n' "$name" "$value" >>"$T/all.service"
        done
        mapfile -t written <"$T/all.service"
        status=0
        said=$("$C" verify "$T/all.service" 2>&1 >"$T/out") || status=$?
        [ "$status" -le 1 ] || { echo "$kind: status $status: $said"; return 1; }
        refused=' '
        while IFS= read -r line; do
            [ -n "$line" ] || continue
            [[ "$line" =~ ^controller:\ $T/all.service:([0-9]+):\ (warning:\ )?(.*)$ ]] || { echo "$kind: $line"; return 1; }
            name=${written[BASH_REMATCH[1] - 1]%%=*}
            [[ "${BASH_REMATCH[3]}" == "$name"* || "${BASH_REMATCH[3]}" == "not UTF-8" ||
                "${BASH_REMATCH[3]}" == *control* ]] || { echo "$kind: not about $name: $line"; return 1; }
            [[ "$refused" != *" $name "* ]] || { echo "$kind: $name told twice: $line"; return 1; }
            refused+="$name "
        done <<<"$said"
        [ "$kind" != empty ] || continue
        [ "$status" -eq 1 ]
        # What is no text is not read on.
        [ "$kind" != not-utf8 ] || { [ "$said" = "controller: $T/all.service:3: not UTF-8" ] && continue; }
        for name in $NUMBERS; do
            [ "$kind:$name" != negative:OOMScoreAdjust ] || continue
            [ "$kind:$name" != negative:LimitNICE ] || continue
            [[ "$refused" == *" $name "* ]] || { echo "$kind: $name is taken"; return 1; }
        done
    done <<<"$KINDS"
    "$C" ping
}

@test "settings that contradict each other are refused by name, and nothing is started" {
    local arguments pattern
    while IFS='|' read -r arguments pattern; do
        eval "run \"\$C\" start $arguments -- true"
        [ "$status" -ne 0 ] || { echo "$arguments: taken"; return 1; }
        [ "${#lines[@]}" -eq 1 ] || { echo "$arguments: not one line: $output"; return 1; }
        [[ "$output" =~ $pattern ]] || { echo "$arguments: $output"; return 1; }
    done <<'ROWS'
-p SystemCallFilter=read -p SystemCallLearn=yes|SystemCallLearn
-p Type=forking -p ExecStartPost=/bin/true -p Type=sideways|Type
-p CPUSchedulingPolicy=other -p CPUSchedulingPriority=50|CPUScheduling
ROWS
    [ "$("$C" list -a | wc -l)" -eq 1 ]
}

@test "of a setting given twice the later counts; a list grows; empty begins anew" {
    [ "$("$C" run -p Nice=5 -p Nice=7 -- sh -c 'nice')" -eq "$(($(nice) + 7))" ] ||
        [ "$("$C" run -p Nice=5 -p Nice=7 -- sh -c 'nice')" -eq 7 ]
    [ "$("$C" run -p Environment=A=1 -p Environment=B=2 -- sh -c 'echo $A$B')" = 12 ]
    [ "$("$C" run -p Environment=A=1 -p Environment= -p Environment=B=2 -- sh -c 'echo $A$B')" = 2 ]
    [ "$("$C" run -p UMask=077 -p UMask= -- sh -c umask)" = 0022 ]
}
