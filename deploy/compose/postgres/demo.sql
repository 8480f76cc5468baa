-- Database of the demo's data. This file publishes its password, which opens nothing else; Postgres is reachable only in
-- the network of docker-compose.yml.
CREATE ROLE demo LOGIN PASSWORD 'demo';
CREATE DATABASE demo OWNER demo;
REVOKE CONNECT ON DATABASE syncrator, postgres, template1 FROM PUBLIC;
