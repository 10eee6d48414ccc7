DROP TABLE message_requests;
DROP TABLE blocks;
DROP TABLE contacts;
