-- Database of the demo's data. Its password is public in this file and opens nothing else; Postgres is reachable only in
-- the network of docker-compose.yml.
CREATE ROLE demo LOGIN PASSWORD 'demo';
CREATE DATABASE demo OWNER demo;
REVOKE CONNECT ON DATABASE syncrator, postgres, template1 FROM PUBLIC;
