#!/usr/bin/env bash
# Stock kubectl against our apiserver on stock etcd: each step is a command and what it must print.
. "$(dirname "$0")/cluster.sh"
FAILED=0

expect() {  # expect PATTERN COMMAND...: the output (both streams) must match the glob
  local pattern=$1 out; shift
  out=$("$@" 2>&1) || true
  # shellcheck disable=SC2053
  if [[ $out != $pattern ]]; then
    printf 'FAILED: %s\n  expected: %s\n  printed:  %s\n' "$*" "$pattern" "$out"
    FAILED=1
  fi
}

kubectl() { command timeout 30 kubectl "$@"; }

start_cluster
kubectl create ns t >/dev/null
kubectl -n t create sa default >/dev/null
kubectl config set-context --current --namespace=t >/dev/null

# Protobuf bodies of `create NOUN`.
expect 'deployment.apps/web created' kubectl create deployment web --image=nginx --replicas=2
expect 'configmap/c created' kubectl create cm c --from-literal=a=b
expect 'secret/s created' kubectl create secret generic s --from-literal=a=b
expect 'ey*.*.*' kubectl create token default

# Run, get, label, patch.
expect 'pod/p created' kubectl run p --image=nginx
expect '*AlreadyExists*pods "p" already exists' kubectl run p --image=nginx
expect $'NAME   READY   STATUS    RESTARTS   AGE*p      0/1     Pending   0*' kubectl get pods
expect 'pod/p labeled' kubectl label pod p env=prod
expect 'pod/p' kubectl get pods -l env=prod -o name
expect 'pod/p patched' kubectl patch pod p -p '{"metadata":{"annotations":{"x":"y"}}}'
expect '*Service Account:  default*kube-api-access-*' kubectl describe pod p
expect 'Error from server (NotFound): pods "none" not found' kubectl get pod none
expect '*field label not supported: foo' kubectl get pods --field-selector foo=bar

# Scale, image, apply three times.
expect 'deployment.apps/web scaled' kubectl scale deploy web --replicas=5
expect 'deployment.apps/web image updated' kubectl set image deploy/web nginx=nginx:2
expect '5 nginx:2 3' kubectl get deploy web \
  -o 'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image} {.metadata.generation}'
cat > "$WORK/m.yaml" <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: svc}
spec: {selector: {app: web}, ports: [{port: 80}]}
YAML
expect 'service/svc created' kubectl apply -f "$WORK/m.yaml"
expect 'service/svc unchanged' kubectl apply -f "$WORK/m.yaml"
sed -i 's/port: 80/port: 81/' "$WORK/m.yaml"
expect 'service/svc configured' kubectl apply -f "$WORK/m.yaml"
sed -i 's/selector/selectr/' "$WORK/m.yaml"
expect '*unknown field "spec.selectr"*' kubectl apply -f "$WORK/m.yaml"
expect '127.*' kubectl get svc svc -o 'jsonpath={.spec.clusterIP}'
expect '*provided port is not in the valid range. The range of valid ports is 30000-32767' \
  kubectl create service nodeport bad --tcp=80:80 --node-port=1

# A watch sees a pod come and go.
timeout 20 kubectl get pods -w --no-headers >"$WORK/watch" 2>/dev/null &
WATCH=$!
wait_for 10 grep -q '^p ' "$WORK/watch"
kubectl run q --image=nginx >/dev/null
wait_for 10 grep -q '^q ' "$WORK/watch"
expect 'pod "q" deleted*' kubectl delete pod q
kill $WATCH; wait $WATCH 2>/dev/null || true

# Who may come in.
code() { curl -sm 20 -o /dev/null -w '%{http_code}' --cacert "$WORK/ca.crt" "$@"; }
ACCOUNT=$(kubectl create token default)
expect 403 code -H 'Authorization: Bearer good-token' "$SERVER/api/v1/pods"
expect 403 code -H "Authorization: Bearer $ACCOUNT" "$SERVER/api/v1/pods"
kubectl create clusterrolebinding viewers --clusterrole=view --group=dev --serviceaccount=t:default >/dev/null
answers() { [ "$(code "${@:2}")" = "$1" ]; }
wait_for 10 answers 200 -H 'Authorization: Bearer good-token' "$SERVER/api/v1/pods"
expect 200 code -H "Authorization: Bearer $ACCOUNT" "$SERVER/api/v1/pods"
expect 401 code -H 'Authorization: Bearer bad' "$SERVER/api/v1/pods"
expect 403 code "$SERVER/api/v1/pods"
expect 200 code "$SERVER/livez"
# Over the limit of 3 MiB.
head -c 4000000 /dev/zero >"$WORK/big"
expect 413 code -H 'Authorization: Bearer good-token' --data-binary "@$WORK/big" "$SERVER/api/v1/namespaces"

# kill -9: everything is there afterwards.
kill -9 "$APISERVER_PID"; wait "$APISERVER_PID" 2>/dev/null || true
start_apiserver
expect 'deployment.apps/web' kubectl get deploy -o name
expect 'pod "p" deleted*' kubectl delete pod p
expect '*forbidden: this namespace may not be deleted' kubectl delete ns default

# A second apiserver on the same store: it sees what the first wrote, and cannot give away its ports.
expect 'service/np created' kubectl create service nodeport np --tcp=80:80 --node-port=30080
FIRST_PORT=$PORT FIRST_SERVER=$SERVER FIRST_PID=$APISERVER_PID
PORT=$(free_port) SERVER=https://127.0.0.1:$PORT
start_apiserver
expect 'service/np' kubectl -s "$SERVER" get svc np -o name
expect '*spec.ports\[0\].nodePort: Invalid value: 30080: provided port is already allocated' \
  kubectl -s "$SERVER" create service nodeport np2 --tcp=80:80 --node-port=30080
kill "$APISERVER_PID"; wait "$APISERVER_PID" || true
PORT=$FIRST_PORT SERVER=$FIRST_SERVER APISERVER_PID=$FIRST_PID

# The store does not answer: a clear error, and service again when it is back.
kill -STOP "$ETCD_PID"
expect '503' code -H 'Authorization: Bearer good-token' "$SERVER/api/v1/pods"
kill -CONT "$ETCD_PID"
expect '200' code -H 'Authorization: Bearer good-token' "$SERVER/api/v1/pods"

# SIGTERM ends watches in order and the server with 0.
api -N "$SERVER/api/v1/pods?watch=1" >/dev/null &
CURL=$!
wait_for 10 kubectl get --raw /readyz
kill "$APISERVER_PID"
wait "$APISERVER_PID" || { echo "FAILED: exit code $? after SIGTERM"; FAILED=1; }
wait $CURL || { echo "FAILED: the watch was broken, not ended ($?)"; FAILED=1; }

# Wrong starts are named, with exit code 2.
start_code() {
  local code=0
  timeout 10 "$APISERVER" "$@" >"$WORK/start" 2>&1 || code=$?
  echo "$code $(tr '\n' ' ' <"$WORK/start")"
}
expect '2 *--nonsense*' start_code --nonsense --tls-cert-file x --tls-private-key-file x
expect '2 *--tls-cert-file: open /nonexistent: No such file*' start_code --tls-cert-file /nonexistent \
  --tls-private-key-file "$WORK/server.key"
expect '2 *--service-cluster-ip-range*' start_code --tls-cert-file "$WORK/server.crt" \
  --tls-private-key-file "$WORK/server.key" --service-cluster-ip-range 10.0.0.0

[[ $FAILED == 0 ]] && echo "all steps passed"
exit $FAILED
