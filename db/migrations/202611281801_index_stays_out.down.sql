-- outside-transaction
DROP INDEX CONCURRENTLY ix_participants_stays_out;
