# Sourced by the scripts here: a throw-away PKI, Debian's etcd and our apiserver on free ports.
#   start_cluster; use $SERVER, $KUBECONFIG, $WORK; everything ends with the shell.
set -euo pipefail
BUILD=${CORACLE_BUILD:-build}
APISERVER=$BUILD/bin/apiserver
WORK=$(mktemp -d)
PIDS=()

stop_cluster() {
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$WORK"
}
trap stop_cluster EXIT

free_port() {
  /usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'
}

wait_for() {  # wait_for SECONDS COMMAND...
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)); then echo "timed out: $*" >&2; return 1; fi
    read -rt 0.1 <> <(:) || true
  done
}

make_cert() {  # make_cert NAME SUBJECT EXTENSIONS
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/$1.key" \
    -out "$WORK/$1.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "$WORK/$1.csr" -CA "$WORK/ca.crt" -CAkey "$WORK/ca.key" -CAcreateserial \
    -days 2 -out "$WORK/$1.crt" -extfile <(echo "$3") 2>/dev/null
}

make_pki() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/ca.key" \
    -out "$WORK/ca.crt" -days 2 -subj /CN=test-ca 2>/dev/null
  make_cert server /CN=apiserver $'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth'
  make_cert admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
  openssl genrsa -out "$WORK/sa.key" 2048 2>/dev/null
  echo 'good-token,kit,kit,"dev,ops"' > "$WORK/tokens.csv"
}

start_apiserver() {  # on $PORT, reached as $SERVER
  "$APISERVER" --etcd-servers "http://127.0.0.1:$ETCD_PORT" --secure-port "$PORT" \
    --tls-cert-file "$WORK/server.crt" --tls-private-key-file "$WORK/server.key" \
    --client-ca-file "$WORK/ca.crt" --token-auth-file "$WORK/tokens.csv" \
    --service-account-signing-key-file "$WORK/sa.key" >"$WORK/apiserver.log" 2>&1 &
  APISERVER_PID=$!
  PIDS+=("$APISERVER_PID")
  wait_for 15 curl -sf --cacert "$WORK/ca.crt" "$SERVER/readyz"
}

start_cluster() {
  make_pki
  ETCD_PORT=$(free_port) PORT=$(free_port)
  local peer; peer=$(free_port)
  etcd --data-dir "$WORK/etcd" --listen-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" --listen-peer-urls "http://127.0.0.1:$peer" \
    --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer" --log-level error >"$WORK/etcd.log" 2>&1 &
  ETCD_PID=$!
  PIDS+=("$ETCD_PID")
  SERVER=https://127.0.0.1:$PORT
  start_apiserver
  export KUBECONFIG=$WORK/kubeconfig KUBECACHEDIR=$WORK/cache
  kubectl config set-cluster c --server="$SERVER" --embed-certs --certificate-authority="$WORK/ca.crt" >/dev/null
  kubectl config set-credentials admin --embed-certs --client-certificate="$WORK/admin.crt" \
    --client-key="$WORK/admin.key" >/dev/null
  kubectl config set-context c --cluster=c --user=admin >/dev/null
  kubectl config use-context c >/dev/null
}

api() { curl -s --cacert "$WORK/ca.crt" --cert "$WORK/admin.crt" --key "$WORK/admin.key" "$@"; }
