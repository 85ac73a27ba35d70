// Receives uploads by the tus of @uploadx/core, or by its sessions: node uploadx.cjs SETTINGS, as JSON.
const { createServer } = require('node:http');
const { Tus, Uploadx } = require('@uploadx/core');

const { host, port, data, max_size, expire_ms, relative, sessions, answer } = JSON.parse(process.argv[2]);
const server = new (sessions ? Uploadx : Tus)({
	path: '/files',
	directory: data,
	useRelativeLocation: relative,
	...(max_size && { maxFileSize: max_size }),
	...(answer && { onComplete: () => answer }),
	...(expire_ms && { expiration: { maxAge: expire_ms } }),
});
// It refuses everything before it has looked at its directory.
const timer = setInterval(() => {
	if (server.storage.isReady) {
		clearInterval(timer);
		createServer(server.handle).listen(port, host);
	}
}, 5);
