DROP TABLE file_removals;
DROP TABLE attachments;
