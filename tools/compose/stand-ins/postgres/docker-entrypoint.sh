#!/bin/bash
# Creates the cluster, its user and its database, runs the scripts in /docker-entrypoint-initdb.d, and then serves,
# as the official image documents it.
set -eu
as() { setpriv --reuid=postgres --regid=postgres --init-groups --reset-env env PATH="$PATH" PGDATA="$PGDATA" "$@"; }

chown postgres:postgres /var/lib/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  install --directory --owner=postgres --group=postgres --mode=700 "$PGDATA"
  password=$(mktemp)
  cat "$POSTGRES_PASSWORD_FILE" > "$password"
  chown postgres "$password"
  as initdb --username="$POSTGRES_USER" --pwfile="$password" --auth-local=trust --auth-host=scram-sha-256
  rm "$password"
  as pg_ctl --wait --options='-c listen_addresses=' start
  as createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  for file in /docker-entrypoint-initdb.d/*.sql; do
    as psql --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" --set=ON_ERROR_STOP=1 --file=- < "$file"
  done
  as pg_ctl --wait --mode=fast stop
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -c listen_addresses='*'
