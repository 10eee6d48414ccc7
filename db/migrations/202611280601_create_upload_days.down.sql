DROP TABLE upload_days;
