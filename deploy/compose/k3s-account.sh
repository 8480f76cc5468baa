#!/bin/sh
# Creates the worker's account in the cluster of docker-compose.yml with its Role only, and its kubeconfig.
# SERVER the apiserver as the worker reaches it · ADMIN the administrator's kubeconfig · NAMESPACE of the jobs
# WORKER the kubeconfig to write. Safe to repeat: each run creates a new token, valid for a year.
set -eu
admin() { kubectl --kubeconfig "$ADMIN" --server "$SERVER" "$@"; }

admin create namespace "$NAMESPACE" --dry-run=client -o yaml | admin apply -f -
admin label --overwrite namespace "$NAMESPACE" pod-security.kubernetes.io/enforce=restricted
admin apply --namespace "$NAMESPACE" -f /roles/role.yaml
token=$(admin create token syncrator-worker --namespace "$NAMESPACE" --duration=8760h)
authority=$(admin config view --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')
umask 077
cat > "$WORKER.new" <<END
{"apiVersion": "v1", "kind": "Config", "current-context": "worker",
 "clusters": [{"name": "local", "cluster": {"server": "$SERVER", "certificate-authority-data": "$authority"}}],
 "users": [{"name": "worker", "user": {"token": "$token"}}],
 "contexts": [{"name": "worker", "context": {"cluster": "local", "user": "worker", "namespace": "$NAMESPACE"}}]}
END
chown 1000:1000 "$WORKER.new"
mv "$WORKER.new" "$WORKER"
