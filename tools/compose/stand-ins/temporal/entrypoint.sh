#!/bin/bash
# Creates databases and schemas, starts the server, then creates the namespace `default`, as the official image
# documents it.
set -eu
export BIND_ON_IP="${BIND_ON_IP:-$(hostname -i)}"
address="$BIND_ON_IP:7233"
export SQL_PLUGIN="$DB" SQL_HOST="$POSTGRES_SEEDS" SQL_PORT="$DB_PORT" SQL_USER="$POSTGRES_USER" SQL_PASSWORD="$POSTGRES_PWD"

for database in temporal visibility; do
  name=$([ "$database" = temporal ] && echo temporal || echo temporal_visibility)
  temporal-sql-tool --database "$name" create
  # Refused if the database was set up before.
  temporal-sql-tool --database "$name" setup-schema --version 0.0 || true
  temporal-sql-tool --database "$name" update-schema --schema-name "postgresql/v12/$database"
done

(
  until temporal operator cluster health --address "$address" 2> /dev/null | grep -q SERVING; do sleep 0.5; done
  temporal operator namespace describe --namespace default --address "$address" > /dev/null 2>&1 ||
    temporal operator namespace create --namespace default --retention 24h --address "$address"
) &
exec temporal-server --root /etc/temporal --env docker start
