DROP TABLE delivered_marks;
