-- The roles of the service on a new cluster, for psql as a superuser: before the first `messaging-db up`, which runs as the owner.
-- messaging_owner owns the database: it migrates, makes and drops partitions and builds indexes, over ConnectionStrings__MessagingDirect.
-- messaging runs all requests, over ConnectionStrings__Messaging: it reads and writes rows, and cannot change the schema.
\getenv owner_password MESSAGING_DB_OWNER_PASSWORD
\getenv password MESSAGING_DB_PASSWORD
CREATE ROLE messaging_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE messaging LOGIN PASSWORD :'password';
CREATE DATABASE messaging OWNER messaging_owner;
REVOKE ALL ON DATABASE messaging FROM PUBLIC;
GRANT CONNECT ON DATABASE messaging TO messaging;
\connect messaging
ALTER DEFAULT PRIVILEGES FOR ROLE messaging_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO messaging;
