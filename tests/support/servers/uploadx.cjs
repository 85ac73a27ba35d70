// Receives uploads by the tus of @uploadx/core: node uploadx.cjs SETTINGS, as JSON.
const { createServer } = require('node:http');
const { Tus } = require('@uploadx/core');

const { host, port, data, max_size, expire_ms, relative } = JSON.parse(process.argv[2]);
const tus = new Tus({
	path: '/files',
	directory: data,
	useRelativeLocation: relative,
	...(max_size && { maxFileSize: max_size }),
	...(expire_ms && { expiration: { maxAge: expire_ms } }),
});
// It refuses everything before it has looked at its directory.
const timer = setInterval(() => {
	if (tus.storage.isReady) {
		clearInterval(timer);
		createServer(tus.handle).listen(port, host);
	}
}, 5);
