-- Where the demo's data go. Its password is known to everybody who can read this file, so that it opens nothing else;
-- Postgres is to be had in the network of docker-compose.yml alone.
CREATE ROLE demo LOGIN PASSWORD 'demo';
CREATE DATABASE demo OWNER demo;
REVOKE CONNECT ON DATABASE syncrator, postgres, template1 FROM PUBLIC;
