#!/usr/bin/env bash
# Compares our balancer with nginx and HAProxy: requests a second and CPU time a request for 1 KiB, 1 MiB and 1 KiB by TLS, and the memory
# that 10,000 idle connections take; same upstream, same client, one after another.
# Needs nginx, haproxy, wrk, curl, openssl, python3. Usage: balancer.sh BINARY [SECONDS] [CONNECTIONS]; BINARY is an optimised `gennaker` (or the crate's example `plane`).
set -euo pipefail

binary=$(readlink -f "${1:?usage: balancer.sh BINARY [SECONDS] [CONNECTIONS]}")
seconds=${2:-5}
connections=${3:-64}
for tool in nginx haproxy wrk curl openssl python3; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install nginx-light haproxy wrk curl openssl python3" >&2; exit 2; }
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
# Each one's TLS port lies ten above.
cores=$(nproc)
body=$(head -c 1024 /dev/zero | tr '\0' x)

mkdir "$work/www"
head -c 1048576 /dev/zero >"$work/www/big"
chmod 755 "$work" "$work/www"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
cat "$work/cert.pem" "$work/key.pem" >"$work/both.pem"

cat >"$work/up.conf" <<EOF
daemon off; worker_processes $cores; pid $work/up.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000;
  server { listen 127.0.0.1:$up backlog=4096; location / { return 200 "$body"; } location = /big { root $work/www; } } }
EOF
cat >"$work/nginx.conf" <<EOF
daemon off; worker_processes $cores; pid $work/nginx.pid; error_log stderr crit;
worker_rlimit_nofile 20000;
events { worker_connections 16384; }
http { access_log off; keepalive_requests 1000000;
  ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;
  upstream u { server 127.0.0.1:$up; keepalive 256; keepalive_requests 1000000; }
  server { listen 127.0.0.1:$nginx backlog=4096; listen 127.0.0.1:$((nginx + 10)) ssl;
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
  bind 127.0.0.1:$((haproxy + 10)) ssl crt $work/both.pem
  server u 127.0.0.1:$up
EOF
mkdir -m 700 "$work/data"
cat >"$work/data/wanted.json" <<EOF
{"schema":1,"generation":1,"balancers":[{"id":"bench","listeners":[{"address":"127.0.0.1:$ours","protocol":"http"},
  {"address":"127.0.0.1:$((ours + 10))","protocol":"http","certificates":[{"certificate":"$work/cert.pem","key":"$work/key.pem"}]}],
 "members":[{"id":"u","group":"g","address":"127.0.0.1:$up"}]}]}
EOF

start() { "$@" >"$work/log" 2>&1 & started+=($!); last=$!; }
start nginx -c "$work/up.conf" -e stderr
start nginx -c "$work/nginx.conf" -e stderr; nginx_pid=$last
start haproxy -f "$work/haproxy.cfg" -db; haproxy_pid=$last
case $binary in
    */plane) start "$binary" serve "$work/data" ;;
    # As `gennaker serve` starts it.
    *) start env MIMALLOC_ALLOW_THP=0 "$binary" dataplane --dir "$work/data" ;;
esac
ours_pid=$last
for port in $up $nginx $haproxy $ours; do
    for _ in $(seq 100); do curl -fs -o /dev/null "127.0.0.1:$port/" && break || sleep 0.05; done
done

# CPU ticks of a process and its children.
ticks() { for pid in "$1" $(pgrep -P "$1" || true); do cut -d' ' -f14,15 "/proc/$pid/stat"; done | awk '{n += $1 + $2} END {print n}'; }

measure() { # name pid url
    wrk -t1 -c"$connections" -d1s "$3" >/dev/null
    local before after report
    before=$(ticks "$2")
    report=$(wrk -t1 -c"$connections" -d"${seconds}s" --latency "$3")
    after=$(ticks "$2")
    echo "$report" | awk -v name="$1" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        /requests in/ {n = $1} /Requests\/sec/ {rate = $2} /99%/ {p99 = $2} /Non-2xx/ {bad = $NF} /Socket errors/ {bad = $0}
        END {printf "%-8s %10.0f requests/s  %6.1f us CPU a request  p99 %s%s\n", name, rate, ticks / hz / n * 1e6, p99, bad ? "  FAILED: " bad : ""}'
}

compare() { # title scheme port-offset path
    echo "== $1"
    : >"$work/results"
    measure nginx "$nginx_pid" "$2://127.0.0.1:$((nginx + $3))$4" | tee -a "$work/results"
    measure haproxy "$haproxy_pid" "$2://127.0.0.1:$((haproxy + $3))$4" | tee -a "$work/results"
    measure gennaker "$ours_pid" "$2://127.0.0.1:$((ours + $3))$4" | tee -a "$work/results"
    awk '{rate[$1] = $2; cpu[$1] = $4} END {printf "CPU time a request: %.2f of nginx, %.2f of haproxy; requests/s: %.2f of nginx, %.2f of haproxy\n",
        cpu["gennaker"] / cpu["nginx"], cpu["gennaker"] / cpu["haproxy"], rate["gennaker"] / rate["nginx"], rate["gennaker"] / rate["haproxy"]}' "$work/results"
}

idle() { # name pid port connections
    ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
    python3 - "$1" "$2" "$3" "$4" <<'EOF'
import glob, socket, sys, time
name, pid, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
def memory():
    pids = [pid] + [int(c) for f in glob.glob(f"/proc/{pid}/task/*/children") for c in open(f).read().split()]
    return sum(int(l.split()[1]) for p in pids for l in open(f"/proc/{p}/smaps_rollup") if l.startswith("Pss:")) / 1024
before, open_ones = memory(), []
for i in range(count):
    s = socket.create_connection(("127.0.0.1", port), source_address=(f"127.0.{1 + i // 20000}.1", 0))
    s.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    if not s.recv(4096).startswith(b"HTTP/1.1 200"):
        sys.exit(f"{name}: connection {i} was not served")
    open_ones.append(s)
time.sleep(1)
print(f"{name:8} {memory():6.0f} MB with {count} idle connections, {before:.0f} MB before")
EOF
}

compare "1 KiB" http 0 /
compare "1 MiB" http 0 /big
compare "1 KiB by TLS 1.3" https 10 /
echo "== idle keep-alive connections"
idle nginx "$nginx_pid" "$nginx" 10000
idle gennaker "$ours_pid" "$ours" 10000
