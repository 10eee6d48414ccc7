DROP TABLE large_inboxes;
DROP TABLE inbox_places;
