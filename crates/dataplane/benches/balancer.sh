#!/usr/bin/env bash
# Compares our balancer with nginx and HAProxy: requests a second and CPU time a request, same upstream, same client, one after another.
# Needs nginx, haproxy, wrk, curl. Usage: balancer.sh BINARY [SECONDS] [CONNECTIONS]; BINARY is an optimised `gennaker` (or the crate's example `plane`).
set -euo pipefail

binary=$(readlink -f "${1:?usage: balancer.sh BINARY [SECONDS] [CONNECTIONS]}")
seconds=${2:-5}
connections=${3:-64}
for tool in nginx haproxy wrk curl; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install nginx-light haproxy wrk curl" >&2; exit 2; }
done
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
chmod 700 "$work"
started=()
finish() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

base=$((20000 + RANDOM % 20000))
up=$base nginx=$((base + 1)) haproxy=$((base + 2)) ours=$((base + 3))
cores=$(nproc)
body=$(head -c 1024 /dev/zero | tr '\0' x)

cat >"$work/up.conf" <<EOF
daemon off; worker_processes $cores; pid $work/up.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000;
  server { listen 127.0.0.1:$up backlog=4096; location / { return 200 "$body"; } } }
EOF
cat >"$work/nginx.conf" <<EOF
daemon off; worker_processes $cores; pid $work/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000;
  upstream u { server 127.0.0.1:$up; keepalive 256; keepalive_requests 1000000; }
  server { listen 127.0.0.1:$nginx backlog=4096;
    location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For \$remote_addr; } } }
EOF
cat >"$work/haproxy.cfg" <<EOF
global
  nbthread $cores
  maxconn 4096
defaults
  mode http
  timeout connect 3s
  timeout client 60s
  timeout server 60s
  http-reuse always
  option forwardfor
listen l
  bind 127.0.0.1:$haproxy
  server u 127.0.0.1:$up
EOF
mkdir -m 700 "$work/data"
cat >"$work/data/wanted.json" <<EOF
{"schema":1,"generation":1,"balancers":[{"id":"bench","listeners":[{"address":"127.0.0.1:$ours","protocol":"http"}],
 "members":[{"id":"u","group":"g","address":"127.0.0.1:$up"}]}]}
EOF

start() { "$@" >"$work/log" 2>&1 & started+=($!); last=$!; }
start nginx -c "$work/up.conf" -e stderr
start nginx -c "$work/nginx.conf" -e stderr; nginx_pid=$last
start haproxy -f "$work/haproxy.cfg" -db; haproxy_pid=$last
case $binary in
    */plane) start "$binary" serve "$work/data" ;;
    *) start "$binary" dataplane --dir "$work/data" ;;
esac
ours_pid=$last
for port in $up $nginx $haproxy $ours; do
    for _ in $(seq 100); do curl -fs -o /dev/null "127.0.0.1:$port/" && break || sleep 0.05; done
done

# CPU ticks of a process and its children.
ticks() { for pid in "$1" $(pgrep -P "$1" || true); do cut -d' ' -f14,15 "/proc/$pid/stat"; done | awk '{n += $1 + $2} END {print n}'; }

measure() { # name port pid
    wrk -t1 -c"$connections" -d1s "http://127.0.0.1:$2/" >/dev/null
    local before after report
    before=$(ticks "$3")
    report=$(wrk -t1 -c"$connections" -d"${seconds}s" --latency "http://127.0.0.1:$2/")
    after=$(ticks "$3")
    echo "$report" | awk -v name="$1" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        /requests in/ {n = $1} /Requests\/sec/ {rate = $2} /99%/ {p99 = $2} /Non-2xx/ {bad = $NF} /Socket errors/ {bad = $0}
        END {printf "%-8s %10.0f requests/s  %6.1f us CPU a request  p99 %s%s\n", name, rate, ticks / hz / n * 1e6, p99, bad ? "  FAILED: " bad : ""}'
}
measure nginx "$nginx" "$nginx_pid" | tee -a "$work/results"
measure haproxy "$haproxy" "$haproxy_pid" | tee -a "$work/results"
measure gennaker "$ours" "$ours_pid" | tee -a "$work/results"
awk '{cpu[$1] = $4} END {printf "CPU time a request: %.2f of nginx, %.2f of haproxy\n", cpu["gennaker"] / cpu["nginx"], cpu["gennaker"] / cpu["haproxy"]}' "$work/results"
