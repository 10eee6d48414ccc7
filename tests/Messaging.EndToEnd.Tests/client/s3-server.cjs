// A server that speaks S3, for tests of the storage of files: node s3-server.cjs <folder> <port>
const S3rver = require("@20minutes/s3rver");

const [directory, port] = process.argv.slice(2);
new S3rver({ directory, port: Number(port), address: "127.0.0.1", silent: true, configureBuckets: [{ name: "messaging" }] }).run();
