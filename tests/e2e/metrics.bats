#!/usr/bin/env bats
# Metrics, as Prometheus and its tools read them: by its own check, its own parsers, and a real one that scrapes
# and answers.

load helper

needs() {
    command -v "$1" >/dev/null || skip "no $1 here: packages.txt names its package"
}

leftovers() {
    local pid
    for pid in ${SERVERS:-}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# The value of the one sample with this name and these labels, as they are printed.
value() {
    awk -v sample="$1" '{ at = index($0, "} "); name = at ? substr($0, 1, at) : $1 }
        name == sample { print $NF }' "$T/metrics"
}

@test "units, types and names by the conventions; every family together, with its metadata" {
    "$C" start --name web sleep 1000
    "$C" start --name ends false
    eventually is ends state failed
    "$C" metrics >"$T/metrics"
    [ "$(tail -n 1 "$T/metrics")" = "# EOF" ]
    [ "$(value 'holden_processes{state="running"}')" -eq 1 ]
    [ "$(value 'holden_processes{state="failed"}')" -eq 1 ]
    [ "$(value 'holden_starts_total')" -eq 2 ]
    [ "$(value 'holden_ends_total{cause="exited"}')" -eq 1 ]
    grep -qx '# TYPE holden_process_cpu_seconds counter' "$T/metrics"
    grep -qx '# UNIT holden_process_cpu_seconds seconds' "$T/metrics"
    grep -q '^holden_process_cpu_seconds_total{name="web"} 0\.[0-9]*$' "$T/metrics"
    grep -q '^holden_process_info{name="web",id="1",uid="0",slice=""} 1$' "$T/metrics"
    grep -q '^holden_agent_info{version="[^"]*",cgroup="'"$CGROUP"'"} 1$' "$T/metrics"
    # What has ended has no figures.
    [ "$(grep -c 'name="ends"' "$T/metrics")" -eq 0 ]
    # A family's metadata come once, and nothing of another comes between its samples.
    [ -z "$(awk '/^# TYPE/ { print $3 }' "$T/metrics" | sort | uniq -d)" ]
}

@test "Prometheus' parser of OpenMetrics takes it" {
    needs promtool
    "$C" start --name web sleep 1000
    "$C" metrics >"$T/metrics"
    # It wants to know when.
    sed '/^#/! s/$/ '"$(date +%s)"'/' "$T/metrics" >"$T/timed"
    promtool tsdb create-blocks-from openmetrics "$T/timed" "$T/blocks" >"$T/said"
    # It tells how many samples it has made of it: one of each line.
    grep -qE "  +$(grep -vc '^#' "$T/metrics")  +" "$T/said"
}

@test "--textfile writes the older format, in one step, and says why it cannot" {
    needs promtool
    "$C" start --name web sleep 1000
    run "$C" metrics --textfile "$T/holden.prom"
    expect 0
    [ -z "$output" ]
    promtool check metrics <"$T/holden.prom"
    grep -qx '# TYPE holden_process_cpu_seconds_total counter' "$T/holden.prom"
    grep -qx '# TYPE holden_agent_info gauge' "$T/holden.prom"
    [ "$(grep -cE '^# (EOF|UNIT)' "$T/holden.prom")" -eq 0 ]
    [ "$(stat -c %a "$T/holden.prom")" = 644 ]
    [ ! -e "$T/holden.prom.new" ]
    run "$C" metrics --textfile "$T/none/holden.prom"
    expect 1
    one_line "cannot write $T/none/holden.prom: No such file or directory"
}

# A port that nobody listens on, found by trying.
serve() {
    local port
    for _ in $(seq 20); do
        port=$((20000 + RANDOM % 20000))
        ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue
        "${@//PORT/$port}" >>"$T/servers.log" 2>&1 3>&- &
        PORT=$port
        SERVERS="${SERVERS:-} $!"
        return
    done
    return 1
}

answers() {
    promtool query instant "http://127.0.0.1:$PORT" "$1" | grep -q "$2"
}

@test "Prometheus scrapes it through node_exporter, and answers about it" {
    needs prometheus
    needs prometheus-node-exporter
    mkdir "$T/textfiles"
    "$C" start --name web -- sh -c 'while :; do :; done'
    # shellcheck disable=SC2016
    "$C" start --name writer -- sh -c \
        'while :; do "$0" --socket "$1" metrics --textfile "$2"; sleep 0.2; done' \
        "$C" "$HOLDEN_SOCKET" "$T/textfiles/holden.prom"
    eventually test -s "$T/textfiles/holden.prom"
    serve prometheus-node-exporter --web.listen-address=127.0.0.1:PORT --collector.disable-defaults \
        --collector.textfile --collector.textfile.directory="$T/textfiles"
    cat >"$T/prometheus.yml" <<END
global: {scrape_interval: 1s}
scrape_configs: [{job_name: node, static_configs: [{targets: ["127.0.0.1:$PORT"]}]}]
END
    serve prometheus --config.file="$T/prometheus.yml" --storage.tsdb.path="$T/tsdb" \
        --web.listen-address=127.0.0.1:PORT
    eventually answers 'node_textfile_scrape_error' '=> 0 '
    eventually answers 'holden_process_info{name="web"}' 'name="web".* => 1 '
    eventually answers 'rate(holden_process_cpu_seconds_total{name="web"}[10s]) > 0.05' 'name="web"'
}
