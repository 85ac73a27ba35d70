// Receives uploads by @tus/server: node tus_node.cjs SETTINGS, as JSON.
const { Server } = require('@tus/server');
const { FileStore } = require('@tus/file-store');

const { host, port, data, max_size, expire_ms, relative } = JSON.parse(process.argv[2]);
const datastore = new FileStore({ directory: data, expirationPeriodInMilliseconds: expire_ms });
new Server({ path: '/files', datastore, maxSize: max_size, relativeLocation: relative }).listen(port, host);
