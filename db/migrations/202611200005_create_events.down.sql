DROP FUNCTION create_feed_partition(date);
DROP TABLE leases;
DROP TABLE feed_state;
DROP TABLE feed;
DROP TABLE outbox;
