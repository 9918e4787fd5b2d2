#!/bin/bash
# net_wire_test: the server against clients that are not ours: curl and openssl s_client.
set -u
server=${CORACLE_BUILD:-build}/tests/net_wire_server
dir=$(mktemp -d)
"$server" "$dir" >"$dir/out" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; wait $pid 2>/dev/null; rm -rf "$dir"' EXIT
for _ in $(seq 200); do
  [ -s "$dir/ports" ] && break
  kill -0 $pid 2>/dev/null || { cat "$dir/out"; exit 1; }
  read -rt 0.05 <> <(:) || :
done
read -r tls plain <"$dir/ports"
failures=0

same() { # NAME WANTED GOT
  if [ "$2" = "$3" ]; then
    echo "ok   $1"
  else
    failures=$((failures + 1))
    printf 'FAIL %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3"
  fi
}
fetch() { curl -sS --max-time 20 --cacert "$dir/ca.crt" "$@" 2>&1; }
user() { fetch --cert "$dir/$1.crt" --key "$dir/$1.key" "https://localhost:$tls/peer"; }
handshake() { timeout 20 openssl s_client -connect "127.0.0.1:$tls" -CAfile "$dir/ca.crt" "$@" 2>&1 </dev/null; }

same "no certificate" "anonymous" "$(fetch "https://localhost:$tls/peer")"
same "trusted certificate" "trusted alice dev,ops" "$(user client)"
same "foreign certificate" \
  "untrusted alice dev,ops x509: certificate signed by unknown authority" "$(user foreign)"
same "expired certificate" "untrusted alice dev,ops x509: certificate has expired" \
  "$(user expired | grep -o '^.*has expired')"
same "two requests, one connection" "1 0" \
  "$(fetch -w '%{num_connects} ' -o /dev/null "https://127.0.0.1:$tls/a" -o /dev/null "https://127.0.0.1:$tls/b" | xargs)"
same "h2 is not offered" "1.1" \
  "$(fetch --http2 -w '%{http_version}' -o /dev/null "https://127.0.0.1:$tls/")"

head -c 2000000 /dev/zero >"$dir/big"
head -c 4000000 /dev/zero >"$dir/bigger"
for url in "https://127.0.0.1:$tls" "http://127.0.0.1:$plain"; do
  same "post with 100-continue, $url" "POST /p 2000000" \
    "$(fetch -H 'Expect: 100-continue' --data-binary "@$dir/big" "$url/p")"
  same "chunked upload, $url" "PUT /u 2000000" \
    "$(fetch -T - -H 'Transfer-Encoding: chunked' "$url/u" <"$dir/big")"
  same "body over the limit, $url" "413 Request Entity Too Large" \
    "$(fetch -H 'Expect:' --data-binary "@$dir/bigger" "$url/p")"
  same "large answer, $url" "20000000" "$(fetch "$url/size/20000000" | wc -c)"
  same "head, $url" "Content-Length: 1024" \
    "$(fetch -I "$url/size/1024" | tr -d '\r' | grep -i content-length)"
  same "stream arrives while it is open, $url" "one two three" \
    "$(fetch -N --max-time 1 "$url/events" | head -3 | xargs)"
done

same "plain HTTP on the TLS port" "Client sent an HTTP request to an HTTPS server." \
  "$(fetch --http0.9 "http://127.0.0.1:$tls/" | tail -1)"
same "TLS 1.3" "TLSv1.3" "$(handshake | grep -o 'TLSv1\.3' | head -1)"
same "TLS 1.2" "Protocol  : TLSv1.2" "$(handshake -tls1_2 | grep -o 'Protocol  : TLSv1.2' | head -1)"
same "TLS 1.1 is refused" "Cipher is (NONE)" \
  "$(handshake -tls1_1 -cipher DEFAULT@SECLEVEL=0 | grep -o 'Cipher is .*')"
same "verified" "Verify return code: 0 (ok)" "$(handshake | grep -o 'Verify return code: 0 (ok)' | head -1)"
same "http/1.1 by ALPN" "ALPN protocol: http/1.1" "$(handshake -alpn h2,http/1.1 | grep '^ALPN')"
same "asks for certificates of our CA" "CN = wire-ca" \
  "$(handshake | grep -A1 'Acceptable client certificate CA names' | tail -1)"

fetch -N "https://127.0.0.1:$tls/events" >"$dir/events" &
watcher=$!
for _ in $(seq 200); do
  [ "$(wc -l <"$dir/events")" = 3 ] && break
  read -rt 0.05 <> <(:) || :
done
kill -TERM $pid
wait $watcher
same "a stopping server ends streams in order" "0" "$?"
wait $pid
same "and leaves" "0" "$?"
[ $failures = 0 ]
