DROP TABLE participants;
DROP TABLE slugs;
DROP TABLE direct_keys;
DROP TABLE conversations;
